/** Two harts: one asks the other for an acknowledgement by an inter-processor interrupt, and polls for it. */
import type { HartPort, Software } from '../../../../hw/port.ts'
import { CLINT } from './addresses.ts'

/** Looks at the flag so often before it queues itself again. */
const BUDGET = 4

export interface PairAddresses {
  readonly flag: number
  readonly polls: number
  readonly poll: number
  readonly acknowledged: number
  readonly back: number
}

export function pair({ flag, polls, poll, acknowledged, back }: PairAddresses): Software {
  function ask(port: HartPort): void {
    port.store32(CLINT + 4, 1)
    port.jump(poll)
  }

  function waitForAnswer(port: HartPort): void {
    port.add32(polls, 1)
    for (let i = 0; i < BUDGET; i++) {
      if (port.load32(flag) !== 0) {
        port.jump(acknowledged)
        return
      }
    }
    port.jump(poll)
  }

  function answer(port: HartPort): void {
    port.store32(CLINT + port.hart * 4, 0)
    port.store32(flag, 1)
    port.jump(back)
  }

  return { name: 'pair', entries: [ask, waitForAnswer, answer], state: {} }
}
