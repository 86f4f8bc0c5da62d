/** Supervisor-level CSRs. When V=1 their numbers reach the CSRs named by `virtual`. */
import { csr, type Csr } from '../csr.ts'
import { rule } from '../sources.ts'

/** The bits of mstatus that sstatus shows: SIE SPIE UBE SPP VS FS XS SUM MXR UXL SD. */
export const SSTATUS_MASK = 0x8000_0003_000d_e762n
/** The interrupts that sie and sip can show: SSI STI SEI. */
export const SUPERVISOR_INTERRUPTS = 0x222n

export const sstatus = csr(
  'sstatus',
  0x100,
  rule('sstatus_acc'),
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
  { alias: { of: 'mstatus', mask: SSTATUS_MASK }, virtual: 'vsstatus' },
)
export const sie = csr(
  'sie',
  0x104,
  rule('sie_acc'),
  {
    SSIE: [1, 1, 'rw'],
    STIE: [5, 5, 'rw'],
    SEIE: [9, 9, 'rw'],
  },
  { alias: { of: 'mie', mask: SUPERVISOR_INTERRUPTS }, virtual: 'vsie' },
)
export const sip = csr(
  'sip',
  0x144,
  rule('sip_acc'),
  {
    SSIP: [1, 1, 'rw'],
    STIP: [5, 5, 'ro'],
    SEIP: [9, 9, 'ro'],
  },
  { alias: { of: 'mip', mask: SUPERVISOR_INTERRUPTS }, virtual: 'vsip' },
)
export const stvec = csr(
  'stvec',
  0x105,
  rule('stvec_op'),
  { MODE: [1, 0, { warl: [0, 1] }], BASE: [63, 2, 'rw'] },
  { virtual: 'vstvec' },
)
export const scounteren = csr('scounteren', 0x106, rule('scounteren_op'), { All: [31, 0, 'rw'] })
export const senvcfg = csr('senvcfg', 0x10a, rule('senvcfg_acc'), {
  FIOM: [0, 0, 'rw'],
  CBIE: [5, 4, { warl: [0, 1, 3] }],
  CBCFE: [6, 6, 'rw'],
  CBZE: [7, 7, 'rw'],
})
export const sscratch = csr('sscratch', 0x140, rule('sscratch_acc'), { Value: [63, 0, 'rw'] }, { virtual: 'vsscratch' })
export const sepc = csr('sepc', 0x141, rule('sepc_acc'), { PC: [63, 1, 'rw'] }, { virtual: 'vsepc' })
export const scause = csr(
  'scause',
  0x142,
  rule('scause_acc'),
  { Code: [5, 0, 'wlrl'], Interrupt: [63, 63, 'rw'] },
  { virtual: 'vscause' },
)
export const stval = csr('stval', 0x143, rule('stval_acc'), { Value: [63, 0, 'rw'] }, { virtual: 'vstval' })
export const stimecmp = csr(
  'stimecmp',
  0x14d,
  rule('stimecmp_stimecmph_sz_acc'),
  { Value: [63, 0, 'rw'] },
  {
    virtual: 'vstimecmp',
    reset: (1n << 64n) - 1n,
  },
)
/** An unsupported MODE leaves the whole register as it was (satp_mode_op_unsupported). */
export const satp = csr(
  'satp',
  0x180,
  rule('satp_op'),
  {
    MODE: [63, 60, { warl: [0, 8, 9] }],
    ASID: [59, 44, 'rw'],
    PPN: [43, 0, 'rw'],
  },
  { virtual: 'vsatp' },
)

export const SUPERVISOR_CSRS: readonly Csr[] = [
  sstatus,
  sie,
  stvec,
  scounteren,
  senvcfg,
  sscratch,
  sepc,
  scause,
  stval,
  sip,
  stimecmp,
  satp,
]
