/**
 * How long threads wait for harts, as Linux's pressure stall information counts it: for the machine and for each process, by
 * hart, the time in which some thread was ready and not running, and in which none ran at all.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'

/** A sequence number (odd while it changes), since when it is as it is (ns), threads that are ready and that run, and the times. */
export const pressure = layout(0x40, 'our own', {
  sequence: { at: 0x00, bytes: 4 },
  state: { at: 0x04, bytes: 4 },
  since: { at: 0x08, bytes: 8 },
  ready: { at: 0x10, bytes: 4 },
  running: { at: 0x14, bytes: 4 },
  some: { at: 0x18, bytes: 8 },
  full: { at: 0x20, bytes: 8 },
  busy: { at: 0x28, bytes: 8 },
})
const SOME = 1
const FULL = 2
const BUSY = 4

/** Threads have become ready or no longer are, run or no longer do. */
export function changePressure(port: HartPort, at: number, now: number, ready: number, running: number): void {
  port.store32(at + pressure.sequence.at, port.load32(at + pressure.sequence.at) + 1)
  const state = port.load32(at + pressure.state.at)
  const elapsed = now - port.load64(at + pressure.since.at)
  port.store64(at + pressure.since.at, now)
  if ((state & SOME) !== 0) port.store64(at + pressure.some.at, port.load64(at + pressure.some.at) + elapsed)
  if ((state & FULL) !== 0) port.store64(at + pressure.full.at, port.load64(at + pressure.full.at) + elapsed)
  if ((state & BUSY) !== 0) port.store64(at + pressure.busy.at, port.load64(at + pressure.busy.at) + elapsed)
  const nowReady = port.load32(at + pressure.ready.at) + ready
  const nowRunning = port.load32(at + pressure.running.at) + running
  port.store32(at + pressure.ready.at, nowReady)
  port.store32(at + pressure.running.at, nowRunning)
  let next = nowReady > nowRunning ? SOME : 0
  if (nowReady > 0 && nowRunning === 0) next |= FULL
  if (nowReady > 0) next |= BUSY
  port.store32(at + pressure.state.at, next)
  port.store32(at + pressure.sequence.at, port.load32(at + pressure.sequence.at) + 1)
}
