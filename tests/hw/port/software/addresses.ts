/** The map of the test bed. */
export const RAM = 0x8000_0000
export const CLINT = 0x200_0000
export const FINISHER = 0x10_0000
export const CYCLES_PER_TICK = 10
