/**
 * Intel 82576 Gigabit Ethernet Controller: the memory-mapped registers of one port (BAR0), its PHY and its NVM.
 * Sections are those of the 82576EB datasheet. Queues 0..3 also answer at an older place ({'link QUEUE_ALIASES}).
 */
import { registers } from '../registers.ts'

export const NIC_VENDOR = 0x8086
export const NIC_DEVICE = 0x10c9
export const NIC_SUBSYSTEM = 0xa03c
export const NIC_REVISION = 1
export const NIC_QUEUES = 16
/** MSI-X vectors of the physical function, and bits of EICR: the virtual functions have theirs from the top down. */
export const NIC_VECTORS = 10
export const NIC_CAUSES = 25
/** Pools that the queues n and n + 8 make up, each the physical function's or one virtual function's: 82576 7.10. */
export const NIC_POOLS = 8
export const BAR0_BYTES = 0x20000

const interruptCauses = {
  TXDW: 0,
  LSC: 2,
  RXDMT0: 4,
  MACSEC: 5,
  RXMISS: 6,
  RXDW: 7,
  VMMB: 8,
  GPI_SDP0: 11,
  GPI_SDP1: 12,
  GPI_SDP2: 13,
  GPI_SDP3: 14,
  MNG: 18,
  TIME_SYNC: 19,
  OMED: 20,
  FER: 22,
  NFER: 23,
  CER: 24,
  PBER: 25,
  DOUTSYNC: 28,
  TCP_TIMER: 30,
  INTA: 31,
} as const

