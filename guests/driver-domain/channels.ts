/** What driver domains have in common: how they find their doorbell page, and where they have guests' rings. */
import { type RingBackend, ringBackend } from '../../drivers/ring-backend.ts'
import type { HartPort } from '../../hw/port.ts'
import { RING_ID } from '../../hw/spec/devices/ring.ts'
import { GRANT_WINDOW } from '../../hw/spec/layouts/grant.ts'
import {
  ring,
  RING_ANSWERS,
  RING_OPEN,
  RING_PAGES,
  RING_REQUESTS,
  RING_SLOTS,
  ringAnswer,
  ringRequest,
} from '../../hw/spec/layouts/ring.ts'
import type { Hardware } from '../scripted/device.ts'

export const PAGE = 4096
/** No device of this class, and no slot with this number. */
export const NO_DEVICE = 0xff_ffff
export const MOST_CHANNELS = 64
/** In the grant window: rings first, then what else is mapped. */
export const DATA_WINDOW = GRANT_WINDOW.base + MOST_CHANNELS * RING_PAGES * PAGE

export const backendHardware: Hardware<RingBackend> = {
  pcieClass: NO_DEVICE,
  virtioId: RING_ID.backend,
  queueDepth: 0,
  physical: ringBackend,
  virtual: ringBackend,
}

export function ringOf(channel: number): number {
  return GRANT_WINDOW.base + channel * RING_PAGES * PAGE
}

/** Has a guest's ring mapped, and opens it. */
export function openRingOf(port: HartPort, backend: RingBackend, channel: number): boolean {
  const at = ringOf(channel)
  for (let page = 0; page < RING_PAGES; page++) backend.add(channel, page, at + page * PAGE, true, 0, 0)
  if (!backend.map()) return false
  port.store32(at + ring.open.at, RING_OPEN.SERVED)
  return true
}

/** True if there is a request behind the first `taken`; otherwise events are wanted from now on. */
export function hasRequest(port: HartPort, channel: number, taken: number): boolean {
  const at = ringOf(channel)
  port.store32(at + ring.awake.at, 1)
  if (port.load32(at + ring.requests.at) !== taken) return true
  port.store32(at + ring.awake.at, 0)
  port.fence()
  // What came in between has sent no event.
  if (port.load32(at + ring.requests.at) === taken) return false
  port.store32(at + ring.awake.at, 1)
  return true
}

/** Where the request behind the first `taken` lies. */
export function requestAt(channel: number, taken: number): number {
  return ringOf(channel) + RING_REQUESTS + (taken % RING_SLOTS) * ringRequest.size
}

/** Puts an answer behind the first `answers`; returns how many there are then. */
export function putAnswer(
  port: HartPort,
  channel: number,
  answers: number,
  tag: number,
  operation: number,
  status: number,
  bytes: number,
): number {
  const at = ringOf(channel)
  const slot = at + RING_ANSWERS + (answers % RING_SLOTS) * ringAnswer.size
  port.store16(slot + ringAnswer.tag.at, tag)
  port.store8(slot + ringAnswer.operation.at, operation)
  port.store8(slot + ringAnswer.status.at, status)
  port.store32(slot + ringAnswer.bytes.at, bytes)
  port.fence()
  const next = (answers + 1) >>> 0
  port.store32(at + ring.answers.at, next)
  return next
}
