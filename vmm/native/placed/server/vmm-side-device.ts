/** What a disk's and a card's server have in common for the VMM: the device's interrupt, its life, and when it is given up. */
import type { Environment } from '../../../../drivers/environment.ts'
import type { PcieBus } from '../../../../drivers/pcie.ts'
import { BIT_INTERRUPT, FLAG_MASKED, FLAG_READY } from './vmm-side-messages.ts'
import type { ServerThread } from './vmm-side-thread.ts'

/** Deaths in a row, with nothing answered between them, before the device is given up. */
const LIVES = 4

export interface ServedDevice {
  readonly environment: Environment
  readonly thread: ServerThread
  readonly bus: PcieBus
  /** The device's slot, -1 if it is not there any more; and where its registers are. */
  readonly find: () => number
  readonly registers: number
  /** Says at the interrupt controller that the interrupt has been handled. */
  readonly complete: () => void
  /** Enters the server soon. */
  readonly wake: () => void
}

/** State and steps of a served device; those who use it register `record`. */
export class ServedLife {
  readonly record = {
    started: false,
    ready: false,
    lost: false,
    masked: true,
    /** The interrupt has come, is with the server, and holds back the next until the server has been told of it and waits again. */
    held: false,
    told: false,
    lives: LIVES,
  }
  readonly #device: ServedDevice

  constructor(device: ServedDevice) {
    this.#device = device
    device.environment.interrupts[0].subscribe(() => this.#interrupted())
  }

  start(): void {
    this.record.started = true
    this.#device.thread.start()
    this.#device.wake()
  }

  /** True if the server can be told something, besides what its device does. */
  isReady(): boolean {
    return this.record.ready && !this.record.lost
  }

  #interrupted(): void {
    const { record } = this
    if (record.held || record.lost) return
    record.held = true
    record.told = false
    this.#device.thread.record.bits |= BIT_INTERRUPT
    this.#device.wake()
  }

  /** It is being told. */
  tell(): void {
    if (this.record.held) this.record.told = true
  }

  /** True if the interrupt is not to be completed yet. */
  holds(): boolean {
    return this.record.held
  }

  /** It waits again, and says how the device is. True if it was ready for the first time, or again. */
  heard(flags: number): boolean {
    const { record } = this
    const { environment, complete } = this.#device
    if (record.held && record.told) {
      record.held = false
      complete()
    }
    const masked = (flags & FLAG_MASKED) !== 0
    if (masked !== record.masked) {
      record.masked = masked
      if (masked) environment.interrupts[0].mask()
      else environment.interrupts[0].unmask()
    }
    const ready = (flags & FLAG_READY) !== 0
    const begins = ready && !record.ready
    record.ready = ready
    return begins
  }

  /** Something has been answered: it is worth another life. */
  lived(): void {
    this.record.lives = LIVES
  }

  /** It is dead: the device reaches nothing, and says nothing. True if it is worth another life. */
  died(): boolean {
    const { record } = this
    const { environment, bus, find, complete } = this.#device
    const slot = find()
    // One that has been pulled out masters nothing.
    if (slot >= 0) bus.disable(slot)
    if (record.held) complete()
    record.held = false
    record.masked = true
    environment.interrupts[0].mask()
    record.ready = false
    record.lives--
    if (record.lives === 0 || slot < 0) record.lost = true
    return !record.lost
  }

  /** Another life begins. */
  revived(): void {
    const { bus, find, registers } = this.#device
    const slot = find()
    if (slot >= 0) bus.enable(slot, registers)
  }
}
