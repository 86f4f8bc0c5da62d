/** What the kernel counts as it goes, by hart and in RAM: interrupts, soft interrupts, switches, ticks by what they found. */
import type { HartPort } from '../../hw/port.ts'
import { layout } from '../../hw/spec/layout.ts'
import { TABLES } from './layout.ts'

/** A hart's counters since it began anew; behind them, what it had counted before. */
export const counters = layout(0x80, 'our own', {
  interrupts: { at: 0x00, bytes: 8 },
  softInterrupts: { at: 0x08, bytes: 8 },
  switches: { at: 0x10, bytes: 8 },
  userTicks: { at: 0x18, bytes: 8 },
  systemTicks: { at: 0x20, bytes: 8 },
  pageFaults: { at: 0x28, bytes: 8 },
  guestTicks: { at: 0x30, bytes: 8 },
  /** How deep the hart is in interrupts. */
  depth: { at: 0x38, bytes: 4 },
})
const FOLDED = 0x40

function countersAt(hart: number): number {
  return TABLES.counters + hart * counters.size
}

/** Clears them. */
export function createCounters(port: HartPort, harts: number): void {
  port.fill(TABLES.counters, 0, harts * counters.size)
}

function increment(port: HartPort, at: number): void {
  port.store64(at, port.load64(at) + 1)
}

/** An interrupt begins: nothing else runs on the hart until it ends. */
export function interruptBegins(port: HartPort): void {
  const at = countersAt(port.hart)
  increment(port, at + counters.interrupts.at)
  port.store32(at + counters.depth.at, port.load32(at + counters.depth.at) + 1)
}

export function interruptEnds(port: HartPort): void {
  const at = countersAt(port.hart) + counters.depth.at
  port.store32(at, port.load32(at) - 1)
}

/** True while the hart is in an interrupt: nothing that may have to wait can be done. */
export function isInInterrupt(port: HartPort): boolean {
  return port.load32(countersAt(port.hart) + counters.depth.at) !== 0
}

export function countSoftInterrupt(port: HartPort): void {
  increment(port, countersAt(port.hart) + counters.softInterrupts.at)
}

export function countSwitch(port: HartPort): void {
  increment(port, countersAt(port.hart) + counters.switches.at)
}

export function countFault(port: HartPort): void {
  increment(port, countersAt(port.hart) + counters.pageFaults.at)
}

/** A tick has found the hart in a guest, in a thread, or idle. */
export function countTick(port: HartPort, isThread: boolean, isGuest: boolean): void {
  const { guestTicks, userTicks, systemTicks } = counters
  increment(port, countersAt(port.hart) + (isGuest ? guestTicks.at : isThread ? userTicks.at : systemTicks.at))
}

/** Adds what a hart has counted to its sums, and begins anew. */
export function foldCounters(port: HartPort, hart: number): void {
  const at = countersAt(hart)
  for (let offset = 0; offset < counters.depth.at; offset += 8) {
    const count = port.load64(at + offset)
    if (count === 0) continue
    const sum = at + FOLDED + offset
    port.store64(sum, port.load64(sum) + count)
    port.store64(at + offset, 0)
  }
}

/** What a hart has counted in all, of one of its counters. */
export function countersOf(port: HartPort, hart: number, offset: number): number {
  const at = countersAt(hart) + offset
  return port.load64(at) + port.load64(at + FOLDED)
}
