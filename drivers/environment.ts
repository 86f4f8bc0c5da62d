/** All that a driver may touch. Whoever places a driver supplies one, and nothing else. */
import type { Readable, Writable } from '../hw/spec/registers.ts'

/**
 * Memory that the device can reach: `device` is its address there. Offsets are bytes; reads and writes are the
 * hart's own loads and stores, and priced so. A 64-bit value of 2^53 or more reads as 2^53.
 */
export interface DmaBuffer {
  readonly bytes: number
  /** The address that the device sees. */
  readonly device: number
  read8(offset: number): number
  read16(offset: number): number
  read32(offset: number): number
  read64(offset: number): number
  write8(offset: number, value: number): void
  write16(offset: number, value: number): void
  write32(offset: number, value: number): void
  write64(offset: number, value: number): void
}

/** A driver's own variables: flat, saved with the machine, rolled back when an entry is abandoned. */
export type DriverState = { [field: string]: number | boolean } | Int32Array | Float64Array

export interface Environment {
  /**
   * The device's registers. Elements of a register array by `index`. Registers of 64 bits are accessed as two words,
   * low first; `write` of one takes the whole number (below 2^53), `read` its low word and `readHigh` its high word.
   */
  readonly device: {
    read(register: Readable, index?: number): number
    readHigh(register: Readable, index?: number): number
    write(register: Writable, value: number, index?: number): void
  }
  readonly dma: {
    /** Zeroed, physically contiguous, aligned to its size rounded up to a power of two (at least 64, at most a page). */
    allocate(bytes: number): DmaBuffer
    free(buffer: DmaBuffer): void
    /** Orders writes to memory before a later register write or index update. */
    fence(): void
  }
  readonly interrupts: readonly Interrupt[]
  readonly time: {
    /**
     * Names one of the driver's fixed functions, while it is being made: a pending call is data (a name, a time), so
     * that it can be saved. Only named entries can be called later.
     */
    entry(name: string, entry: DriverEntry): void
    /** Microseconds from now. One pending call an entry. */
    after(microseconds: number, entry: DriverEntry): void
    /** As soon as the current entry is over. */
    defer(entry: DriverEntry): void
    /** Microseconds since some start, for timeouts. */
    now(): number
  }
  /** Registers variables under a name that is unique in the driver; returns `initial`, or what was saved. */
  state<T extends DriverState>(name: string, initial: T): T
}

/** A function of a driver that its environment calls later. Must be one of the driver's fixed functions: it is code, not data. */
export type DriverEntry = () => void

export interface Interrupt {
  subscribe(entry: DriverEntry): void
  mask(): void
  unmask(): void
}

/**
 * A driver's life, common to all devices. Made by `(env, config) => Device`, which allocates and subscribes but leaves
 * the hardware alone; then `start`, and when its owner has had enough, `stop`. After a failure nothing but `stop` works.
 */
export interface Lifecycle {
  /** Begins initialisation, once. It goes on by itself until `ready()` or `failure()`. */
  start(): void
  /** True once initialisation is over, until a failure or `stop`. */
  ready(): boolean
  /** Why the device is of no use, or '' if nothing is wrong. */
  failure(): string
  /** Begins to quiesce the device: no request is taken any more, and those outstanding are given back. */
  stop(): void
  /**
   * True when the device's DMA is at an end and the driver has freed all its memory. Stays false if the device does
   * not let itself be stopped (`failure()` says so): its owner must cut it off before any of its memory is used again.
   */
  stopped(): boolean
}

/**
 * 'device lost': no answer came, or one that cannot be believed. What the request did is unknown, and its memory may be
 * touched until `stopped()`.
 */
export type Completion = 'ok' | 'media error' | 'out of range' | 'unsupported' | 'device lost'

/**
 * A disk. Requests carry a tag chosen by the caller, 0 ≤ tag < depth; at most one request a tag. After a failure and at
 * `stop`, outstanding requests complete as 'device lost'.
 */
export interface BlockDevice extends Lifecycle {
  readonly depth: number
  sectors(): number
  readonly sectorBytes: number
  /** The most sectors in one request. */
  maximumSectors(): number
  /**
   * `device` is the data's address as the device sees it, a multiple of 4; it need not be one of this driver's own
   * buffers. False if not ready, the tag is busy, `count` is not within 1 to maximumSectors(), or the device has no room.
   */
  submit(
    tag: number,
    operation: 'read' | 'write' | 'flush',
    sector: number,
    count: number,
    device: number,
    forceUnitAccess: boolean,
  ): boolean
  /** Handles up to `budget` completions, calling `completed(tag, how)` for each; returns how many. */
  poll(budget: number): number
  onCompleted(completed: (tag: number, how: Completion) => void): void
}

/**
 * A network card. Buffers belong to the caller and are named by a tag, 0 ≤ tag < depth; transmitting and receiving
 * have tags of their own. After a failure and at `stop` buffers come back without a call: all of them, once `stopped()`.
 */
export interface NetworkDevice extends Lifecycle {
  readonly depth: number
  /** The station address as six bytes. */
  mac(): readonly number[]
  linkUp(): boolean
  /** Queues a frame of `bytes` at `device`; `transmitted(tag)` follows. False if not ready, the tag is busy or the ring is full. */
  transmit(tag: number, device: number, bytes: number): boolean
  /** Offers an empty buffer for receiving; `received(tag, bytes)` follows. False if not ready, the tag is busy or the ring is full. */
  provide(tag: number, device: number, bytes: number): boolean
  /** Handles up to `budget` frames sent or received; returns how many. */
  poll(budget: number): number
  onTransmitted(transmitted: (tag: number) => void): void
  onReceived(received: (tag: number, bytes: number) => void): void
}

/** A serial console. */
export interface ConsoleDevice extends Lifecycle {
  /** False if the transmitter has no room. */
  put(byte: number): boolean
  /** -1 if nothing has come. */
  get(): number
  onInput(input: () => void): void
}

/** An interrupt controller, as one of its contexts sees it. Sources are numbered from 1. */
export interface InterruptController {
  start(): void
  ready(): boolean
  failure(): string
  /** Lets a source through at a priority (0: never, whatever the threshold). */
  enable(source: number, priority: number): void
  disable(source: number): void
  /** Sources at or below this priority do not interrupt. */
  threshold(priority: number): void
  /** The source to be handled, or 0 if there is none. Each is to be completed. */
  claim(): number
  complete(source: number): void
}

/** A clock that knows the date, with one alarm. Times are microseconds since 1970. */
export interface ClockDevice extends Lifecycle {
  now(): number
  /** Replaces the alarm that is set, if any. One in the past rings at once. */
  setAlarm(microseconds: number): void
  onAlarm(rung: () => void): void
}
