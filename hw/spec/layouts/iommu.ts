/** What lies in memory between software and the IOMMU: device directory, commands, fault records. */
import { layout } from '../layout.ts'

/** A device context, extended format (capabilities.MSI_FLAT). Doublewords: fields of the high word count from bit 32. */
export const deviceContext = layout(64, 'IOMMU device-context', {
  tc: {
    at: 0,
    bytes: 8,
    fields: {
      V: 0,
      EN_ATS: 1,
      EN_PRI: 2,
      T2GPA: 3,
      DTF: 4,
      PDTV: 5,
      PRPR: 6,
      GADE: 7,
      SADE: 8,
      DPE: 9,
      SBE: 10,
      SXL: 11,
    },
  },
  iohgatp: { at: 8, bytes: 8, fields: { PPN: [43, 0], GSCID: [59, 44], MODE: [63, 60] } },
  ta: { at: 16, bytes: 8, fields: { PSCID: [31, 12] } },
  fsc: { at: 24, bytes: 8, fields: { PPN: [43, 0], MODE: [63, 60] } },
  msiptp: { at: 32, bytes: 8, fields: { PPN: [43, 0], MODE: [63, 60] } },
  msi_addr_mask: { at: 40, bytes: 8 },
  msi_addr_pattern: { at: 48, bytes: 8 },
  reserved: { at: 56, bytes: 8 },
})

/** A non-leaf entry of the device directory, and an MSI page-table entry in basic translate mode: V in bit 0. */
export const directoryEntry = layout(8, 'IOMMU non-leaf DDT entry', {
  entry: { at: 0, bytes: 8, fields: { V: 0, PPN: [53, 10] } },
})
export const msiEntry = layout(16, 'AIA 9.5.1', {
  low: { at: 0, bytes: 8, fields: { V: 0, M: [2, 1], PPN: [53, 10], C: 63 } },
  high: { at: 8, bytes: 8 },
})
/** msiEntry.M: a page of the machine. */
export const MSI_BASIC = 3

export const command = layout(16, 'IOMMU command-queue', {
  first: {
    at: 0,
    bytes: 8,
    fields: {
      opcode: [6, 0],
      func3: [9, 7],
      /** IOTINVAL; IOFENCE has AV in the same place. */
      AV: 10,
      PSCID: [31, 12],
      PSCV: 32,
      GV: 33,
      GSCID: [59, 44],
      /** IOFENCE.C. */
      WSI: 11,
      DATA: [63, 32],
      /** IODIR. */
      DV: 33,
      DID: [63, 40],
    },
  },
  second: { at: 8, bytes: 8, fields: { ADDR: [61, 10] } },
})
export const OPCODE = { IOTINVAL: 1, IOFENCE: 2, IODIR: 3, ATS: 4 } as const

export const faultRecord = layout(32, 'IOMMU fault-queue', {
  first: {
    at: 0,
    bytes: 8,
    fields: { CAUSE: [11, 0], PID: [31, 12], PV: 32, PRIV: 33, TTYP: [39, 34], DID: [63, 40] },
  },
  iotval: { at: 16, bytes: 8 },
  iotval2: { at: 24, bytes: 8 },
})

/** Causes beyond those that harts know. */
export const FAULT = {
  ALL_DISALLOWED: 256,
  DDT_ACCESS: 257,
  DDT_NOT_VALID: 258,
  DDT_MISCONFIGURED: 259,
  TYPE_DISALLOWED: 260,
  MSI_ACCESS: 261,
  MSI_NOT_VALID: 262,
  MSI_MISCONFIGURED: 263,
  MSI_WRITE: 273,
} as const

/** Inbound transaction types, untranslated. */
export const TTYP = { FETCH: 1, READ: 2, WRITE: 3 } as const
