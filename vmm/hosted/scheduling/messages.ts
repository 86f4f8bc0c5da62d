/** What harts are interrupted for by others, as bits: to look at what is wanted of them; to take in threads that have been woken; to end the turn in time, for others wait now. */
import type { HartPort } from '../../../hw/port.ts'
import { sendTo } from './time-keeping.ts'

export const LOOK = 0
export const WAKE = 1
export const TURN = 2

/** Tells a hart; it is interrupted when this one leaves the kernel (`kicks`: by hart, whom it interrupts then). */
export function tell(port: HartPort, kicks: Int32Array, hart: number, what: number): void {
  sendTo(port, hart, 1 << what)
  kicks[port.hart] |= 1 << hart
}
