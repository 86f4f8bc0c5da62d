/** NVM Express 1.4: the controller's registers in BAR0, and the numbers that commands are spoken in. */
import { registers } from '../registers.ts'

/** Queue pairs that this controller has doorbells for, the admin pair (0) included. */
export const QUEUE_PAIRS = 17

export const nvme = registers({
  CAP: {
    at: 0x00,
    width: 64,
    access: 'ro',
    reset: 0x20_1401_03ff,
    spec: 'NVMe 1.4 3.1.1',
    fields: {
      MQES: [15, 0],
      CQR: 16,
      AMS: [18, 17],
      TO: [31, 24],
      DSTRD: [35, 32],
      NSSRS: 36,
      CSS: [44, 37],
      BPS: 45,
      MPSMIN: [51, 48],
      MPSMAX: [55, 52],
      PMRS: 56,
      CMBS: 57,
    },
  },
  VS: {
    at: 0x08,
    width: 32,
    access: 'ro',
    reset: 0x0001_0400,
    spec: 'NVMe 1.4 3.1.2',
    fields: { MJR: [31, 16], MNR: [15, 8], TER: [7, 0] },
  },
  INTMS: { at: 0x0c, width: 32, access: 'rw', spec: 'NVMe 1.4 3.1.3', fields: { IVMS: [31, 0] } },
  INTMC: { at: 0x10, width: 32, access: 'rw', spec: 'NVMe 1.4 3.1.4', fields: { IVMC: [31, 0] } },
  CC: {
    at: 0x14,
    width: 32,
    access: 'rw',
    spec: 'NVMe 1.4 3.1.5',
    fields: { EN: 0, CSS: [6, 4], MPS: [10, 7], AMS: [13, 11], SHN: [15, 14], IOSQES: [19, 16], IOCQES: [23, 20] },
  },
  CSTS: {
    at: 0x1c,
    width: 32,
    access: 'ro',
    spec: 'NVMe 1.4 3.1.6',
    fields: { RDY: 0, CFS: 1, SHST: [3, 2], NSSRO: 4, PP: 5 },
  },
  AQA: { at: 0x24, width: 32, access: 'rw', spec: 'NVMe 1.4 3.1.8', fields: { ASQS: [11, 0], ACQS: [27, 16] } },
  ASQ: { at: 0x28, width: 64, access: 'rw', spec: 'NVMe 1.4 3.1.9', fields: { ASQB: [63, 12] } },
  ACQ: { at: 0x30, width: 64, access: 'rw', spec: 'NVMe 1.4 3.1.10', fields: { ACQB: [63, 12] } },
  SQTDBL: {
    at: 0x1000,
    width: 32,
    access: 'wo',
    count: QUEUE_PAIRS,
    stride: 8,
    spec: 'NVMe 1.4 3.1.24',
    fields: { SQT: [15, 0] },
  },
  CQHDBL: {
    at: 0x1004,
    width: 32,
    access: 'wo',
    count: QUEUE_PAIRS,
    stride: 8,
    spec: 'NVMe 1.4 3.1.25',
    fields: { CQH: [15, 0] },
  },
})

/** CSTS.SHST. */
export const SHUTDOWN = { normal: 0, occurring: 1, complete: 2 } as const

/** Admin command opcodes: NVMe 1.4 section 5. */
export const ADMIN = {
  DELETE_IO_SQ: 0x00,
  CREATE_IO_SQ: 0x01,
  GET_LOG_PAGE: 0x02,
  DELETE_IO_CQ: 0x04,
  CREATE_IO_CQ: 0x05,
  IDENTIFY: 0x06,
  ABORT: 0x08,
  SET_FEATURES: 0x09,
  GET_FEATURES: 0x0a,
  ASYNC_EVENT_REQUEST: 0x0c,
} as const

/** NVM command opcodes: NVMe 1.4 section 6. */
export const NVM = { FLUSH: 0x00, WRITE: 0x01, READ: 0x02, WRITE_ZEROES: 0x08, DATASET_MANAGEMENT: 0x09 } as const

/** Feature identifiers: NVMe 1.4 5.21.1. */
export const FEATURE = {
  ARBITRATION: 0x01,
  POWER_MANAGEMENT: 0x02,
  TEMPERATURE_THRESHOLD: 0x04,
  ERROR_RECOVERY: 0x05,
  VOLATILE_WRITE_CACHE: 0x06,
  NUMBER_OF_QUEUES: 0x07,
  INTERRUPT_COALESCING: 0x08,
  INTERRUPT_VECTOR_CONFIGURATION: 0x09,
  WRITE_ATOMICITY_NORMAL: 0x0a,
  ASYNC_EVENT_CONFIGURATION: 0x0b,
} as const

/** Log page identifiers: NVMe 1.4 5.14.1. */
export const LOG = { ERROR: 0x01, SMART: 0x02, FIRMWARE_SLOT: 0x03 } as const

/** Identify CNS values: NVMe 1.4 5.15.1. */
export const CNS = { NAMESPACE: 0x00, CONTROLLER: 0x01, ACTIVE_NAMESPACES: 0x02, NAMESPACE_DESCRIPTORS: 0x03 } as const

/** Status values as they stand in the completion entry's SCT:SC, `SCT << 8 | SC`: NVMe 1.4 4.6.1. */
export const STATUS = {
  SUCCESS: 0x000,
  INVALID_OPCODE: 0x001,
  INVALID_FIELD: 0x002,
  COMMAND_ID_CONFLICT: 0x003,
  DATA_TRANSFER_ERROR: 0x004,
  ABORTED_POWER_LOSS: 0x005,
  INTERNAL_ERROR: 0x006,
  ABORT_REQUESTED: 0x007,
  ABORTED_SQ_DELETION: 0x008,
  COMMAND_SEQUENCE_ERROR: 0x00c,
  INVALID_NAMESPACE: 0x00b,
  INVALID_PRP_OFFSET: 0x013,
  LBA_OUT_OF_RANGE: 0x080,
  INVALID_CQ: 0x100,
  INVALID_QUEUE_ID: 0x101,
  INVALID_QUEUE_SIZE: 0x102,
  ABORT_LIMIT: 0x103,
  ASYNC_EVENT_LIMIT: 0x105,
  INVALID_INTERRUPT_VECTOR: 0x108,
  INVALID_LOG_PAGE: 0x109,
  INVALID_QUEUE_DELETION: 0x10c,
  FEATURE_NOT_SAVEABLE: 0x10d,
  FEATURE_NOT_CHANGEABLE: 0x10e,
  WRITE_FAULT: 0x280,
  UNRECOVERED_READ_ERROR: 0x281,
} as const

/** PCI class of a controller with this programming interface: NVMe 1.4 2.1.5. */
export const NVME_CLASS = 0x01_0802
/** Our drive's own identity: no vendor has this number. */
export const NVME_VENDOR = 0xba5e
export const NVME_DEVICE = 0x0001