export const nic = registers({
  // general: 8.2
  CTRL: {
    at: 0x0000,
    width: 32,
    access: 'rw',
    reset: 0x0000_0201,
    spec: '82576 8.2.1',
    fields: {
      FD: 0,
      GIO_MASTER_DISABLE: 2,
      LRST: 3,
      SLU: 6,
      ILOS: 7,
      SPEED: [9, 8],
      FRCSPD: 11,
      FRCDPLX: 12,
      RST: 26,
      RFCE: 27,
      TFCE: 28,
      VME: 30,
      PHY_RST: 31,
    },
  },
  STATUS: {
    at: 0x0008,
    width: 32,
    access: 'ro',
    reset: 0x0008_0000,
    spec: '82576 8.2.2',
    fields: {
      FD: 0,
      LU: 1,
      LAN_ID: [3, 2],
      TXOFF: 4,
      SPEED: [7, 6],
      ASDV: [9, 8],
      PHYRA: 10,
      NUM_VFS: [17, 14],
      IOV_MODE: 18,
      GIO_MASTER_ENABLE: 19,
    },
  },
  CTRL_EXT: {
    at: 0x0018,
    width: 32,
    access: 'rw',
    spec: '82576 8.2.3',
    fields: { EE_RST: 13, PFRSTD: 14, LINK_MODE: [23, 22], EIAME: 24, IAME: 27, DRV_LOAD: 28, NSICR: 0 },
  },
  MDIC: {
    at: 0x0020,
    width: 32,
    access: 'rw',
    reset: 0x1000_0000,
    spec: '82576 8.2.4',
    fields: { DATA: [15, 0], REGADD: [20, 16], PHYADD: [25, 21], OP: [27, 26], R: 28, I: 29, E: 30, DESTINATION: 31 },
  },
  CONNSW: { at: 0x0034, width: 32, access: 'rw', spec: '82576 8.2.6' },
  VET: { at: 0x0038, width: 32, access: 'rw', reset: 0x8100_8100, spec: '82576 8.2.7', fields: { VET: [15, 0] } },
  LEDCTL: { at: 0x0e00, width: 32, access: 'rw', reset: 0x8006_8107, spec: '82576 8.2.8' },

  // EEPROM: 8.4
  EEC: {
    at: 0x0010,
    width: 32,
    access: 'rw',
    reset: 0x0000_3f00,
    spec: '82576 8.4.1',
    fields: { EE_REQ: 6, EE_GNT: 7, EE_PRES: 8, AUTO_RD: 9, EE_ADDR_SIZE: 10, EE_SIZE: [14, 11] },
  },
  EERD: {
    at: 0x0014,
    width: 32,
    access: 'rw',
    spec: '82576 8.4.2',
    fields: { START: 0, DONE: 1, ADDR: [15, 2], DATA: [31, 16] },
  },
  EEMNGCTL: {
    at: 0x1010,
    width: 32,
    access: 'rw',
    reset: 0x8007_0000,
    spec: '82576 8.4',
    fields: { CFG_DONE0: 18, CFG_DONE1: 19 },
  },

  // flow control: 8.5
  FCAL: { at: 0x0028, width: 32, access: 'rw', spec: '82576 8.5.1' },
  FCAH: { at: 0x002c, width: 32, access: 'rw', spec: '82576 8.5.2' },
  FCT: { at: 0x0030, width: 32, access: 'rw', spec: '82576 8.5.3' },
  FCTTV: { at: 0x0170, width: 32, access: 'rw', spec: '82576 8.5.4' },
  FCRTL: { at: 0x2160, width: 32, access: 'rw', spec: '82576 8.5.5' },
  FCRTH: { at: 0x2168, width: 32, access: 'rw', spec: '82576 8.5.6' },
  FCRTV: { at: 0x2460, width: 32, access: 'rw', spec: '82576 8.5.7' },

  // packet buffers: 8.3
  RXPBS: { at: 0x2404, width: 32, access: 'rw', reset: 0x40, spec: '82576 8.3.1', fields: { SIZE: [6, 0] } },
  TXPBS: { at: 0x3404, width: 32, access: 'rw', reset: 0x28, spec: '82576 8.3.2', fields: { SIZE: [5, 0] } },

  // PCIe and semaphores: 8.6, 8.7
  GCR: {
    at: 0x5b00,
    width: 32,
    access: 'rw',
    reset: 0x0004_0000,
    spec: '82576 8.6.1',
    fields: { COMPLETION_TIMEOUT: [15, 12], CAP_VER2: 18 },
  },
  FACTPS: { at: 0x5b30, width: 32, access: 'ro', spec: '82576 8.6' },
  SWSM: { at: 0x5b50, width: 32, access: 'rw', spec: '82576 8.7.1', fields: { SMBI: 0, SWESMBI: 1 } },
  FWSM: { at: 0x5b54, width: 32, access: 'ro', spec: '82576 8.7.2', fields: { FW_MODE: [3, 1] } },
  SW_FW_SYNC: {
    at: 0x5b5c,
    width: 32,
    access: 'rw',
    spec: '82576 8.7.3',
    fields: { SW_EEP_SM: 0, SW_PHY_SM0: 1, SW_PHY_SM1: 2, FW_EEP_SM: 16, FW_PHY_SM0: 17 },
  },

  // interrupts: 8.8
  ICR: { at: 0x1500, width: 32, access: 'rc', spec: '82576 8.8.7', fields: interruptCauses },
  ICS: { at: 0x1504, width: 32, access: 'wo', spec: '82576 8.8.8', fields: interruptCauses },
  IMS: { at: 0x1508, width: 32, access: 'rw', spec: '82576 8.8.9', fields: interruptCauses },
  IMC: { at: 0x150c, width: 32, access: 'wo', spec: '82576 8.8.10', fields: interruptCauses },
  IAM: { at: 0x1510, width: 32, access: 'rw', spec: '82576 8.8.11' },
  GPIE: {
    at: 0x1514,
    width: 32,
    access: 'rw',
    spec: '82576 8.8.15',
    fields: { NSICR: 0, MULTIPLE_MSIX: 4, LL_INTERVAL: [11, 7], EIAME: 30, PBA: 31 },
  },
  /** Without GPIE.MULTIPLE_MSIX: RxTxQ [15:0], TCP timer 30, other cause 31; with it, one bit a vector. */
  EICS: { at: 0x1520, width: 32, access: 'wo', spec: '82576 8.8.2' },
  EIMS: { at: 0x1524, width: 32, access: 'rw', spec: '82576 8.8.3' },
  EIMC: { at: 0x1528, width: 32, access: 'wo', spec: '82576 8.8.4' },
  EIAC: { at: 0x152c, width: 32, access: 'rw', spec: '82576 8.8.5' },
  EIAM: { at: 0x1530, width: 32, access: 'rw', spec: '82576 8.8.6' },
  EICR: { at: 0x1580, width: 32, access: 'rc', spec: '82576 8.8.1' },
  /** INTERVAL counts microseconds (bits 1:0 of the register are not part of it). */
  EITR: {
    at: 0x1680,
    width: 32,
    access: 'rw',
    count: 25,
    stride: 4,
    spec: '82576 8.8.12',
    fields: { INTERVAL: [14, 2], LLI_EN: 15, LL_COUNTER: [20, 16], COUNTER: [30, 21], CNT_INGR: 31 },
  },
  /** Row n, n < 8: bytes are Rx queue n, Tx queue n, Rx queue n+8, Tx queue n+8. */
  IVAR: {
    at: 0x1700,
    width: 32,
    access: 'rw',
    count: 8,
    stride: 4,
    spec: '82576 8.8.13',
    fields: {
      RX_LOW: [4, 0],
      RX_LOW_VALID: 7,
      TX_LOW: [12, 8],
      TX_LOW_VALID: 15,
      RX_HIGH: [20, 16],
      RX_HIGH_VALID: 23,
      TX_HIGH: [28, 24],
      TX_HIGH_VALID: 31,
    },
  },
  IVAR_MISC: {
    at: 0x1740,
    width: 32,
    access: 'rw',
    spec: '82576 8.8.14',
    fields: { TCP_TIMER: [4, 0], TCP_TIMER_VALID: 7, OTHER: [12, 8], OTHER_VALID: 15 },
  },

  // receive: 8.10
  RCTL: {
    at: 0x0100,
    width: 32,
    access: 'rw',
    spec: '82576 8.10.1',
    fields: {
      RXEN: 1,
      SBP: 2,
      UPE: 3,
      MPE: 4,
      LPE: 5,
      LBM: [7, 6],
      MO: [13, 12],
      BAM: 15,
      BSIZE: [17, 16],
      VFE: 18,
      CFIEN: 19,
      CFI: 20,
      PSP: 21,
      DPF: 22,
      PMCF: 23,
      SECRC: 26,
    },
  },
  PSRTYPE: { at: 0x5480, width: 32, access: 'rw', count: 8, stride: 4, spec: '82576 8.10.3' },
  RDBAL: { at: 0xc000, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.10.5' },
  RDBAH: { at: 0xc004, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.10.6' },
  RDLEN: { at: 0xc008, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.10.7' },
  SRRCTL: {
    at: 0xc00c,
    width: 32,
    access: 'rw',
    reset: 0x400,
    count: NIC_QUEUES,
    stride: 0x40,
    spec: '82576 8.10.2',
    fields: { BSIZEPACKET: [6, 0], BSIZEHEADER: [13, 8], RDMTS: [24, 20], DESCTYPE: [27, 25], DROP_EN: 31 },
  },
  RDH: { at: 0xc010, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.10.8' },
  RXCTL: { at: 0xc014, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.13.1' },
  RDT: { at: 0xc018, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.10.9' },
  RXDCTL: {
    at: 0xc028,
    width: 32,
    access: 'rw',
    count: NIC_QUEUES,
    stride: 0x40,
    spec: '82576 8.10.10',
    fields: { PTHRESH: [4, 0], HTHRESH: [12, 8], WTHRESH: [20, 16], ENABLE: 25, SWFLUSH: 26 },
  },
  /** Packets dropped for want of a descriptor, by queue. */
  RQDPC: {
    at: 0xc030,
    width: 32,
    access: 'rc',
    count: NIC_QUEUES,
    stride: 0x40,
    spec: '82576 8.10.11',
    fields: { RQDPC: [11, 0] },
  },
  RXCSUM: {
    at: 0x5000,
    width: 32,
    access: 'rw',
    reset: 0x300,
    spec: '82576 8.10.12',
    fields: { PCSS: [7, 0], IPOFLD: 8, TUOFLD: 9, CRCOFL: 11, IPPCSE: 12, PCSD: 13 },
  },
  RLPML: { at: 0x5004, width: 32, access: 'rw', reset: 0x2600, spec: '82576 8.10.13', fields: { RLPML: [13, 0] } },
  RFCTL: {
    at: 0x5008,
    width: 32,
    access: 'rw',
    spec: '82576 8.10.14',
    fields: { NEW_IPV6_EXT_DIS: 17, IPV6_EX_DIS: 16, LEF: 18 },
  },
  MTA: { at: 0x5200, width: 32, access: 'rw', count: 128, stride: 4, spec: '82576 8.10.15' },
  RAL: { at: 0x5400, width: 32, access: 'rw', count: 16, stride: 8, spec: '82576 8.10.16' },
  RAH: {
    at: 0x5404,
    width: 32,
    access: 'rw',
    count: 16,
    stride: 8,
    spec: '82576 8.10.17',
    fields: { RAH: [15, 0], ASEL: [17, 16], POOLSEL: [25, 18], AV: 31 },
  },
  /** Receive addresses 16..23. */
  RAL_HIGH: { at: 0x54e0, width: 32, access: 'rw', count: 8, stride: 8, spec: '82576 8.10.16' },
  RAH_HIGH: {
    at: 0x54e4,
    width: 32,
    access: 'rw',
    count: 8,
    stride: 8,
    spec: '82576 8.10.17',
    fields: { RAH: [15, 0], ASEL: [17, 16], POOLSEL: [25, 18], AV: 31 },
  },
  VFTA: { at: 0x5600, width: 32, access: 'rw', count: 128, stride: 4, spec: '82576 8.10.18' },
  MRQC: {
    at: 0x5818,
    width: 32,
    access: 'rw',
    spec: '82576 8.10.19',
    fields: {
      ENABLE: [2, 0],
      DEFAULT_QUEUE: [5, 3],
      TCP_IPV4: 16,
      IPV4: 17,
      IPV6: 20,
      TCP_IPV6: 21,
      UDP_IPV4: 22,
      UDP_IPV6: 23,
    },
  },
  RSSRK: { at: 0x5c80, width: 32, access: 'rw', count: 10, stride: 4, spec: '82576 8.10.20' },
  RETA: { at: 0x5c00, width: 32, access: 'rw', count: 32, stride: 4, spec: '82576 8.10.21' },
  UTA: { at: 0xa000, width: 32, access: 'rw', count: 128, stride: 4, spec: '82576 8.10' },

  // transmit: 8.12
  TCTL: {
    at: 0x0400,
    width: 32,
    access: 'rw',
    reset: 0x8,
    spec: '82576 8.12.1',
    fields: { EN: 1, PSP: 3, CT: [11, 4], COLD: [21, 12], RTLC: 24 },
  },
  TCTL_EXT: { at: 0x0404, width: 32, access: 'rw', spec: '82576 8.12.2' },
  TIPG: { at: 0x0410, width: 32, access: 'rw', reset: 0x0060_2008, spec: '82576 8.12.3' },
  DTXCTL: { at: 0x3590, width: 32, access: 'rw', reset: 0x4, spec: '82576 8.12.4', fields: { SPOOF_INT: 6 } },
  TDBAL: { at: 0xe000, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.12.10' },
  TDBAH: { at: 0xe004, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.12.11' },
  TDLEN: { at: 0xe008, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.12.12' },
  TDH: { at: 0xe010, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.12.13' },
  TXCTL: { at: 0xe014, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.13.2' },
  TDT: { at: 0xe018, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.12.14' },
  TXDCTL: {
    at: 0xe028,
    width: 32,
    access: 'rw',
    count: NIC_QUEUES,
    stride: 0x40,
    spec: '82576 8.12.15',
    fields: { PTHRESH: [4, 0], HTHRESH: [12, 8], WTHRESH: [20, 16], ENABLE: 25, SWFLSH: 26, PRIORITY: 27 },
  },
  TDWBAL: {
    at: 0xe038,
    width: 32,
    access: 'rw',
    count: NIC_QUEUES,
    stride: 0x40,
    spec: '82576 8.12.16',
    fields: { HEAD_WB_EN: 0, SN_WB_EN: 1 },
  },
  TDWBAH: { at: 0xe03c, width: 32, access: 'rw', count: NIC_QUEUES, stride: 0x40, spec: '82576 8.12.17' },

  // virtualization: 8.14
  VT_CTL: {
    at: 0x581c,
    width: 32,
    access: 'rw',
    spec: '82576 8.14.1',
    fields: { DEFAULT_POOL: [9, 7], IGNORE_MAC: 28, DISABLE_DEFAULT_POOL: 29, REPLICATION: 30 },
  },
  /** The message that physical and virtual function n exchange: words 16 n to 16 n + 15. */
  VMBMEM: { at: 0x0800, width: 32, access: 'rw', count: 128, stride: 4, spec: '82576 8.14' },
  /** Toward virtual function n. STS and ACK are written; the buffer is the virtual function's (VFU), ours (PFU) or nobody's. */
  P2VMAILBOX: {
    at: 0x0c00,
    width: 32,
    access: 'rw',
    count: NIC_POOLS,
    stride: 4,
    spec: '82576 8.14',
    fields: { STS: 0, ACK: 1, VFU: 2, PFU: 3, RVFU: 4 },
  },
  MBVFICR: { at: 0x0c80, width: 32, access: 'rw1c', spec: '82576 8.14', fields: { REQ: [7, 0], ACK: [23, 16] } },
  MBVFIMR: { at: 0x0c84, width: 32, access: 'rw', spec: '82576 8.14', fields: { VF: [7, 0] } },
  VFLRE: { at: 0x0c88, width: 32, access: 'rw1c', spec: '82576 8.14', fields: { VF: [7, 0] } },
  VFRE: { at: 0x0c8c, width: 32, access: 'rw', reset: 0xff, spec: '82576 8.14', fields: { VF: [7, 0] } },
  VFTE: { at: 0x0c90, width: 32, access: 'rw', reset: 0xff, spec: '82576 8.14', fields: { VF: [7, 0] } },
  QDE: { at: 0x2408, width: 32, access: 'rw', spec: '82576 8.14', fields: { QUEUE: [15, 0] } },
  DTXSWC: {
    at: 0x3500,
    width: 32,
    access: 'rw',
    spec: '82576 8.14',
    fields: { MAC_SPOOF: [7, 0], VLAN_SPOOF: [15, 8], LOCAL_LOOPBACK: [23, 16], LOOPBACK: 31 },
  },
  /** Queues whose frames claimed to be another's. */
  WVBR: { at: 0x3554, width: 32, access: 'rc', spec: '82576 8.14', fields: { QUEUE: [15, 0] } },
  RPLOLR: {
    at: 0x5af0,
    width: 32,
    access: 'rw',
    reset: 0x8000_0000,
    spec: '82576 8.14',
    fields: { STRVLAN: 30, STRCRC: 31 },
  },
  VMOLR: {
    at: 0x5ad0,
    width: 32,
    access: 'rw',
    count: NIC_POOLS,
    stride: 4,
    reset: 0x8000_2600,
    spec: '82576 8.14',
    fields: {
      RLPML: [13, 0],
      LPE: 16,
      RSSE: 17,
      AUPE: 24,
      ROMPE: 25,
      ROPE: 26,
      BAM: 27,
      MPME: 28,
      STRVLAN: 30,
      STRCRC: 31,
    },
  },
  VLVF: {
    at: 0x5d00,
    width: 32,
    access: 'rw',
    count: 32,
    stride: 4,
    spec: '82576 8.14',
    fields: { VLAN: [11, 0], POOLSEL: [19, 12], LVLAN: 20, VI_EN: 31 },
  },
  VMVIR: {
    at: 0x3700,
    width: 32,
    access: 'rw',
    count: NIC_POOLS,
    stride: 4,
    spec: '82576 8.14',
    fields: { PORT_VLAN: [15, 0], VLANA: [31, 30] },
  },

  // timers and time sync: 8.15, 8.16
  FRTIMER: {
    at: 0x1048,
    width: 32,
    access: 'ro',
    spec: '82576 8.15',
    fields: { MICROSECONDS: [9, 0], MILLISECONDS: [19, 10], SECONDS: [31, 20] },
  },
  TCPTIMER: { at: 0x104c, width: 32, access: 'rw', spec: '82576 8.15.1' },
  SYSTIML: { at: 0xb600, width: 32, access: 'rw', spec: '82576 8.16' },
  SYSTIMH: { at: 0xb604, width: 32, access: 'rw', spec: '82576 8.16' },
  TIMINCA: { at: 0xb608, width: 32, access: 'rw', spec: '82576 8.16' },
  TSYNCTXCTL: { at: 0xb614, width: 32, access: 'rw', spec: '82576 8.16' },
  TSYNCRXCTL: { at: 0xb620, width: 32, access: 'rw', spec: '82576 8.16' },
  TSYNCRXCFG: { at: 0x5f50, width: 32, access: 'rw', spec: '82576 8.16' },
  TSAUXC: { at: 0xb640, width: 32, access: 'rw', spec: '82576 8.16' },
  ETQF: { at: 0x5cb0, width: 32, access: 'rw', count: 8, stride: 4, spec: '82576 8.11' },
  FTQF: { at: 0x59e0, width: 32, access: 'rw', count: 8, stride: 4, spec: '82576 8.11' },

  // PCS: 8.17
  PCS_CFG: { at: 0x4200, width: 32, access: 'rw', spec: '82576 8.17.1' },
  PCS_LCTL: { at: 0x4208, width: 32, access: 'rw', spec: '82576 8.17.2' },
  PCS_LSTAT: { at: 0x420c, width: 32, access: 'ro', spec: '82576 8.17.3' },

  // statistics that count here; the others read as zero: 8.19
  CRCERRS: { at: 0x4000, width: 32, access: 'rc', spec: '82576 8.19' },
  MPC: { at: 0x4010, width: 32, access: 'rc', spec: '82576 8.19' },
  PRC64: { at: 0x405c, width: 32, access: 'rc', count: 6, stride: 4, spec: '82576 8.19' },
  GPRC: { at: 0x4074, width: 32, access: 'rc', spec: '82576 8.19' },
  BPRC: { at: 0x4078, width: 32, access: 'rc', spec: '82576 8.19' },
  MPRC: { at: 0x407c, width: 32, access: 'rc', spec: '82576 8.19' },
  GPTC: { at: 0x4080, width: 32, access: 'rc', spec: '82576 8.19' },
  GORCL: { at: 0x4088, width: 32, access: 'rc', spec: '82576 8.19' },
  GORCH: { at: 0x408c, width: 32, access: 'rc', spec: '82576 8.19' },
  GOTCL: { at: 0x4090, width: 32, access: 'rc', spec: '82576 8.19' },
  GOTCH: { at: 0x4094, width: 32, access: 'rc', spec: '82576 8.19' },
  RNBC: { at: 0x40a0, width: 32, access: 'rc', spec: '82576 8.19' },
  RUC: { at: 0x40a4, width: 32, access: 'rc', spec: '82576 8.19' },
  ROC: { at: 0x40ac, width: 32, access: 'rc', spec: '82576 8.19' },
  TORL: { at: 0x40c0, width: 32, access: 'rc', spec: '82576 8.19' },
  TORH: { at: 0x40c4, width: 32, access: 'rc', spec: '82576 8.19' },
  TOTL: { at: 0x40c8, width: 32, access: 'rc', spec: '82576 8.19' },
  TOTH: { at: 0x40cc, width: 32, access: 'rc', spec: '82576 8.19' },
  TPR: { at: 0x40d0, width: 32, access: 'rc', spec: '82576 8.19' },
  TPT: { at: 0x40d4, width: 32, access: 'rc', spec: '82576 8.19' },
  PTC64: { at: 0x40d8, width: 32, access: 'rc', count: 6, stride: 4, spec: '82576 8.19' },
  MPTC: { at: 0x40f0, width: 32, access: 'rc', spec: '82576 8.19' },
  BPTC: { at: 0x40f4, width: 32, access: 'rc', spec: '82576 8.19' },
  TSCTC: { at: 0x40f8, width: 32, access: 'rc', spec: '82576 8.19' },
  IAC: { at: 0x4100, width: 32, access: 'rc', spec: '82576 8.19' },
  RPTHC: { at: 0x4104, width: 32, access: 'rc', spec: '82576 8.19' },
  HGPTC: { at: 0x4118, width: 32, access: 'rc', spec: '82576 8.19' },
  HGORCL: { at: 0x4128, width: 32, access: 'rc', spec: '82576 8.19' },
  HGORCH: { at: 0x412c, width: 32, access: 'rc', spec: '82576 8.19' },
  HGOTCL: { at: 0x4130, width: 32, access: 'rc', spec: '82576 8.19' },
  HGOTCH: { at: 0x4134, width: 32, access: 'rc', spec: '82576 8.19' },

  // wake up and management: 8.20, 8.21
  WUC: { at: 0x5800, width: 32, access: 'rw', spec: '82576 8.20' },
  WUFC: { at: 0x5808, width: 32, access: 'rw', spec: '82576 8.20' },
  WUS: { at: 0x5810, width: 32, access: 'rw1c', spec: '82576 8.20' },
  MANC: { at: 0x5820, width: 32, access: 'rw', spec: '82576 8.21' },
})

/**
 * Registers of queues 0..3, and interrupt registers, as older members of the family placed them; the same registers
 * answer at both places.
 */
export const QUEUE_ALIASES = { receive: 0x2800, transmit: 0x3800, stride: 0x100, queues: 4 } as const
export const INTERRUPT_ALIASES = {
  ICR: 0x00c0,
  EITR0: 0x00c4,
  ICS: 0x00c8,
  IMS: 0x00d0,
  IMC: 0x00d8,
  IAM: 0x00e0,
} as const

/** MDIC.OP. */
export const MDIC_OPERATION = { write: 1, read: 2 } as const

/** Registers of the internal copper PHY (16 bits each, address 1), and what this one answers: 8.25, IEEE 802.3 22.2.4. */
export const phy = {
  address: 1,
  PCTRL: 0,
  PSTATUS: 1,
  PHYID1: 2,
  PHYID2: 3,
  ANA: 4,
  ANLPA: 5,
  ANE: 6,
  GCON: 9,
  GSTATUS: 10,
  ESTATUS: 15,
  PCONF: 16,
  PSTAT: 17,
  PCONT: 18,
  PLINK: 19,
  PPWR: 25,
  /** The 82576's internal PHY. */
  id: [0x02a8, 0x0391],
} as const

/** Bits of PCTRL (register 0). */
export const PCTRL = {
  SPEED_1000: 1 << 6,
  RESTART_AUTONEGOTIATION: 1 << 9,
  POWER_DOWN: 1 << 11,
  AUTONEGOTIATION: 1 << 12,
  LOOPBACK: 1 << 14,
  RESET: 1 << 15,
} as const
/** Bits of PSTATUS (register 1). */
export const PSTATUS = {
  LINK: 1 << 2,
  AUTONEGOTIATION_ABLE: 1 << 3,
  AUTONEGOTIATION_COMPLETE: 1 << 5,
  EXTENDED_STATUS: 1 << 8,
} as const

/** Words of the NVM: 6.2. The 16-bit sum of words 0..0x3f is NVM_SUM. */
export const NVM_WORD = {
  MAC: 0x00,
  COMPATIBILITY: 0x03,
  VERSION: 0x05,
  PBA: 0x08,
  INITIALIZATION_CONTROL_1: 0x0a,
  SUBSYSTEM_ID: 0x0b,
  SUBSYSTEM_VENDOR: 0x0c,
  DEVICE_ID: 0x0d,
  VENDOR_ID: 0x0e,
  INITIALIZATION_CONTROL_2: 0x0f,
  INITIALIZATION_CONTROL_3: 0x24,
  CHECKSUM: 0x3f,
} as const
export const NVM_SUM = 0xbaba
