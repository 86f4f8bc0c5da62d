/**
 * What the references do otherwise than the manual, or than we may choose: left out of programs, or out of the
 * comparison. Each line says which rule decides.
 */
import type { Recorded } from './arena.ts'
import type { Choices } from './generate.ts'
import type { Mask } from './log.ts'

export type Reference = 'tier0' | 'evaluator' | 'qemu' | 'spike'

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
  }
}

const MASKS: Readonly<Partial<Record<Reference, Readonly<Partial<Record<Recorded, bigint>>>>>> = {
  qemu: {},
  spike: {},
}

/** Bits of the CSRs that are compared when one of two machines is `reference`. */
export function maskFor(references: readonly Reference[]): Mask {
  return name => references.reduce((mask, reference) => mask & (MASKS[reference]?.[name] ?? ALL), ALL)
}
