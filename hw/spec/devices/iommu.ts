/** The RISC-V IOMMU's registers, by the names of its specification. Ours has no page requests (ATS), no process directories, no counters. */
import { registers } from '../registers.ts'

export const iommu = registers({
  capabilities: {
    at: 0,
    width: 64,
    access: 'ro',
    spec: 'IOMMU capabilities',
    fields: {
      version: [7, 0],
      Sv39: 9,
      Sv48: 10,
      Svpbmt: 15,
      Sv39x4: 17,
      Sv48x4: 18,
      MSI_FLAT: 22,
      AMO_HWAD: 24,
      IGS: [29, 28],
      DBG: 31,
      PAS: [37, 32],
    },
  },
  fctl: { at: 8, width: 32, access: 'rw', spec: 'IOMMU fctl', fields: { BE: 0, WSI: 1, GXL: 2 } },
  ddtp: {
    at: 16,
    width: 64,
    access: 'rw',
    spec: 'IOMMU ddtp',
    fields: { iommu_mode: [3, 0], busy: 4, PPN: [53, 10] },
  },
  cqb: { at: 24, width: 64, access: 'rw', spec: 'IOMMU cqb', fields: { LOG2SZ: [4, 0], PPN: [53, 10] } },
  cqh: { at: 32, width: 32, access: 'ro', spec: 'IOMMU cqh' },
  cqt: { at: 36, width: 32, access: 'rw', spec: 'IOMMU cqt' },
  fqb: { at: 40, width: 64, access: 'rw', spec: 'IOMMU fqb', fields: { LOG2SZ: [4, 0], PPN: [53, 10] } },
  fqh: { at: 48, width: 32, access: 'rw', spec: 'IOMMU fqh' },
  fqt: { at: 52, width: 32, access: 'ro', spec: 'IOMMU fqt' },
  cqcsr: {
    at: 72,
    width: 32,
    access: 'rw',
    spec: 'IOMMU cqcsr',
    fields: { cqen: 0, cie: 1, cqmf: 8, cmd_to: 9, cmd_ill: 10, fence_w_ip: 11, cqon: 16, busy: 17 },
  },
  fqcsr: {
    at: 76,
    width: 32,
    access: 'rw',
    spec: 'IOMMU fqcsr',
    fields: { fqen: 0, fie: 1, fqmf: 8, fqof: 9, fqon: 16, busy: 17 },
  },
  ipsr: { at: 84, width: 32, access: 'rw1c', spec: 'IOMMU ipsr', fields: { cip: 0, fip: 1, pmip: 2, pip: 3 } },
  tr_req_iova: { at: 600, width: 64, access: 'rw', spec: 'IOMMU Translation request IOVA' },
  tr_req_ctl: {
    at: 608,
    width: 64,
    access: 'rw',
    spec: 'IOMMU Translation request control',
    fields: { Go: 0, Priv: 1, Exe: 2, NW: 3, PID: [31, 12], PV: 32, DID: [63, 40] },
  },
  tr_response: {
    at: 616,
    width: 64,
    access: 'ro',
    spec: 'IOMMU Translation response',
    fields: { fault: 0, PBMT: [8, 7], S: 9, PPN: [53, 10] },
  },
  icvec: {
    at: 760,
    width: 64,
    access: 'rw',
    spec: 'IOMMU icvec',
    fields: { civ: [3, 0], fiv: [7, 4], pmiv: [11, 8], piv: [15, 12] },
  },
  /** Messages, by vector: those of ours, which has four. */
  msi_addr: { at: 768, width: 64, access: 'rw', count: 4, stride: 16, spec: 'IOMMU msi' },
  msi_data: { at: 776, width: 32, access: 'rw', count: 4, stride: 16, spec: 'IOMMU msi' },
  msi_vec_ctl: { at: 780, width: 32, access: 'rw', count: 4, stride: 16, spec: 'IOMMU msi', fields: { M: 0 } },
})

/** capabilities.IGS: how it can interrupt. */
export const IOMMU_INTERRUPTS = { MESSAGES: 0, WIRES: 1, BOTH: 2 } as const
export const IOMMU_BYTES = 0x1000
/** ddtp.iommu_mode. */
export const IOMMU_MODE = { OFF: 0, BARE: 1, LVL1: 2, LVL2: 3, LVL3: 4 } as const
