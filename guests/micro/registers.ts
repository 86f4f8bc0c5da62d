/** Bits of CSRs, and what stacks take. */

/** sie.SSIE, STIE and SEIE; sstatus.SIE. */
export const SSIE = 1 << 1
export const STIE = 1 << 5
export const SEIE = 1 << 9
export const SIE = 1 << 1
/** scounteren: cycle, time, instret. */
export const COUNTERS = 7
export const STACK_BYTES = 2048
