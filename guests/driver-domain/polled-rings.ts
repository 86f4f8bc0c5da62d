/** Rings that a domain looks at by itself: it says for good that it is awake, so that no guest sends it an event. */
import type { HartPort } from '../../hw/port.ts'
import { ring } from '../../hw/spec/layouts/ring.ts'
import { ringOf } from './channels.ts'

/** The ring has just been opened. */
export function stayAwake(port: HartPort, channel: number): void {
  port.store32(ringOf(channel) + ring.awake.at, 1)
}

/** True if there is a request behind the first `taken`. */
export function isAsked(port: HartPort, channel: number, taken: number): boolean {
  return port.load32(ringOf(channel) + ring.requests.at) !== taken
}
