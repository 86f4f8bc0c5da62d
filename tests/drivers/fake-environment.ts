/**
 * An environment that trusts no driver: it fails on a register access that the table does not allow, on memory touched
 * outside its buffers, on a doorbell rung before a fence, on an entry that is long, and it abandons entries in the
 * middle and restarts drivers from what they saved, as a machine may.
 */
import type { Chip } from '../../hw/bus/chip.ts'
import type { Readable, Register, Writable } from '../../hw/spec/registers.ts'
import type { DmaBuffer, DriverEntry, DriverState, Environment, Interrupt } from '../../drivers/environment.ts'
import type { BenchMemory, BenchTime } from '../hw/devices/bench.ts'

const ABANDONED = Symbol('abandoned')
const TOO_BIG = 2 ** 53

export interface FakeParts {
  readonly chip: Chip
  readonly time: BenchTime
  readonly memory: BenchMemory
  /** The device's interrupt lines; none: the driver polls. */
  readonly lines?: readonly { readonly level: boolean }[]
  /** Registers whose writes let the device look at memory. */
  readonly doorbells?: readonly Register[]
  /** Says, for the nth call of an entry, whether the entry is abandoned there. */
  readonly abandons?: () => boolean
  /** Where driver memory begins, and the gap left after each buffer. */
  readonly from?: number
}

interface Buffer {
  readonly at: number
  readonly bytes: number
  live: boolean
}

/** No entry may make more calls than this: it has to be short. */
const CALLS_AN_ENTRY = 4000
/** A line that stays up over so many handlers in a row is masked, as any environment would. */
const STORM = 200
/** Events of devices that may pass in the middle of an entry. */
const MEANWHILE = 3
/** Begins the kind of an event that calls a driver, or ends a wait of the test. */
const CALL = 'call '

export class FakeEnvironment implements Environment {
  readonly device: Environment['device']
  readonly dma: Environment['dma']
  readonly interrupts: readonly Interrupt[]
  readonly time: Environment['time']
  /** Register accesses made, by kind. */
  reads = 0
  writes = 0
  entered = 0
  abandoned = 0
  longest = 0
  storms = 0
  readonly #parts: FakeParts
  readonly #doorbells: ReadonlySet<Register>
  readonly #masked: boolean[]
  readonly #handlers: (DriverEntry | undefined)[]
  readonly #buffers: Buffer[] = []
  #made = 0
  #next: number
  #entries = new Map<string, DriverEntry>()
  #states = new Map<string, DriverState>()
  #deferred: string[] = []
  #pending = new Map<string, number>()
  #constructing = false
  #unfenced = false
  #log: unknown[] = []
  #cursor = -1
  #allowAbandon = true
  #inARow = 0

