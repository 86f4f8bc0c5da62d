/**
 * The bridge's forwarding table, in RAM: which port a station is behind, by address and VLAN. Guests' own are fixed, by
 * who describes the machine; those outside are learnt, and forgotten when nothing has come from them for five minutes. What a guest
 * writes is never learnt, so no guest can fill it.
 */
import type { HartPort } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'

const HEADS = 64
const MOST_ENTRIES = 192
/** Policy, Linux's: 300 s, in ticks. */
const AGE = 3_000_000_000
const MULTIPLIER = 0x9e37_79b1

export const NO_PORT = -1

/** `next` is the number of the next entry of its chain, plus one; `seen` 0: it is fixed. */
const entry = layout(0x20, 'our own', {
  next: { at: 0x00, bytes: 4 },
  low: { at: 0x04, bytes: 4 },
  high: { at: 0x08, bytes: 4 },
  port: { at: 0x0c, bytes: 4 },
  seen: { at: 0x10, bytes: 8 },
})

/** A frame's address as words: bytes 0 to 3, and 4 and 5 with the VLAN above. */
export function highOf(high: number, vlan: number): number {
  return (high | (vlan << 16)) >>> 0
}

function headAt(low: number, high: number): number {
  return TABLES.forwarding + (Math.imul(low ^ high, MULTIPLIER) >>> 26) * 4
}

function entryAt(number: number): number {
  return TABLES.forwarding + HEADS * 4 + number * entry.size
}

export class ForwardingTable {
  /** The first free entry, plus one. */
  readonly record = { unused: 0 }

  create(port: HartPort): void {
    port.fill(TABLES.forwarding, 0, HEADS * 4)
    for (let number = 0; number < MOST_ENTRIES; number++)
      port.store32(entryAt(number) + entry.next.at, number + 1 === MOST_ENTRIES ? 0 : number + 2)
    this.record.unused = 1
  }

  #find(port: HartPort, low: number, high: number): number {
    let number = port.load32(headAt(low, high))
    while (number !== 0) {
      const at = entryAt(number - 1)
      if (port.load32(at + entry.low.at) === low && port.load32(at + entry.high.at) === high) return at
      number = port.load32(at + entry.next.at)
    }
    return 0
  }

  /** The port that a station is behind, or NO_PORT. */
  portOf(port: HartPort, low: number, high: number): number {
    const at = this.#find(port, low, high)
    if (at === 0) return NO_PORT
    const seen = port.load64(at + entry.seen.at)
    if (seen !== 0 && port.read(time) - seen > AGE) return NO_PORT
    return port.load32(at + entry.port.at)
  }

  /** A station that stays where it is. */
  fix(port: HartPort, low: number, high: number, number: number): void {
    this.#add(port, low, high, number, 0)
  }

  /** A frame has come from a station. False if it is one that is fixed elsewhere. */
  learn(port: HartPort, low: number, high: number, number: number): boolean {
    const at = this.#find(port, low, high)
    const now = port.read(time)
    if (at === 0) {
      this.#add(port, low, high, number, now)
      return true
    }
    if (port.load64(at + entry.seen.at) === 0) return port.load32(at + entry.port.at) === number
    port.store64(at + entry.seen.at, now)
    return true
  }

  /** A full table learns no more. */
  #add(port: HartPort, low: number, high: number, number: number, seen: number): void {
    const { record } = this
    const free = record.unused - 1
    if (free < 0) return
    const at = entryAt(free)
    const head = headAt(low, high)
    record.unused = port.load32(at + entry.next.at)
    port.store32(at + entry.low.at, low)
    port.store32(at + entry.high.at, high)
    port.store32(at + entry.port.at, number)
    port.store64(at + entry.seen.at, seen)
    port.store32(at + entry.next.at, port.load32(head))
    port.store32(head, free + 1)
  }

  /** Forgets what is too old: now and then, by a thread of the kernel's. */
  age(port: HartPort): void {
    const now = port.read(time)
    for (let head = TABLES.forwarding; head < TABLES.forwarding + HEADS * 4; head += 4) {
      let link = head
      let number = port.load32(link)
      while (number !== 0) {
        const at = entryAt(number - 1)
        const next = port.load32(at + entry.next.at)
        const seen = port.load64(at + entry.seen.at)
        if (seen !== 0 && now - seen > AGE) {
          port.store32(link, next)
          port.store32(at + entry.next.at, this.record.unused)
          this.record.unused = number
        } else link = at + entry.next.at
        number = next
      }
    }
  }
}
