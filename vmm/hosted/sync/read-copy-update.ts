/**
 * Read-copy-update: what others may still be reading is taken away after a grace period, in which each hart has been where
 * it reads nothing: in a guest, switching threads, idling. Readers pay nothing for it but the notes at those places; a thread
 * of the kernel's counts the periods, and urges harts that have noted nothing for long.
 */
import type { HartPort } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'
import { isIdling } from '../scheduling/time-keeping.ts'
import { NEVER } from '../task.ts'

/** The number of the period, and the harts that it waits for (a mask). */
const machine = layout(0x40, 'our own', {
  period: { at: 0x00, bytes: 8 },
  waiting: { at: 0x08, bytes: 4 },
})
/** Of a hart: the last period that it has heard of, whether it has read nothing at some time since, whether it is to say so at once. */
const hartState = layout(0x40, 'our own', {
  heard: { at: 0x00, bytes: 8 },
  passed: { at: 0x08, bytes: 4 },
  urgent: { at: 0x0c, bytes: 4 },
})
const MACHINE = TABLES.sync
const HARTS = MACHINE + machine.size
const MOST_HARTS = 32
const ALL = 0xffff_ffff
const ROOM = 64
/** Policy (ticks): the thread looks as often as the scheduler's tick; after so many looks harts are urged. */
const LOOK = 40_000
const PATIENCE = 3
/** Callbacks run in one entry. */
const AT_ONCE = 4

export class ReadCopyUpdate {
  /** What waits, in order: its first place and how many; how many of them wait for the period that is going on; looks at it. */
  readonly record = { first: 0, count: 0, covered: 0, running: 0, looks: 0 }
  readonly values = new Int32Array(ROOM)
  readonly #harts: number
  readonly #wake: (port: HartPort) => void
  readonly #urge: (port: HartPort, hart: number) => void
  #taken: (port: HartPort, value: number) => void = () => {}

  /** `wake` wakes the thread that does `work`; `urge` makes a hart enter the kernel. */
  constructor(harts: number, wake: (port: HartPort) => void, urge: (port: HartPort, hart: number) => void) {
    this.#harts = harts
    this.#wake = wake
    this.#urge = urge
  }

  /** Who takes away what is named by a number. Set-up. */
  attach(taken: (port: HartPort, value: number) => void): void {
    this.#taken = taken
  }

  /** Clears the records. */
  create(port: HartPort): void {
    port.fill(TABLES.sync, 0, machine.size + this.#harts * hartState.size)
  }

  /** Here the hart reads nothing that could be taken away. */
  passes(port: HartPort): void {
    const at = HARTS + port.hart * hartState.size
    if (port.load32(at + hartState.passed.at) === 0) port.store32(at + hartState.passed.at, 1)
    if (port.load32(at + hartState.urgent.at) !== 0) this.check(port)
  }

  /** At each tick: whether a period has begun, and whether the hart has something to say to it. */
  check(port: HartPort): void {
    const at = HARTS + port.hart * hartState.size
    const period = port.load64(MACHINE + machine.period.at)
    if (port.load64(at + hartState.heard.at) !== period) {
      // What it has noted before says nothing about this one.
      port.store64(at + hartState.heard.at, period)
      port.store32(at + hartState.passed.at, 0)
      return
    }
    if (port.load32(at + hartState.passed.at) === 0) return
    port.store32(at + hartState.urgent.at, 0)
    const bit = 1 << port.hart
    if ((port.load32(MACHINE + machine.waiting.at) & bit) !== 0) port.and32(MACHINE + machine.waiting.at, ~bit)
  }

  /** `value` is to be taken away when nobody can be reading it any more. */
  defer(port: HartPort, value: number): void {
    const { record } = this
    if (record.count === ROOM) throw new Error(`more than ${ROOM} things wait for a grace period`)
    this.values[(record.first + record.count) % ROOM] = value
    record.count++
    this.#wake(port)
  }

  /** The thread's piece of work: when it wants to go on (ticks). */
  work(port: HartPort): number {
    const { record } = this
    if (record.running !== 0) {
      if (!this.#isOver(port)) return port.read(time) + LOOK
      record.running = 0
    }
    for (let left = AT_ONCE; left > 0 && record.covered > 0; left--) {
      const value = this.values[record.first]
      record.first = (record.first + 1) % ROOM
      record.count--
      record.covered--
      this.#taken(port, value)
    }
    if (record.covered > 0) return 0
    if (record.count === 0) return NEVER
    record.covered = record.count
    record.running = 1
    record.looks = 0
    // A hart that is waited for has heard of the period, or what it noted before would count.
    port.store64(MACHINE + machine.period.at, port.load64(MACHINE + machine.period.at) + 1)
    port.fence()
    port.store32(MACHINE + machine.waiting.at, this.#harts === MOST_HARTS ? ALL : (1 << this.#harts) - 1)
    return port.read(time) + LOOK
  }

  /** True if no hart is waited for: those that idle have read nothing, and this one has switched threads. */
  #isOver(port: HartPort): boolean {
    const { record } = this
    for (let hart = 0; hart < this.#harts; hart++) {
      if ((port.load32(MACHINE + machine.waiting.at) & (1 << hart)) === 0) continue
      if (hart === port.hart || isIdling(port, hart)) port.and32(MACHINE + machine.waiting.at, ~(1 << hart))
    }
    if (port.load32(MACHINE + machine.waiting.at) === 0) return true
    record.looks++
    if (record.looks >= PATIENCE) this.#urgeAll(port)
    return false
  }

  #urgeAll(port: HartPort): void {
    for (let hart = 0; hart < this.#harts; hart++) {
      if ((port.load32(MACHINE + machine.waiting.at) & (1 << hart)) === 0) continue
      port.store32(HARTS + hart * hartState.size + hartState.urgent.at, 1)
      this.#urge(port, hart)
    }
  }
}
