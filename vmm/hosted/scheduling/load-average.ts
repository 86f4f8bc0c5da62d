/**
 * How much a thread, a process or a hart has wanted to run lately, in the manner of Linux's PELT: sums of time in pieces of
 * 1024 µs, each piece worth y less than the one after it, with y to the 32nd a half.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'

/** Times in nanoseconds; sums of time that it was ready or running, ready for its weight, running; and the averages of them. */
export const loadAverage = layout(0x40, 'our own', {
  last: { at: 0x00, bytes: 8 },
  loadSum: { at: 0x08, bytes: 8 },
  runnableSum: { at: 0x10, bytes: 8 },
  runningSum: { at: 0x18, bytes: 8 },
  begun: { at: 0x20, bytes: 4 },
  load: { at: 0x24, bytes: 4 },
  runnable: { at: 0x28, bytes: 4 },
  running: { at: 0x2c, bytes: 4 },
})

const PIECE = 1024
const HALF_LIFE = 32
/** y to the nth, times 65536. */
const DECAY: readonly number[] = [
  65536, 64132, 62757, 61413, 60097, 58809, 57549, 56316, 55109, 53928, 52773, 51642, 50535, 49452, 48393, 47356, 46341,
  45348, 44376, 43425, 42495, 41584, 40693, 39821, 38968, 38133, 37316, 36516, 35734, 34968, 34219, 33486,
]
/** The most that a sum can come to: of pieces of 1024 µs without end. */
const MOST = 47_742

function decayed(sum: number, pieces: number): number {
  if (pieces > HALF_LIFE * 63) return 0
  const halved = Math.floor(sum / 2 ** Math.floor(pieces / HALF_LIFE))
  return Math.floor((halved * DECAY[pieces % HALF_LIFE]) / 65536)
}

/** Brings an average up to now. True if it has changed. */
export function updateLoad(
  port: HartPort,
  at: number,
  now: number,
  weight: number,
  isRunnable: boolean,
  isRunning: boolean,
): boolean {
  const last = port.load64(at + loadAverage.last.at)
  const microseconds = now > last ? Math.floor((now - last) / 1024) : 0
  if (microseconds === 0) return false
  port.store64(at + loadAverage.last.at, last + microseconds * 1024)
  const begun = port.load32(at + loadAverage.begun.at)
  const total = begun + microseconds
  const pieces = Math.floor(total / PIECE)
  const rest = total % PIECE
  let load = port.load64(at + loadAverage.loadSum.at)
  let runnable = port.load64(at + loadAverage.runnableSum.at)
  let running = port.load64(at + loadAverage.runningSum.at)
  let share = microseconds
  if (pieces > 0) {
    load = decayed(load, pieces)
    runnable = decayed(runnable, pieces)
    running = decayed(running, pieces)
    // What was left of the first piece, all whole ones, and the beginning of the last.
    share = decayed(PIECE - begun, pieces) + MOST - decayed(MOST, pieces) - PIECE + rest
  }
  port.store32(at + loadAverage.begun.at, rest)
  if (isRunnable) {
    load += share
    runnable += share
  }
  if (isRunning) running += share
  port.store64(at + loadAverage.loadSum.at, load)
  port.store64(at + loadAverage.runnableSum.at, runnable)
  port.store64(at + loadAverage.runningSum.at, running)
  if (pieces === 0) return false
  const whole = MOST - PIECE + rest
  port.store32(at + loadAverage.load.at, Math.floor((weight * load) / whole))
  port.store32(at + loadAverage.runnable.at, Math.floor((1024 * runnable) / whole))
  port.store32(at + loadAverage.running.at, Math.floor((1024 * running) / whole))
  return true
}
