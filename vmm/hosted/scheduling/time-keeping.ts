/**
 * The machine's time as the kernel keeps it, and what it notes when a hart begins to idle and when it is back: that it
 * needs not be waited for meanwhile, how long it slept, and what of the tick it missed.
 */
import type { HartPort } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { acquire, release } from '../../core/spin-lock.ts'
import { TABLES } from '../layout.ts'

/**
 * Ticks since the machine was switched on, when the last one was (time CSR), the clock then (ns), and a sequence number that is odd
 * while they change; what a step of the time CSR is in nanoseconds, times 2^SHIFT.
 */
const machineTime = layout(0x40, 'our own', {
  lock: { at: 0x00, bytes: 16 },
  ticks: { at: 0x10, bytes: 8 },
  last: { at: 0x18, bytes: 8 },
  sequence: { at: 0x20, bytes: 4 },
  factor: { at: 0x24, bytes: 4 },
  clock: { at: 0x28, bytes: 8 },
})
/** The board's time CSR (Hz). */
export const TIMEBASE = 10_000_000
const SHIFT = 10
const NANOSECONDS_A_SECOND = 1_000_000_000
/** Of a hart: how often it has begun and ended to idle (odd: it idles), since when, for how long in all, how often; interrupts that other harts have sent. */
const hartTime = layout(0x40, 'our own', {
  idling: { at: 0x00, bytes: 4 },
  sequence: { at: 0x04, bytes: 4 },
  since: { at: 0x08, bytes: 8 },
  slept: { at: 0x10, bytes: 8 },
  times: { at: 0x18, bytes: 8 },
  sent: { at: 0x20, bytes: 4 },
})
const MACHINE = TABLES.times
const HARTS = MACHINE + machineTime.size

function hartAt(hart: number): number {
  return HARTS + hart * hartTime.size
}

/** `frequency`: of the time CSR (Hz). */
export function createTimes(port: HartPort, harts: number, frequency: number): void {
  port.fill(TABLES.times, 0, machineTime.size + harts * hartTime.size)
  port.store32(MACHINE + machineTime.factor.at, Math.floor((NANOSECONDS_A_SECOND * 2 ** SHIFT) / frequency))
}

/** Nanoseconds for so many steps of the time CSR: few enough not to overflow, as they are since the last tick. */
function nanoseconds(port: HartPort, steps: number): number {
  return Math.floor((steps * port.load32(MACHINE + machineTime.factor.at)) / 2 ** SHIFT)
}

/** The clock (ns): what it was at the last tick, and what has passed since. Read again if there has been one meanwhile. */
export function clock(port: HartPort): number {
  for (;;) {
    const sequence = port.load32(MACHINE + machineTime.sequence.at)
    port.fence()
    const last = port.load64(MACHINE + machineTime.last.at)
    const passed = port.read(time) - last
    const now = port.load64(MACHINE + machineTime.clock.at) + nanoseconds(port, passed)
    port.fence()
    if ((sequence & 1) === 0 && port.load32(MACHINE + machineTime.sequence.at) === sequence) return now
  }
}

/** The machine's ticks are brought up to now, by whoever comes first. `period` is a tick's (time CSR). */
export function advanceTicks(port: HartPort, now: number, period: number): void {
  if (now - port.load64(MACHINE + machineTime.last.at) < period) return
  acquire(port, MACHINE + machineTime.lock.at)
  const last = port.load64(MACHINE + machineTime.last.at)
  const passed = Math.floor((now - last) / period)
  port.store32(MACHINE + machineTime.sequence.at, port.load32(MACHINE + machineTime.sequence.at) + 1)
  port.fence()
  port.store64(MACHINE + machineTime.ticks.at, port.load64(MACHINE + machineTime.ticks.at) + passed)
  const at = port.load64(MACHINE + machineTime.clock.at)
  port.store64(MACHINE + machineTime.clock.at, at + nanoseconds(port, passed * period))
  port.store64(MACHINE + machineTime.last.at, last + passed * period)
  port.fence()
  port.store32(MACHINE + machineTime.sequence.at, port.load32(MACHINE + machineTime.sequence.at) + 1)
  release(port, MACHINE + machineTime.lock.at)
}

/** The machine's ticks: read again if they have changed meanwhile. */
export function machineTicks(port: HartPort): number {
  for (;;) {
    const sequence = port.load32(MACHINE + machineTime.sequence.at)
    port.fence()
    const ticks = port.load64(MACHINE + machineTime.ticks.at)
    port.fence()
    if ((sequence & 1) === 0 && port.load32(MACHINE + machineTime.sequence.at) === sequence) return ticks
  }
}

/** How long a hart has idled (time CSR), or how often, in the same way. */
export function idleTimes(port: HartPort, hart: number, howOften: boolean): number {
  const at = hartAt(hart)
  for (;;) {
    const sequence = port.load32(at + hartTime.sequence.at)
    port.fence()
    const value = port.load64(at + (howOften ? hartTime.times.at : hartTime.slept.at))
    port.fence()
    if ((sequence & 1) === 0 && port.load32(at + hartTime.sequence.at) === sequence) return value
  }
}

/** The hart begins to idle: nobody needs to wait for it. */
export function beginIdle(port: HartPort, now: number): void {
  const at = hartAt(port.hart)
  if ((port.add32(at + hartTime.idling.at, 1) & 1) !== 0) {
    // It idles on.
    port.add32(at + hartTime.idling.at, -1)
    return
  }
  port.store32(at + hartTime.sequence.at, port.load32(at + hartTime.sequence.at) + 1)
  port.store64(at + hartTime.since.at, now)
  port.store32(at + hartTime.sequence.at, port.load32(at + hartTime.sequence.at) + 1)
}

/** The hart has something to do again. */
export function endIdle(port: HartPort, now: number, period: number): void {
  const at = hartAt(port.hart)
  if ((port.load32(at + hartTime.idling.at) & 1) === 0) return
  port.add32(at + hartTime.idling.at, 1)
  port.store32(at + hartTime.sequence.at, port.load32(at + hartTime.sequence.at) + 1)
  port.store64(at + hartTime.slept.at, port.load64(at + hartTime.slept.at) + now - port.load64(at + hartTime.since.at))
  port.store64(at + hartTime.times.at, port.load64(at + hartTime.times.at) + 1)
  port.store32(at + hartTime.sequence.at, port.load32(at + hartTime.sequence.at) + 1)
  advanceTicks(port, now, period)
}

/** True if a hart idles: nobody needs to wait for it. */
export function isIdling(port: HartPort, hart: number): boolean {
  return (port.load32(hartAt(hart) + hartTime.idling.at) & 1) !== 0
}

/** Another hart is about to be interrupted: what for is seen before the interrupt is. */
export function sendTo(port: HartPort, hart: number, what: number): void {
  port.or32(hartAt(hart) + hartTime.sent.at, what)
  port.fence()
}

/** What this hart was interrupted for by others: each is told once. */
export function takeSent(port: HartPort): number {
  port.fence()
  return port.and32(hartAt(port.hart) + hartTime.sent.at, 0)
}
