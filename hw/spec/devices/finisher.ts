/** SiFive's test finisher: one register that ends the machine's run. The device tree calls it syscon. */
import { registers } from '../registers.ts'

export const finisher = registers({
  FINISHER: {
    at: 0,
    width: 32,
    access: 'rw',
    spec: 'SiFive test finisher',
    fields: { STATUS: [15, 0], CODE: [31, 16] },
  },
})

/** FINISHER.STATUS: what a write asks for. */
export const FINISHER_STATUS = { FAIL: 0x3333, PASS: 0x5555, RESET: 0x7777 } as const
