/**
 * A device that interrupts nobody: its hart looks whether it has done anything, on its way out of each entry, again and
 * again while it has nothing to run, and every so often while a guest runs there. Until the driver is ready that is
 * hart 0, where everything begins.
 */
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import type { PlacedDevice } from '../../core/placed-device.ts'

/** Between two looks while a guest runs, in ticks of the time CSR: 10 µs. */
const PAUSE = 100
/** Completions or frames of one look: each frame may be copied to every guest. */
const BUDGET = 8
const NEVER = Infinity

interface Pollable {
  ready(): boolean
  poll(budget: number): number
}

/** A device whose wire is left alone: a controller raises it for answers to its admin commands, whatever it was told. Set-up. */
export function quiet(device: PlacedDevice): PlacedDevice {
  return {
    name: device.name,
    source: () => 0,
    start: port => device.start(port),
    settled: () => device.settled(),
    interrupt: () => {},
    elapsed: port => device.elapsed(port),
  }
}

export class PolledDevice implements PlacedDevice {
  readonly name: string
  readonly state: Readonly<Record<string, StateRecord>>
  /** Where it is polled. */
  readonly home: number
  readonly #record = { running: false }
  readonly #device: PlacedDevice
  readonly #driver: Pollable

  constructor(device: PlacedDevice, driver: Pollable, hart: number) {
    this.name = device.name
    this.state = { [`polled ${device.name}`]: this.#record }
    this.#device = device
    this.#driver = driver
    this.home = hart
  }

  source(): number {
    return 0
  }

  start(port: HartPort): void {
    this.#device.start(port)
  }

  settled(): boolean {
    return this.#device.settled()
  }

  interrupt(): void {
    // It has none.
  }

  hart(): number {
    return this.#record.running ? this.home : 0
  }

  /** On hart 0. */
  elapsed(port: HartPort): number {
    return this.look(port)
  }

  /** On any; returns when it wants to be called there again, as `elapsed` does. */
  look(port: HartPort): number {
    if (this.hart() !== port.hart) return NEVER
    const done = this.#driver.poll(BUDGET)
    const next = this.#device.elapsed(port)
    if (this.#driver.ready()) this.#record.running = true
    if (!this.#record.running) return next
    const look = done === BUDGET ? 0 : port.read(time) + PAUSE
    return next < look ? next : look
  }
}
