/**
 * An environment over the port of the hart that the driver's owner runs on: registers and DMA memory are loads and
 * stores through it. The VMMs, the host's kernel and scripted guests place drivers so; each says where the device and
 * the memory are, and calls `interrupted` and `elapsed` when there is something to do.
 */
import type { HartPort, StateRecord } from '../hw/port.ts'
import type { Readable, Writable } from '../hw/spec/registers.ts'
import type { DmaBuffer, DriverEntry, DriverState, Environment, Interrupt } from './environment.ts'

/** The hart on which the owner runs at the moment: the owner sets it at the start of each of its entries. */
export interface CurrentPort {
  port: HartPort
}

/** Memory for DMA: the owner's addresses and the device's. */
export interface DmaRegion {
  /** Where the owner's loads and stores find it. */
  readonly base: number
  /** Where the device finds it. */
  readonly device: number
  readonly bytes: number
}

const LEAST_BUFFER = 64
const PAGE = 4096
/** A pending call that is not pending. */
const NEVER = Infinity

class RegionBuffer implements DmaBuffer {
  readonly bytes: number
  readonly device: number
  readonly #current: CurrentPort
  readonly #base: number

  constructor(current: CurrentPort, base: number, device: number, bytes: number) {
    this.#current = current
    this.#base = base
    this.device = device
    this.bytes = bytes
  }

  read8(offset: number): number {
    return this.#current.port.load8(this.#base + offset)
  }
  read16(offset: number): number {
    return this.#current.port.load16(this.#base + offset)
  }
  read32(offset: number): number {
    return this.#current.port.load32(this.#base + offset)
  }
  read64(offset: number): number {
    return this.#current.port.load64(this.#base + offset)
  }
  write8(offset: number, value: number): void {
    this.#current.port.store8(this.#base + offset, value)
  }
  write16(offset: number, value: number): void {
    this.#current.port.store16(this.#base + offset, value)
  }
  write32(offset: number, value: number): void {
    this.#current.port.store32(this.#base + offset, value)
  }
  write64(offset: number, value: number): void {
    this.#current.port.store64(this.#base + offset, value)
  }
}

class SourceInterrupt implements Interrupt {
  entry: DriverEntry = ignore
  readonly #setMasked: (masked: boolean) => void

  constructor(setMasked: (masked: boolean) => void) {
    this.#setMasked = setMasked
  }

  subscribe(entry: DriverEntry): void {
    this.entry = entry
  }
  mask(): void {
    this.#setMasked(true)
  }
  unmask(): void {
    this.#setMasked(false)
  }
}

function ignore(): void {
  // Nobody has subscribed.
}

export interface Placement {
  readonly current: CurrentPort
  /** Unique among the owner's drivers: begins the names of the driver's state. */
  readonly name: string
  /** Where the owner's loads and stores find the device's registers; a registered record if that is found at run time. */
  readonly registers: number | { readonly base: number }
  readonly dma: DmaRegion
  /** One a wire: masks or unmasks it at the interrupt controller. */
  readonly interrupts: readonly ((masked: boolean) => void)[]
  /** Microseconds since some start. */
  readonly now: () => number
  /** Asks the owner to call `elapsed` again at this time or later. */
  readonly wakeAt: (microseconds: number) => void
}

export class PortEnvironment implements Environment {
  readonly device: Environment['device']
  readonly dma: Environment['dma']
  readonly time: Environment['time']
  readonly interrupts: readonly Interrupt[]
  /** What the driver registered, for the owner's software state. */
  readonly registered: Record<string, StateRecord> = {}
  readonly #wires: readonly SourceInterrupt[]
  readonly #entries: DriverEntry[] = []
  readonly #due: Float64Array
  readonly #name: string
  readonly #now: () => number

  constructor(placement: Placement) {
    const { current, registers, dma, now, wakeAt } = placement
    this.#name = placement.name
    this.#now = now
    this.#due = new Float64Array(16).fill(NEVER)
    this.registered[`${placement.name} calls`] = this.#due
    this.#wires = placement.interrupts.map(setMasked => new SourceInterrupt(setMasked))
    this.interrupts = this.#wires
    const window = typeof registers === 'number' ? { base: registers } : registers
    const at = (register: Readable | Writable, index: number) =>
      window.base + register.at + index * (register.stride ?? 0)
    this.device = {
      read: (register, index = 0) => {
        const { port } = current
        if (register.width === 8) return port.load8(at(register, index))
        if (register.width === 16) return port.load16(at(register, index))
        return port.load32(at(register, index))
      },
      readHigh: (register, index = 0) => current.port.load32(at(register, index) + 4),
      write: (register, value, index = 0) => {
        const { port } = current
        const address = at(register, index)
        if (register.width === 8) port.store8(address, value)
        else if (register.width === 16) port.store16(address, value)
        else port.store32(address, value)
        if (register.width === 64) port.store32(address + 4, Math.floor(value / 4294967296))
      },
    }
    let used = 0
    this.dma = {
      allocate: bytes => {
        let size = LEAST_BUFFER
        while (size < bytes && size < PAGE) size *= 2
        const alignment = size
        while (size < bytes) size += PAGE
        used = Math.ceil(used / alignment) * alignment
        if (used + size > dma.bytes)
          throw new Error(`driver ${placement.name}: ${dma.bytes} bytes of DMA memory are not enough`)
        const buffer = new RegionBuffer(current, dma.base + used, dma.device + used, bytes)
        used += size
        return buffer
      },
      // The region is given back as a whole, with the driver.
      free: () => {},
      fence: () => current.port.fence(),
    }
    this.time = {
      entry: (_name, entry) => {
        this.#entries.push(entry)
      },
      after: (microseconds, entry) => {
        const due = now() + microseconds
        this.#due[this.#entries.indexOf(entry)] = due
        wakeAt(due)
      },
      defer: entry => {
        this.#due[this.#entries.indexOf(entry)] = 0
        wakeAt(0)
      },
      now,
    }
  }

  state<T extends DriverState>(name: string, initial: T): T {
    this.registered[`${this.#name} ${name}`] = initial
    return initial
  }

  /** A wire has risen: calls the driver. */
  interrupted(wire: number): void {
    this.#wires[wire].entry()
  }

  /** Calls what is due; returns when the next call is due, Infinity if none is pending. */
  elapsed(): number {
    let next = NEVER
    for (let index = 0; index < this.#entries.length; index++) {
      const due = this.#due[index]
      if (due === NEVER) continue
      if (due <= this.#now()) {
        this.#due[index] = NEVER
        this.#entries[index]()
      }
      if (this.#due[index] < next) next = this.#due[index]!
    }
    return next
  }
}
