/**
 * What the references do otherwise than the manual, or than we may choose: left out of programs, or out of the
 * comparison. Each line says which rule decides.
 */
import { HYPERVISOR_CSRS } from '../../../hw/spec/csrs/hypervisor.ts'
import { RECORDED, type Recorded } from './arena.ts'
import type { Choices } from './choices.ts'
import type { Agreement } from './log.ts'
import { MODES } from './program.ts'

export type Reference = 'tier0' | 'evaluator' | 'qemu' | 'spike'

const PSEUDOINSTRUCTIONS = [0x2000n, 0x2020n, 0x3000n, 0x3020n]
const ALL = (1n << 64n) - 1n
/** The monitor’s own state, what names an implementation, and triggers, which the references have. */
const MONITOR_CSRS = [
  'mscratch',
  'mtvec',
  'mepc',
  'mvendorid',
  'marchid',
  'mimpid',
  'mconfigptr',
  'misa',
  'pmpaddr2',
  'tselect',
  'tdata1',
  'tdata2',
  'tdata3',
]

/** What programs may contain if all of `references` are to run them alike. */
export function choicesFor(references: readonly Reference[]): Choices {
  const qemu = references.includes('qemu')
  const spike = references.includes('spike')
  const hypervisor = HYPERVISOR_CSRS.map(({ name }) => name)
  return {
    // QEMU 7.2 takes much of the hypervisor extension otherwise than the manual (see docs/conformance.md): it is left out.
    modes: qemu ? ['S', 'U'] : MODES,
    // QEMU 7.2 sets A and D itself, as Svadu does.
    clearAccessed: !qemu,
    // `entry` is our own. QEMU 7.2 has no Zicbom, Zicboz and Zicond, calls the faults of AMOs
    // loads', and lets U-mode execute SFENCE.W.INVAL and SFENCE.INVAL.IR. Its CTZW counts beyond 32 bits.
    without: qemu ? ['entry', 'zicbo', 'zicond', 'h', 'a', 'svinval', 'ctzw'] : ['entry'],
    withoutCsrs: [
      ...MONITOR_CSRS,
      ...(qemu ? ['stimecmp', 'scounteren', ...hypervisor] : []),
      ...(spike ? ['mtinst', 'htinst'] : []),
    ],
    // QEMU 7.2 with Svnapot or Svpbmt does not look at reserved bits any more: it runs without, and N is reserved there.
    withoutFlags: qemu ? 1n << 63n : 0n,
    // Spike answers a misaligned atomic with an access fault, we with an address-misaligned exception: both are allowed.
    // For CBO.ZERO it reports the block's address, where the manual wants that of rs1 (fault_excep_csr). An HSV across pages
    // that faults in the second has written to the first.
    align: spike,
    // QEMU 7.2 lets software change UXL and SXL to what it then does not implement.
    wholeStatus: !qemu,
    memoryTypes: !qemu,
    // Our modelled TLB decides what a missing fence shows, in every executor alike; theirs are others.
    fenced: qemu || spike,
    hypervisor: !qemu,
    // In Spike FIOM is read-only zero, as it may be (menvcfg_fiom_op).
    fiom: !spike,
  }
}

const MASKS: Readonly<Partial<Record<Reference, Readonly<Partial<Record<Recorded, bigint>>>>>> = {
  qemu: {
    ...Object.fromEntries(RECORDED.filter(name => /^(h|vs|mtval2|mtinst|mideleg)/.test(name)).map(name => [name, 0n])),
    // GVA and MPV; FS and SD: an instruction that leaves fcsr as it is need not make FS dirty.
    mstatus: ~((3n << 38n) | (1n << 63n) | 0x6000n) & ALL,
    mip: 0x222n,
    mie: 0x222n,
  },
  spike: {
    // Exceptions 16, 18 and 19 belong to extensions that we do not have.
    medeleg: ~0xd_0000n & ALL,
    hedeleg: ~0xd_0000n & ALL,
  },
}

/** Whether two values of a CSR are alike when one of the two machines is each of `references`. */
export function agreementFor(references: readonly Reference[]): Agreement {
  return (name, left, right) => {
    // Spike leaves mtinst and htinst zero but for the pseudoinstructions of implicit accesses (mtinst_val).
    if ((name === 'mtinst' || name === 'htinst') && references.includes('spike') && (left === 0n || right === 0n)) {
      return !PSEUDOINSTRUCTIONS.includes(left | right)
    }
    // QEMU 7.2 leaves the trap value of ebreak, and of some illegal instructions, zero, as it may.
    if ((name === 'mtval' || name === 'stval') && references.includes('qemu') && (left === 0n || right === 0n))
      return true
    const mask = references.reduce((bits, reference) => bits & (MASKS[reference]?.[name] ?? ALL), ALL)
    return (left & mask) === (right & mask)
  }
}
