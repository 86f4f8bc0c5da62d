/** The network card whose virtual functions guests have: its physical function is the VMM's, which makes the others appear and answers their mailboxes. */
import type { NicDevice } from '../../../drivers/nic.ts'
import type { PcieFunctions } from '../../../drivers/pcie-functions.ts'
import type { PcieBus } from '../../../drivers/pcie.ts'
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { NIC_DEVICE, NIC_VENDOR } from '../../../hw/spec/devices/nic.ts'
import type { PlacedDevice } from '../../core/placed-device.ts'

/** Where their memory is put: in the root bus's window, behind that of all other functions. */
const WINDOWS = 0x7000_0000
const FUNCTIONS_OF_A_SLOT = 8
/** Before anybody touches them: 100 ms, in ticks (PCIe 9.3.3.3.1). */
const APPEARANCE = 1_000_000
/** Not there yet, and never. */
export const NOT_YET = -1
export const NEVER = -2

export class FunctionHost implements PlacedDevice {
  readonly name = 'nic'
  readonly state: Readonly<Record<string, StateRecord>>
  readonly #record = { physical: NOT_YET, enabledAt: NOT_YET, bytes: 0 }
  readonly #card: PlacedDevice
  readonly #driver: NicDevice
  readonly #functions: PcieFunctions
  readonly #bus: PcieBus
  readonly #count: number

  /** `count`: how many guests have one. */
  constructor(
    card: PlacedDevice,
    cardState: Readonly<Record<string, StateRecord>>,
    driver: NicDevice,
    functions: PcieFunctions,
    bus: PcieBus,
    count: number,
  ) {
    this.#card = card
    this.#driver = driver
    this.#functions = functions
    this.#bus = bus
    this.#count = count
    this.state = { ...cardState, 'network functions': this.#record }
  }

  source(): number {
    return this.#card.source()
  }

  start(port: HartPort): void {
    this.#card.start(port)
    const slot = this.#bus.find(NIC_VENDOR, NIC_DEVICE)
    const physical = slot * FUNCTIONS_OF_A_SLOT
    const isThere = slot >= 0 && this.#functions.total(physical) >= this.#count
    this.#record.physical = isThere ? physical : NEVER
    if (isThere) this.#record.bytes = this.#functions.bytes(physical, 1) / 2
  }

  settled(): boolean {
    return this.#record.physical === NEVER || this.#record.enabledAt >= 0 || this.#driver.failure() !== ''
  }

  interrupt(port: HartPort): void {
    this.#card.interrupt(port)
  }

  elapsed(port: HartPort): number {
    const next = this.#card.elapsed(port)
    const record = this.#record
    // Not before its driver is ready: that begins with a reset.
    if (record.enabledAt < 0 && record.physical >= 0 && this.#driver.ready()) {
      this.#functions.enable(record.physical, this.#count, WINDOWS)
      for (let index = 0; index < this.#count; index++) this.allow(index, true)
      record.enabledAt = port.read(time)
    }
    return next
  }

  /** The requester number of a virtual function, NOT_YET, or NEVER. */
  identityOf(port: HartPort, index: number): number {
    const { physical, enabledAt } = this.#record
    if (physical === NEVER || this.#driver.failure() !== '') return NEVER
    if (enabledAt < 0 || port.read(time) < enabledAt + APPEARANCE) return NOT_YET
    return this.#functions.routingId(physical, index)
  }

  /** Where its window of a BAR stands. */
  windowOf(bar: 0 | 3, index: number): number {
    return this.#functions.window(this.#record.physical, bar, index)
  }

  windowBytes(): number {
    return this.#record.bytes
  }

  /** Lets one send and receive. */
  allow(index: number, allowed: boolean): void {
    const { functions } = this.#driver
    if (functions !== undefined) functions.allow(index, allowed)
  }
}
