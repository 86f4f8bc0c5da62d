/**
 * What the references do otherwise than the manual, or than we may choose: left out of programs, or out of the
 * comparison. Each line says which rule decides.
 */
import type { Recorded } from './arena.ts'
import type { Choices } from './generate.ts'
import type { Agreement } from './log.ts'

export type Reference = 'tier0' | 'evaluator' | 'qemu' | 'spike'

const PSEUDOINSTRUCTIONS = [0x2000n, 0x2020n, 0x3000n, 0x3020n]
const ALL = (1n << 64n) - 1n
/** The monitor’s own state, and what names an implementation. */
const MONITOR_CSRS = ['mscratch', 'mtvec', 'mepc', 'mvendorid', 'marchid', 'mimpid', 'mconfigptr', 'misa', 'pmpaddr2']

/** What programs may contain if all of `references` are to run them alike. */
export function choicesFor(references: readonly Reference[]): Choices {
  const qemu = references.includes('qemu')
  return {
    // QEMU 7.2 sets A and D itself, as Svadu does.
    clearAccessed: !qemu,
    // `entry` is our own. QEMU 7.2 has no Zicbom, Zicboz and Zicond.
    without: qemu ? ['entry', 'zicbo', 'zicond'] : ['entry'],
    withoutCsrs: [...MONITOR_CSRS, ...(qemu ? ['stimecmp', 'vstimecmp'] : [])],
    withoutFlags: 0n,
    // Spike answers a misaligned atomic with an access fault, we with an address-misaligned exception: both are allowed.
    // For CBO.ZERO it reports the block's address, where the manual wants that of rs1 (fault_excep_csr).
    align: references.includes('spike'),
    // In Spike FIOM is read-only zero, as it may be (menvcfg_fiom_op).
    fiom: !references.includes('spike'),
  }
}

const MASKS: Readonly<Partial<Record<Reference, Readonly<Partial<Record<Recorded, bigint>>>>>> = {
  qemu: {},
  spike: {
    // Exceptions 16, 18 and 19 belong to extensions that we do not have.
    medeleg: ~0xd_0000n & ALL, hedeleg: ~0xd_0000n & ALL,
  },
}

/** Whether two values of a CSR are alike when one of the two machines is each of `references`. */
export function agreementFor(references: readonly Reference[]): Agreement {
  return (name, left, right) => {
    // Spike leaves mtinst and htinst zero but for the pseudoinstructions of implicit accesses (mtinst_val).
    if ((name === 'mtinst' || name === 'htinst') && references.includes('spike') && (left === 0n || right === 0n)) {
      return !PSEUDOINSTRUCTIONS.includes(left | right)
    }
    const mask = references.reduce((bits, reference) => bits & (MASKS[reference]?.[name] ?? ALL), ALL)
    return (left & mask) === (right & mask)
  }
}
