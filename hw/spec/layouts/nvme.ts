/** NVM Express 1.4: what lies in memory between host and controller. */
import { layout } from '../layout.ts'

/** Submission queue entry with PRPs (PSDT 0). */
export const submissionEntry = layout(64, 'NVMe 1.4 4.2', {
  CDW0: { at: 0, bytes: 4, fields: { OPC: [7, 0], FUSE: [9, 8], PSDT: [15, 14], CID: [31, 16] } },
  NSID: { at: 4, bytes: 4 },
  MPTR: { at: 16, bytes: 8 },
  PRP1: { at: 24, bytes: 8 },
  PRP2: { at: 32, bytes: 8 },
  CDW10: { at: 40, bytes: 4 },
  CDW11: { at: 44, bytes: 4 },
  CDW12: { at: 48, bytes: 4 },
  CDW13: { at: 52, bytes: 4 },
  CDW14: { at: 56, bytes: 4 },
  CDW15: { at: 60, bytes: 4 },
})

/** Read, Write, Write Zeroes: the dwords that differ from the common entry. NLB is zero based. */
export const readWriteCommand = layout(64, 'NVMe 1.4 6.9', {
  SLBA: { at: 40, bytes: 8 },
  CDW12: { at: 48, bytes: 4, fields: { NLB: [15, 0], DEAC: 25, PRINFO: [29, 26], FUA: 30, LR: 31 } },
})

/** Create I/O Submission Queue and Create I/O Completion Queue: CDW10 and CDW11. QSIZE is zero based. */
export const createQueueCommand = layout(64, 'NVMe 1.4 5.3, 5.4', {
  CDW10: { at: 40, bytes: 4, fields: { QID: [15, 0], QSIZE: [31, 16] } },
  /** PC and IEN of a completion queue, with its vector IV; QPRIO and CQID of a submission queue. */
  CDW11: { at: 44, bytes: 4, fields: { PC: 0, IEN: 1, IV: [31, 16], QPRIO: [2, 1], CQID: [31, 16] } },
})

/** Completion queue entry. P is the phase tag; SC and SCT stand right above it. */
export const completionEntry = layout(16, 'NVMe 1.4 4.6', {
  DW0: { at: 0, bytes: 4 },
  DW1: { at: 4, bytes: 4 },
  DW2: { at: 8, bytes: 4, fields: { SQHD: [15, 0], SQID: [31, 16] } },
  DW3: {
    at: 12,
    bytes: 4,
    fields: { CID: [15, 0], P: 16, SC: [24, 17], SCT: [27, 25], CRD: [29, 28], M: 30, DNR: 31 },
  },
})

/** One range of Dataset Management. */
export const datasetRange = layout(16, 'NVMe 1.4 6.7.1', {
  CATTR: { at: 0, bytes: 4 },
  NLB: { at: 4, bytes: 4 },
  SLBA: { at: 8, bytes: 8 },
})

/** Identify Controller; the ASCII members are padded with blanks ({@link identifyControllerText}). */
export const identifyController = layout(4096, 'NVMe 1.4 5.15.2.2', {
  VID: { at: 0, bytes: 2 },
  SSVID: { at: 2, bytes: 2 },
  RAB: { at: 72, bytes: 1 },
  CMIC: { at: 76, bytes: 1 },
  MDTS: { at: 77, bytes: 1 },
  CNTLID: { at: 78, bytes: 2 },
  VER: { at: 80, bytes: 4 },
  OAES: { at: 92, bytes: 4 },
  CTRATT: { at: 96, bytes: 4 },
  CNTRLTYPE: { at: 111, bytes: 1 },
  OACS: { at: 256, bytes: 2 },
  ACL: { at: 258, bytes: 1 },
  AERL: { at: 259, bytes: 1 },
  FRMW: { at: 260, bytes: 1 },
  LPA: { at: 261, bytes: 1 },
  ELPE: { at: 262, bytes: 1 },
  NPSS: { at: 263, bytes: 1 },
  WCTEMP: { at: 266, bytes: 2 },
  CCTEMP: { at: 268, bytes: 2 },
  SQES: { at: 512, bytes: 1, fields: { minimum: [3, 0], maximum: [7, 4] } },
  CQES: { at: 513, bytes: 1, fields: { minimum: [3, 0], maximum: [7, 4] } },
  MAXCMD: { at: 514, bytes: 2 },
  NN: { at: 516, bytes: 4 },
  ONCS: { at: 520, bytes: 2, fields: { DSM: 2, WRITE_ZEROES: 3 } },
  FUSES: { at: 522, bytes: 2 },
  FNA: { at: 524, bytes: 1 },
  VWC: { at: 525, bytes: 1, fields: { PRESENT: 0 } },
  AWUN: { at: 526, bytes: 2 },
  AWUPF: { at: 528, bytes: 2 },
  SGLS: { at: 536, bytes: 4 },
  /** Power state 0: maximum power in centiwatts. */
  PSD0_MP: { at: 2048, bytes: 2 },
})