  constructor(parts: FakeParts) {
    this.#parts = parts
    this.#doorbells = new Set(parts.doorbells ?? [])
    this.#next = parts.from ?? 0x1000
    const lines = parts.lines ?? []
    this.#masked = lines.map(() => false)
    this.#handlers = lines.map(() => undefined)
    this.device = {
      read: (register, index) => this.#call(() => this.#read(register, index, 0)),
      readHigh: (register, index) => this.#call(() => this.#read(register, index, 4)),
      write: (register, value, index) => this.#call(() => this.#write(register, value, index)),
    }
    this.dma = {
      allocate: bytes => this.#call(() => this.#allocate(bytes)),
      free: buffer => this.#call(() => this.#free(buffer)),
      fence: () => this.#call(() => void (this.#unfenced = false)),
    }
    this.interrupts = lines.map((_, i) => ({
      subscribe: entry => {
        if (!this.#constructing) throw new Error('subscribed after construction')
        this.#handlers[i] = entry
      },
      mask: () => this.#call(() => void (this.#masked[i] = true)),
      unmask: () => this.#call(() => void (this.#masked[i] = false)),
    }))
    this.time = {
      entry: (name, entry) => {
        if (!this.#constructing || this.#entries.has(name)) throw new Error(`entry ${name} named twice, or late`)
        this.#entries.set(name, entry)
      },
      after: (microseconds, entry) => this.#call(() => this.#after(microseconds, entry)),
      defer: entry => this.#call(() => this.#defer(entry)),
      now: () => this.#call(() => parts.time.now / 1000),
    }
  }

  state<T extends DriverState>(name: string, initial: T): T {
    if (!this.#constructing) throw new Error('state registered after construction')
    const saved = this.#states.get(name)
    if (saved === undefined) this.#states.set(name, initial)
    return (saved ?? initial) as T
  }

  /** Makes a driver, or makes it again from what it had saved. It must leave the hardware alone. */
  construct<T>(make: (env: Environment) => T): T {
    const { reads, writes } = this
    this.#states = new Map([...this.#states].map(([name, state]) => [name, copyOf(state)]))
    this.#entries = new Map()
    this.#made = 0
    this.#constructing = true
    const made = make(this)
    this.#constructing = false
    if (reads !== this.reads || writes !== this.writes) throw new Error('construction touched the hardware')
    return made
  }

  /** Runs a piece of driver or owner as one entry, abandoning it as often as the test wants. */
  enter<T>(body: () => T): T {
    if (this.#cursor >= 0) throw new Error('an entry within an entry')
    this.entered += 1
    const before = new Map([...this.#states].map(([name, state]) => [name, copyOf(state)]))
    this.#log = []
    for (;;) {
      this.#cursor = 0
      try {
        return body()
      } catch (error) {
        if (error !== ABANDONED) throw error
        this.abandoned += 1
        for (const [name, state] of before) putBack(this.#states.get(name)!, state)
        this.#letDevicesRun()
      } finally {
        this.longest = Math.max(this.longest, this.#log.length)
        this.#cursor = -1
      }
    }
  }

  /** Runs entries and the devices' events until `until` says so (true), or nothing is left to happen (false). */
  run(until: () => boolean = () => false, limit = 200_000): boolean {
    for (let i = 0; i < limit; i++) {
      if (until()) return true
      if (!this.#step()) return until()
    }
    throw new Error(`still going after ${limit} steps`)
  }

  /** Runs what happens within so many microseconds. */
  pass(microseconds: number): void {
    const end = this.#parts.time.now + microseconds * 1000
    let over = false
    this.#parts.time.events.push({
      id: 1e9 + this.entered,
      cycle: end,
      kind: `${CALL}end`,
      payload: null,
      target: () => ({ due: () => void (over = true) }),
    })
    this.run(() => over)
  }

  /** Buffers that have not been freed. */
  leaks(): number {
    return this.#buffers.filter(buffer => buffer.live).length
  }

  /** The buffers that the driver owns: where a device that means harm may write. */
  buffers(): readonly { readonly at: number; readonly bytes: number }[] {
    return this.#buffers.filter(buffer => buffer.live)
  }

  /** True if the driver owns all of these bytes. */
  owns(address: number, bytes: number): boolean {
    return this.#buffers.some(
      buffer => buffer.live && address >= buffer.at && address + bytes <= buffer.at + buffer.bytes,
    )
  }

  /** While an entry is interrupted, devices go on. */
  #letDevicesRun(): void {
    const { time } = this.#parts
    for (let i = 0; i < MEANWHILE; i++) {
      const [first] = time.events.toSorted((a, b) => a.cycle - b.cycle || a.id - b.id)
      if (!first || first.kind.startsWith(CALL)) return
      time.step()
    }
  }

  #step(): boolean {
    const name = this.#deferred.shift()
    if (name !== undefined) {
      this.#enterNamed(name)
      return true
    }
    const lines = this.#parts.lines ?? []
    const up = lines.findIndex((line, i) => line.level && !this.#masked[i] && this.#handlers[i] !== undefined)
    if (up >= 0) {
      if (++this.#inARow > STORM) {
        this.storms += 1
        this.#masked[up] = true
      } else this.enter(this.#handlers[up]!)
      return true
    }
    this.#inARow = 0
    return this.#parts.time.step()
  }

  #enterNamed(name: string): void {
    const entry = this.#entries.get(name)
    if (!entry) throw new Error(`no entry ${name}`)
    this.enter(entry)
  }

  #call<T>(effect: () => T): T {
    if (this.#cursor < 0) {
      if (this.#constructing) return effect()
      throw new Error('a driver called its environment outside of any entry')
    }
    const at = this.#cursor++
    if (at < this.#log.length) return this.#log[at] as T
    if (at >= CALLS_AN_ENTRY) throw new Error(`an entry of more than ${CALLS_AN_ENTRY} calls`)
    // Each call is abandoned at most once, so that the entry ends.
    if (this.#allowAbandon && this.#parts.abandons?.()) {
      this.#allowAbandon = false
      throw ABANDONED
    }
    this.#allowAbandon = true
    const result = effect()
    this.#log.push(result)
    return result
  }

  #place(register: Register, index: number | undefined): number {
    const { at, count = 1, stride = 0, name } = register
    if (index !== undefined && register.count === undefined) throw new Error(`${name} is no array`)
    const element = index ?? 0
    if (!Number.isInteger(element) || element < 0 || element >= count)
      throw new Error(`${name}[${element}] of ${count}`)
    return at + element * stride
  }

  #read(register: Readable, index: number | undefined, more: 0 | 4): number {
    if ((register.access as string) === 'wo') throw new Error(`${register.name} is write-only`)
    if (more === 4 && register.width !== 64) throw new Error(`${register.name} has no high word`)
    this.reads += 1
    return this.#parts.chip.read(this.#place(register, index) + more, (Math.min(register.width, 32) / 8) as 1 | 2 | 4)
  }

  #write(register: Writable, value: number, index: number | undefined): void {
    const at = this.#place(register, index)
    if ((register.access as string) === 'ro') throw new Error(`${register.name} is read-only`)
    const limit = register.width === 64 ? TOO_BIG : 2 ** register.width
    if (!Number.isInteger(value) || value < 0 || value >= limit) throw new Error(`${register.name} = ${value}`)
    if (this.#doorbells.has(register) && this.#unfenced) throw new Error(`${register.name} was rung before a fence`)
    this.writes += 1
    const { chip } = this.#parts
    if (register.width !== 64) chip.write(at, (register.width / 8) as 1 | 2 | 4, value)
    else {
      chip.write(at, 4, value >>> 0)
      chip.write(at + 4, 4, Math.floor(value / 2 ** 32))
    }
  }

  #allocate(bytes: number): DmaBuffer {
    if (!this.#constructing) throw new Error('memory allocated after construction')
    const made = this.#buffers[this.#made++]
    if (made) {
      if (made.bytes !== bytes) throw new Error(`a buffer of ${made.bytes} bytes is asked for again, of ${bytes}`)
      return this.#bufferOver(made)
    }
    if (!Number.isInteger(bytes) || bytes <= 0) throw new Error(`a buffer of ${bytes} bytes`)
    const align = Math.min(4096, Math.max(64, 2 ** Math.ceil(Math.log2(bytes))))
    const at = Math.ceil(this.#next / align) * align
    this.#next = at + bytes + 192
    const { memory } = this.#parts
    if (this.#next > memory.bytes.length) throw new Error('the fake environment is out of memory')
    memory.bytes.fill(0, at, at + bytes)
    const buffer = { at, bytes, live: true }
    this.#buffers.push(buffer)
    return this.#bufferOver(buffer)
  }

  #bufferOver(buffer: Buffer): DmaBuffer {
    const { view } = this.#parts.memory
    const place = (offset: number, bytes: number): number => {
      if (!buffer.live) throw new Error(`freed memory at ${offset} is touched`)
      if (!Number.isInteger(offset) || offset < 0 || offset + bytes > buffer.bytes)
        throw new Error(`offset ${offset}+${bytes} of ${buffer.bytes}`)
      if (offset % bytes !== 0) throw new Error(`offset ${offset} is not a multiple of ${bytes}`)
      return buffer.at + offset
    }
    const load = (offset: number, bytes: number, get: (at: number) => number): number =>
      this.#call(() => get(place(offset, bytes)))
    const store = (offset: number, bytes: number, value: number, put: (at: number) => void): void =>
      this.#call(() => {
        if (!Number.isInteger(value) || value < 0 || value >= Math.min(TOO_BIG, 2 ** (8 * bytes)))
          throw new Error(`${bytes}-byte value ${value}`)
        put(place(offset, bytes))
        this.#unfenced = true
      })
    return {
      bytes: buffer.bytes,
      device: buffer.at,
      read8: offset => load(offset, 1, at => view.getUint8(at)),
      read16: offset => load(offset, 2, at => view.getUint16(at, true)),
      read32: offset => load(offset, 4, at => view.getUint32(at, true)),
      read64: offset =>
        load(offset, 8, at => Math.min(TOO_BIG, view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32)),
      write8: (offset, value) => store(offset, 1, value, at => view.setUint8(at, value)),
      write16: (offset, value) => store(offset, 2, value, at => view.setUint16(at, value, true)),
      write32: (offset, value) => store(offset, 4, value, at => view.setUint32(at, value, true)),
      write64: (offset, value) =>
        store(offset, 8, value, at => {
          view.setUint32(at, value >>> 0, true)
          view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
        }),
    }
  }

  #free(buffer: DmaBuffer): void {
    const freed = this.#buffers.find(({ at }) => at === buffer.device)
    if (!freed?.live) throw new Error('freed what is not allocated')
    freed.live = false
  }

  #nameOf(entry: DriverEntry): string {
    for (const [name, known] of this.#entries) if (known === entry) return name
    throw new Error('an entry that was not named at construction')
  }

  #defer(entry: DriverEntry): void {
    const name = this.#nameOf(entry)
    if (!this.#deferred.includes(name)) this.#deferred.push(name)
  }

  #after(microseconds: number, entry: DriverEntry): void {
    const name = this.#nameOf(entry)
    if (!(microseconds > 0)) throw new Error(`after ${microseconds} microseconds`)
    const clock = this.#parts.time.clockFor(() => ({ due: kind => this.#due(kind) }))
    const pending = this.#pending.get(name)
    if (pending !== undefined) clock.cancel(pending)
    this.#pending.set(name, clock.at(clock.now() + microseconds * 1000, CALL + name))
  }

  #due(kind: string): void {
    const name = kind.slice(CALL.length)
    this.#pending.delete(name)
    this.#enterNamed(name)
  }
}

function copyOf<T extends DriverState>(state: T): T {
  if (state instanceof Int32Array || state instanceof Float64Array) return state.slice() as T
  return Object.assign({}, state)
}

function putBack(state: DriverState, saved: DriverState): void {
  if (state instanceof Int32Array && saved instanceof Int32Array) state.set(saved)
  else if (state instanceof Float64Array && saved instanceof Float64Array) state.set(saved)
  else Object.assign(state, saved)
}
