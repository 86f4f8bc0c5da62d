/**
 * Intel 82576: what a virtual function shows (BAR0, 16 KiB): its mailbox, its three interrupt vectors and its two
 * queues, at the places where the physical function has its own. Virtual function n is pool n: queues n and n + 8.
 */
import { registers } from '../registers.ts'

export const NIC_FUNCTION_DEVICE = 0x10ca
export const NIC_FUNCTION_VECTORS = 3
export const NIC_FUNCTION_QUEUES = 2
export const NIC_FUNCTION_BYTES = 0x4000
/** Words of a message. */
export const MAILBOX_WORDS = 16

const queue = { count: NIC_FUNCTION_QUEUES, stride: 0x100 } as const

export const nicFunction = registers({
  VTCTRL: { at: 0x0000, width: 32, access: 'wo', spec: '82576 8.26', fields: { RST: 26 } },
  VTSTATUS: {
    at: 0x0008,
    width: 32,
    access: 'ro',
    spec: '82576 8.26',
    fields: { FD: 0, LU: 1, LAN_ID: [3, 2], SPEED: [7, 6] },
  },
  VTFRTIMER: { at: 0x1048, width: 32, access: 'ro', spec: '82576 8.26' },
  VMBMEM: { at: 0x0800, width: 32, access: 'rw', count: MAILBOX_WORDS, stride: 4, spec: '82576 8.26' },
  /** REQ and ACK are written. PFSTS, PFACK and RSTD are cleared by reading. */
  V2PMAILBOX: {
    at: 0x0c40,
    width: 32,
    access: 'rw',
    spec: '82576 8.26',
    fields: { REQ: 0, ACK: 1, VFU: 2, PFU: 3, PFSTS: 4, PFACK: 5, RSTI: 6, RSTD: 7 },
  },
  PSRTYPE: { at: 0x0f0c, width: 32, access: 'rw', spec: '82576 8.26' },

  VTEICS: { at: 0x1520, width: 32, access: 'wo', spec: '82576 8.26' },
  VTEIMS: { at: 0x1524, width: 32, access: 'rw', spec: '82576 8.26' },
  VTEIMC: { at: 0x1528, width: 32, access: 'wo', spec: '82576 8.26' },
  VTEIAC: { at: 0x152c, width: 32, access: 'rw', spec: '82576 8.26' },
  VTEIAM: { at: 0x1530, width: 32, access: 'rw', spec: '82576 8.26' },
  VTEICR: { at: 0x1580, width: 32, access: 'rc', spec: '82576 8.26' },
  VTEITR: {
    at: 0x1680,
    width: 32,
    access: 'rw',
    count: NIC_FUNCTION_VECTORS,
    stride: 4,
    spec: '82576 8.26',
    fields: { INTERVAL: [14, 2], CNT_INGR: 31 },
  },
  VTIVAR: {
    at: 0x1700,
    width: 32,
    access: 'rw',
    spec: '82576 8.26',
    fields: {
      RX_0: [1, 0],
      RX_0_VALID: 7,
      TX_0: [9, 8],
      TX_0_VALID: 15,
      RX_1: [17, 16],
      RX_1_VALID: 23,
      TX_1: [25, 24],
      TX_1_VALID: 31,
    },
  },
  VTIVAR_MISC: {
    at: 0x1740,
    width: 32,
    access: 'rw',
    spec: '82576 8.26',
    fields: { MAILBOX: [1, 0], MAILBOX_VALID: 7 },
  },

  RDBAL: { at: 0x2800, width: 32, access: 'rw', ...queue, spec: '82576 8.26' },
  RDBAH: { at: 0x2804, width: 32, access: 'rw', ...queue, spec: '82576 8.26' },
  RDLEN: { at: 0x2808, width: 32, access: 'rw', ...queue, spec: '82576 8.26' },
  SRRCTL: { at: 0x280c, width: 32, access: 'rw', reset: 0x400, ...queue, spec: '82576 8.26' },
  RDH: { at: 0x2810, width: 32, access: 'rw', ...queue, spec: '82576 8.26' },
  RDT: { at: 0x2818, width: 32, access: 'rw', ...queue, spec: '82576 8.26' },
  RXDCTL: { at: 0x2828, width: 32, access: 'rw', ...queue, spec: '82576 8.26', fields: { ENABLE: 25 } },
  TDBAL: { at: 0x3800, width: 32, access: 'rw', ...queue, spec: '82576 8.26' },
  TDBAH: { at: 0x3804, width: 32, access: 'rw', ...queue, spec: '82576 8.26' },
  TDLEN: { at: 0x3808, width: 32, access: 'rw', ...queue, spec: '82576 8.26' },
  TDH: { at: 0x3810, width: 32, access: 'rw', ...queue, spec: '82576 8.26' },
  TDT: { at: 0x3818, width: 32, access: 'rw', ...queue, spec: '82576 8.26' },
  TXDCTL: { at: 0x3828, width: 32, access: 'rw', ...queue, spec: '82576 8.26', fields: { ENABLE: 25 } },

  VFGPRC: { at: 0x0f10, width: 32, access: 'ro', spec: '82576 8.26' },
  VFGPTC: { at: 0x0f14, width: 32, access: 'ro', spec: '82576 8.26' },
  VFGORC: { at: 0x0f18, width: 32, access: 'ro', spec: '82576 8.26' },
  VFGOTC: { at: 0x0f34, width: 32, access: 'ro', spec: '82576 8.26' },
  VFMPRC: { at: 0x0f3c, width: 32, access: 'ro', spec: '82576 8.26' },
  VFGPRLBC: { at: 0x0f40, width: 32, access: 'ro', spec: '82576 8.26' },
  VFGPTLBC: { at: 0x0f44, width: 32, access: 'ro', spec: '82576 8.26' },
  VFGORLBC: { at: 0x0f48, width: 32, access: 'ro', spec: '82576 8.26' },
  VFGOTLBC: { at: 0x0f50, width: 32, access: 'ro', spec: '82576 8.26' },
})

/**
 * What drivers say to each other in the mailbox: the first word of a message. Not the card's business but a convention
 * of Intel's drivers, which both sides of ours follow so that either can be another's.
 */
export const MAILBOX = {
  RESET: 1,
  SET_MAC: 2,
  SET_MULTICAST: 3,
  SET_VLAN: 4,
  SET_LENGTH: 5,
  SET_PROMISCUOUS: 6,
  /** From the physical function, unasked: its state has changed. */
  CONTROL: 0x100,
  /** Which of the above, without the rest. */
  TYPE: 0xffff,
  CLEAR_TO_SEND: 0x2000_0000,
  REFUSED: 0x4000_0000,
  DONE: 0x8000_0000,
} as const
