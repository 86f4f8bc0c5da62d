/** Hypervisor CSRs, and the VS CSRs that stand in for the supervisor's when V=1. */
import { csr, type Csr } from '../csr.ts'
import { rule } from '../sources.ts'

/** The interrupts of VS-level: VSSI VSTI VSEI. */
export const VS_INTERRUPTS = 0x444n

export const hstatus = csr(
  'hstatus',
  0x600,
  rule('hstatus_op'),
  {
    VSBE: [5, 5, { fixed: 0 }],
    GVA: [6, 6, 'rw'],
    SPV: [7, 7, 'rw'],
    SPVP: [8, 8, 'rw'],
    HU: [9, 9, 'rw'],
    // No more than GEILEN, which is 0 on a board without guest interrupt files.
    VGEIN: [17, 12, 'rw'],
    VTVM: [20, 20, 'rw'],
    VTW: [21, 21, 'rw'],
    VTSR: [22, 22, 'rw'],
    VSXL: [33, 32, { fixed: 2 }],
  },
  { reset: 0x2_0000_0000n },
)
/** Bits 0 (as in medeleg), 9 to 11 (ecall from HS, VS and M), 16 and up (double trap, guest-page faults, virtual instruction) are read-only zero. */
export const hedeleg = csr('hedeleg', 0x602, rule('hedeleg_op'), {
  FetchAccess_to_ECALL_U: [8, 1, 'rw'],
  PageFaults: [13, 12, 'rw'],
  StorePageFault: [15, 15, 'rw'],
})
export const hideleg = csr('hideleg', 0x603, rule('hideleg_op'), {
  VSSI: [2, 2, 'rw'],
  VSTI: [6, 6, 'rw'],
  VSEI: [10, 10, 'rw'],
})
export const hvip = csr('hvip', 0x645, rule('hvip_acc'), {
  VSSIP: [2, 2, 'rw'],
  VSTIP: [6, 6, 'rw'],
  VSEIP: [10, 10, 'rw'],
})
export const hip = csr(
  'hip',
  0x644,
  rule('hip_acc'),
  {
    VSSIP: [2, 2, 'rw'],
    VSTIP: [6, 6, 'ro'],
    VSEIP: [10, 10, 'ro'],
    SGEIP: [12, 12, 'ro'],
  },
  { alias: { of: 'mip', mask: 0x1444n } },
)
export const hie = csr(
  'hie',
  0x604,
  rule('hie_acc'),
  {
    VSSIE: [2, 2, 'rw'],
    VSTIE: [6, 6, 'rw'],
    VSEIE: [10, 10, 'rw'],
    SGEIE: [12, 12, 'rw'],
  },
  { alias: { of: 'mie', mask: 0x1444n } },
)
/** Bits beyond GEILEN, the board's number of guest interrupt files, are zero. */
export const hgeip = csr('hgeip', 0xe12, rule('hgeip_op'), { Interrupts: [63, 1, { fixed: 0 }] })
export const hgeie = csr('hgeie', 0x607, rule('hgeie_op'), { Interrupts: [31, 1, 'rw'] })
export const henvcfg = csr('henvcfg', 0x60a, rule('henvcfg_op'), {
  FIOM: [0, 0, 'rw'],
  CBIE: [5, 4, { warl: [0, 1, 3] }],
  CBCFE: [6, 6, 'rw'],
  CBZE: [7, 7, 'rw'],
  ADUE: [61, 61, 'rw'],
  PBMTE: [62, 62, 'rw'],
  STCE: [63, 63, 'rw'],
})
export const hcounteren = csr('hcounteren', 0x606, rule('hcounteren_op'), { All: [31, 0, 'rw'] })
export const htimedelta = csr('htimedelta', 0x605, rule('htimedelta_op'), { Value: [63, 0, 'rw'] })
export const htval = csr('htval', 0x643, rule('htval_op'), { Value: [63, 0, 'rw'] })
export const htinst = csr('htinst', 0x64a, rule('htinst_op'), { Value: [63, 0, 'rw'] })
export const hgatp = csr('hgatp', 0x680, rule('hgatp_op'), {
  MODE: [63, 60, { warl: [0, 8, 9] }],
  VMID: [57, 44, 'rw'],
  // The root table is 16 KiB: PPN[1:0] read as zero.
  PPN: [43, 2, 'rw'],
})

export const vsstatus = csr(
  'vsstatus',
  0x200,
  rule('vsstatus_op'),
  {
    SIE: [1, 1, 'rw'],
    SPIE: [5, 5, 'rw'],
    UBE: [6, 6, { fixed: 0 }],
    SPP: [8, 8, 'rw'],
    VS: [10, 9, { fixed: 0 }],
    FS: [14, 13, 'rw'],
    XS: [16, 15, { fixed: 0 }],
    SUM: [18, 18, 'rw'],
    MXR: [19, 19, 'rw'],
    UXL: [33, 32, { fixed: 2 }],
    SD: [63, 63, 'ro'],
  },
  { reset: 0x2_0000_0000n },
)
/** vsie and vsip show hie and hip shifted right by one, where hideleg lets them. */
export const vsie = csr(
  'vsie',
  0x204,
  rule('vsip_vsie_op'),
  {
    SSIE: [1, 1, 'rw'],
    STIE: [5, 5, 'rw'],
    SEIE: [9, 9, 'rw'],
  },
  { alias: { of: 'mie', mask: VS_INTERRUPTS } },
)
export const vsip = csr(
  'vsip',
  0x244,
  rule('vsip_vsie_op'),
  {
    SSIP: [1, 1, 'rw'],
    STIP: [5, 5, 'ro'],
    SEIP: [9, 9, 'ro'],
  },
  { alias: { of: 'mip', mask: VS_INTERRUPTS } },
)
export const vstvec = csr('vstvec', 0x205, rule('vstvec_op'), { MODE: [1, 0, { warl: [0, 1] }], BASE: [63, 2, 'rw'] })
export const vsscratch = csr('vsscratch', 0x240, rule('vsscratch_op'), { Value: [63, 0, 'rw'] })
export const vsepc = csr('vsepc', 0x241, rule('VSEPC_WARL'), { PC: [63, 1, 'rw'] })
export const vscause = csr('vscause', 0x242, rule('vscause_op'), { Code: [5, 0, 'wlrl'], Interrupt: [63, 63, 'rw'] })
export const vstval = csr('vstval', 0x243, rule('vstval_op'), { Value: [63, 0, 'rw'] })
export const vstimecmp = csr(
  'vstimecmp',
  0x24d,
  rule('vstimecmp_sz'),
  { Value: [63, 0, 'rw'] },
  { reset: (1n << 64n) - 1n },
)
export const vsatp = csr('vsatp', 0x280, rule('vsatp_op'), {
  MODE: [63, 60, { warl: [0, 8, 9] }],
  ASID: [59, 44, 'rw'],
  PPN: [43, 0, 'rw'],
})

export const HYPERVISOR_CSRS: readonly Csr[] = [
  hstatus,
  hedeleg,
  hideleg,
  hvip,
  hip,
  hie,
  hgeip,
  hgeie,
  henvcfg,
  hcounteren,
  htimedelta,
  htval,
  htinst,
  hgatp,
  vsstatus,
  vsie,
  vstvec,
  vsscratch,
  vsepc,
  vscause,
  vstval,
  vsip,
  vstimecmp,
  vsatp,
]
