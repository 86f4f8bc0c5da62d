/**
 * Where the firmware keeps what: each hart's scratch block, which mscratch points to.
 *
 *   0x00 ra  0x08 t0–t6  0x40 a0–a7  0x80 s0 s1  0x90 the interrupted sp
 *   0x98 hart id  0xa0 state (HSM)  0xa8 start address  0xb0 opaque  0xb8 events
 */
export const SCRATCH_SHIFT = 8
export const FRAME = {
  ra: 0x00,
  t0: 0x08,
  t1: 0x10,
  t2: 0x18,
  t3: 0x20,
  t4: 0x28,
  t5: 0x30,
  t6: 0x38,
  a0: 0x40,
  a1: 0x48,
  a2: 0x50,
  a3: 0x58,
  a4: 0x60,
  a5: 0x68,
  a6: 0x70,
  a7: 0x78,
  s0: 0x80,
  s1: 0x88,
  sp: 0x90,
} as const
export const HART_ID = 0x98
export const STATE = 0xa0
export const START_ADDRESS = 0xa8
export const OPAQUE = 0xb0
export const EVENTS = 0xb8

/** Bits of a hart's events word: why its machine software interrupt was raised. */
export const EVENT_IPI = 1
export const EVENT_FENCE = 2