/** Text in Identify Controller: serial number, model number, firmware revision, subsystem NQN. */
export const identifyControllerText = {
  SN: { at: 4, bytes: 20 },
  MN: { at: 24, bytes: 40 },
  FR: { at: 64, bytes: 8 },
  SUBNQN: { at: 768, bytes: 256 },
} as const

export const identifyNamespace = layout(4096, 'NVMe 1.4 5.15.2.1', {
  NSZE: { at: 0, bytes: 8 },
  NCAP: { at: 8, bytes: 8 },
  NUSE: { at: 16, bytes: 8 },
  NSFEAT: { at: 24, bytes: 1 },
  NLBAF: { at: 25, bytes: 1 },
  FLBAS: { at: 26, bytes: 1, fields: { FORMAT: [3, 0] } },
  DLFEAT: { at: 33, bytes: 1, fields: { READ: [2, 0], WRITE_ZEROES: 3 } },
  NGUID: { at: 104, bytes: 16 },
  EUI64: { at: 120, bytes: 8 },
  /** LBA format 0: LBADS is the sector size as a power of two. */
  LBAF0: { at: 128, bytes: 4, fields: { MS: [15, 0], LBADS: [23, 16], RP: [25, 24] } },
})

/** One descriptor of the namespace identification list; its identifier follows. */
export const namespaceDescriptor = layout(4, 'NVMe 1.4 5.15.2.3', {
  NIDT: { at: 0, bytes: 1 },
  NIDL: { at: 1, bytes: 1 },
})

export const smartLog = layout(512, 'NVMe 1.4 5.14.1.2', {
  CRITICAL_WARNING: { at: 0, bytes: 1, fields: { SPARE: 0, TEMPERATURE: 1, RELIABILITY: 2, READ_ONLY: 3, BACKUP: 4 } },
  TEMPERATURE: { at: 1, bytes: 2 },
  AVAILABLE_SPARE: { at: 3, bytes: 1 },
  AVAILABLE_SPARE_THRESHOLD: { at: 4, bytes: 1 },
  PERCENTAGE_USED: { at: 5, bytes: 1 },
  /** In thousands of 512-byte units, rounded up. */
  DATA_UNITS_READ: { at: 32, bytes: 16 },
  DATA_UNITS_WRITTEN: { at: 48, bytes: 16 },
  HOST_READ_COMMANDS: { at: 64, bytes: 16 },
  HOST_WRITE_COMMANDS: { at: 80, bytes: 16 },
  POWER_CYCLES: { at: 112, bytes: 16 },
  POWER_ON_HOURS: { at: 128, bytes: 16 },
  UNSAFE_SHUTDOWNS: { at: 144, bytes: 16 },
  MEDIA_ERRORS: { at: 160, bytes: 16 },
  ERROR_LOG_ENTRIES: { at: 176, bytes: 16 },
})

export const errorLogEntry = layout(64, 'NVMe 1.4 5.14.1.1', {
  ERROR_COUNT: { at: 0, bytes: 8 },
  SQID: { at: 8, bytes: 2 },
  CID: { at: 10, bytes: 2 },
  /** The status field with its phase bit's place. */
  STATUS: { at: 12, bytes: 2 },
  LOCATION: { at: 14, bytes: 2 },
  LBA: { at: 16, bytes: 8 },
  NSID: { at: 24, bytes: 4 },
})
