/**
 * Interrupt lines: whatever can interrupt a hart has a record in RAM, found by the domain that it is of (a hart's own causes,
 * messages between harts, sources of the interrupt controller) and its number there: whether it is being handled, whether it has
 * come again meanwhile, and how often each hart has had it.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { acquire, release } from '../../core/spin-lock.ts'
import { TABLES } from '../layout.ts'

const line = layout(0xa0, 'our own', {
  lock: { at: 0x00, bytes: 16 },
  state: { at: 0x10, bytes: 4 },
  counts: { at: 0x20, bytes: 4 },
})
const HANDLED = 1
const AGAIN = 2

/** Domains: where their numbers begin in the map. */
export const CAUSES = 0
export const MESSAGES = 16
export const SOURCES = 24
/** Numbers in all, of all domains. */
export const LINE_NUMBERS = SOURCES + 96
/** How many lines there are, behind the map of their numbers; then the lines. */
const COUNT = TABLES.interrupts + LINE_NUMBERS * 4
const LINES = TABLES.interrupts + 0x200
const MOST_LINES = 48

export class InterruptLines {
  /** Clears map and lines. */
  create(port: HartPort): void {
    port.fill(TABLES.interrupts, 0, LINES - TABLES.interrupts + MOST_LINES * line.size)
  }

  /** There is such a line: from now on it is found. */
  connect(port: HartPort, domain: number, number: number): void {
    const index = port.load32(COUNT)
    if (index === MOST_LINES) throw new Error(`more than ${MOST_LINES} interrupt lines`)
    port.store32(COUNT, index + 1)
    port.store32(TABLES.interrupts + (domain + number) * 4, index + 1)
  }

  /** A line's record by its number in a domain; 0 if there is none. */
  find(port: HartPort, domain: number, number: number): number {
    const found = port.load32(TABLES.interrupts + (domain + number) * 4)
    return found === 0 ? 0 : LINES + (found - 1) * line.size
  }

  /** It has come on this hart. */
  count(port: HartPort, at: number): void {
    const counted = at + line.counts.at + port.hart * 4
    port.store32(counted, port.load32(counted) + 1)
  }

  /** Begins to handle one that several harts could have; false if one does already: it will look again. */
  begin(port: HartPort, at: number): boolean {
    acquire(port, at)
    this.count(port, at)
    const state = port.load32(at + line.state.at)
    port.store32(at + line.state.at, (state & HANDLED) !== 0 ? state | AGAIN : HANDLED)
    release(port, at)
    return (state & HANDLED) === 0
  }

  /** It has been handled; true if it has come again meanwhile: then it is handled once more. */
  end(port: HartPort, at: number): boolean {
    acquire(port, at)
    const again = (port.load32(at + line.state.at) & AGAIN) !== 0
    port.store32(at + line.state.at, again ? HANDLED : 0)
    release(port, at)
    return again
  }

  /** How often a hart has had a line of this number in its domain. */
  countOf(port: HartPort, domain: number, number: number, hart: number): number {
    const at = this.find(port, domain, number)
    return at === 0 ? 0 : port.load32(at + line.counts.at + hart * 4)
  }
}
