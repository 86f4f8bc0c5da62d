/** The one queue of things that will happen, as data: a binary heap ordered by due cycle, then by the order of scheduling. */
import type { Clock, Plain, Timed } from '../bus/chip.ts'

export interface Event {
  readonly due: number
  readonly sequence: number
  readonly target: string
  readonly kind: string
  readonly payload: Plain
}

function before(a: Event, b: Event): boolean {
  return a.due < b.due || (a.due === b.due && a.sequence < b.sequence)
}

export class EventQueue {
  readonly frequency: number
  readonly cyclesPerTick: number
  /** The cycle of whoever runs: set by the machine. */
  readonly #now: () => number
  /** Told of an event that is now the earliest. */
  readonly #earlier: (due: number) => void
  readonly #targets = new Map<string, Timed>()
  #heap: Event[] = []
  #sequence = 0

  constructor(frequency: number, cyclesPerTick: number, now: () => number, earlier: (due: number) => void) {
    this.frequency = frequency
    this.cyclesPerTick = cyclesPerTick
    this.#now = now
    this.#earlier = earlier
  }

  /** Names a receiver of events. */
  enroll(name: string, target: Timed): void {
    if (this.#targets.has(name)) throw new Error(`two receivers of events are called "${name}"`)
    this.#targets.set(name, target)
  }

  clock(target: string): Clock {
    return {
      now: this.#now,
      at: (cycle, kind, payload = null) => this.schedule(cycle, target, kind, payload),
      cancel: event => this.cancel(event),
      cyclesPerTick: this.cyclesPerTick,
      frequency: this.frequency,
    }
  }

  /** A time in the past means now; a fraction of a cycle, the next one. */
  schedule(cycle: number, target: string, kind: string, payload: Plain): number {
    const now = this.#now()
    const event: Event = {
      due: cycle > now ? Math.ceil(cycle) : now,
      sequence: this.#sequence++,
      target,
      kind,
      payload,
    }
    this.#heap.push(event)
    if (this.#rise(this.#heap.length - 1, event) === 0) this.#earlier(event.due)
    return event.sequence
  }

  /** Takes it out, wherever it is: timers are set anew all the time, and what stayed behind would be most of the queue. */
  cancel(sequence: number): void {
    const heap = this.#heap
    for (let at = 0; at < heap.length; at++) if (heap[at].sequence === sequence) return this.#remove(at)
  }

  /** The cycle of the earliest event, or Infinity. */
  next(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0].due
  }

  /** Takes out the earliest event. */
  take(): Event {
    const [first] = this.#heap
    if (first === undefined) throw new Error('no event is due')
    this.#remove(0)
    return first
  }

  deliver(event: Event): void {
    const target = this.#targets.get(event.target)
    if (!target) throw new Error(`event ${event.kind} is for "${event.target}", which is not on this machine`)
    target.due(event.kind, event.payload)
  }

  save(): { readonly sequence: number; readonly events: readonly Event[] } {
    return { sequence: this.#sequence, events: this.#heap.toSorted((a, b) => (before(a, b) ? -1 : 1)) }
  }

  restore(state: { readonly sequence: number; readonly events: readonly Event[] }): void {
    // A sorted array is a heap.
    this.#heap = [...state.events]
    this.#sequence = state.sequence
  }

  #remove(at: number): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (at < heap.length && this.#rise(at, last) === at) this.#sink(at, last)
  }

  /** Puts an event at a place or above it, where it belongs; says where. */
  #rise(from: number, event: Event): number {
    const heap = this.#heap
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(event, heap[parent])) break
      heap[at] = heap[parent]
      at = parent
    }
    heap[at] = event
    return at
  }

  /** The same for below. */
  #sink(from: number, event: Event): void {
    const heap = this.#heap
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++
      if (!before(heap[child], event)) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = event
  }
}
