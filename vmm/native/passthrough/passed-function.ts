/**
 * A PCI Express function that a guest drives. The guest's harts reach its registers without the VMM, and it reaches the
 * guest's RAM through the IOMMU, by the same tables; configuration space and the MSI-X table are the VMM's. All of the
 * guest's RAM is there before it starts: no device can wait for a page.
 */
import type { PcieConfiguration } from '../../../drivers/pcie-configuration.ts'
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { MSIX_ENTRY_BYTES, msixCapability, msixEntry, pcie, swizzle } from '../../../hw/spec/devices/pcie.ts'
import { GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import { withField } from '../../../hw/spec/registers.ts'
import type { PlacedDevice } from '../../core/placed-device.ts'
import type { VirtualLine } from '../../virtual/chip.ts'
import { type PcieOwner, VirtualPcieFunction } from '../../virtual/pcie-function.ts'
import type { DmaGuard } from '../dma-guard.ts'
import type { PlannedGuest } from '../ground.ts'
import type { Assignment } from './assignment.ts'
import type { BarMap } from './bar-map.ts'
import { type FunctionHost, NEVER, NOT_YET } from './function-host.ts'
import { describe, takeBars, takeTable, takeWindow } from './function-shape.ts'
import type { MessageRoute } from './message-route.ts'

/** The root bus's wires are sources from here on. */
const FIRST_WIRE = 32
/** Pages of the guest's that are put into their place in one entry. */
const PAGES_AT_A_TIME = 128
/** What configuration space says where there is no function. */
const NOBODY = 0xffff
/** Class, subclass, interface. */
const CLASSES = { disk: 0x01_08_02, network: 0x02_00_00 } as const
const { fields: decoded } = pcie.COMMAND
const MEMORY = withField(decoded.MEMORY_SPACE, 0, 1)
const MASTER = withField(decoded.BUS_MASTER, 0, 1)
const SILENT = withField(decoded.INTERRUPT_DISABLE, 0, 1)
const PENDING = 1 << (16 + pcie.STATUS.fields.INTERRUPT_STATUS.low)
const ENABLED = withField(msixCapability.MESSAGE_CONTROL.fields.ENABLE, 0, 1)
const MASKED = withField(msixCapability.MESSAGE_CONTROL.fields.FUNCTION_MASK, 0, 1)
/** Ticks between two looks for a virtual function: 1 ms. */
const LOOK_AGAIN = 10_000

export interface FunctionParts {
  readonly assignment: Assignment
  readonly guest: PlannedGuest
  readonly configuration: PcieConfiguration
  /** Where it comes from, if it is a virtual function. */
  readonly functions: FunctionHost | undefined
  readonly guard: DmaGuard
  readonly bars: BarMap
  /** Where in the machine's PCIe window its memory is put: room for all its BARs. */
  readonly window: number
  /** Where its messages go, if they are posted. */
  readonly route: MessageRoute | undefined
}

export class PassedFunction implements PlacedDevice, PcieOwner {
  readonly name: string
  readonly guest: PlannedGuest
  readonly virtual: VirtualPcieFunction
  readonly state: Readonly<Record<string, StateRecord>>
  /** `pinned`: bytes of the guest's RAM that are in their place. `raised`: the pin was up, and the guest has not said that it is done. */
  readonly #record = {
    identity: NOT_YET,
    source: 0,
    pinned: 0,
    ready: false,
    command: 0,
    raised: false,
    silent: false,
    express: 0,
    messages: 0,
    tableBar: -1,
    table: 0,
    tableBytes: 0,
    withdrawn: false,
  }
  readonly #parts: FunctionParts
  readonly #class: number
  #line: VirtualLine | undefined

  constructor(parts: FunctionParts, index: number) {
    const { device, number } = parts.assignment
    this.name = `${device} ${number}`
    this.guest = parts.guest
    this.#parts = parts
    this.#class = CLASSES[device]
    this.virtual = new VirtualPcieFunction(`passed ${index} configuration`, this)
    this.state = {
      [`passed ${index}`]: this.#record,
      [`passed ${index} bars`]: parts.bars.bases,
      [`passed ${index} places`]: parts.bars.places,
      [`passed ${index} sizes`]: parts.bars.sizes,
      [`passed ${index} kept`]: parts.bars.kept,
      ...this.virtual.state,
    }
  }

  /** The wire that it has in the guest. Set-up. */
  connect(line: VirtualLine): void {
    this.#line = line
  }

  source(): number {
    return this.#record.source
  }

  start(port: HartPort): void {
    const { assignment, configuration, functions } = this.#parts
    if (!functions) this.#take(port, configuration.findClass(this.#class, assignment.number))
  }

  /** It has been found, or never will be: its memory has or gets a place. It masters nothing yet. */
  #take(port: HartPort, identity: number): void {
    const { assignment, configuration, functions, bars, window, route } = this.#parts
    const record = this.#record
    record.identity = identity < 0 ? NEVER : identity
    if (identity < 0) return
    configuration.write16(identity, pcie.COMMAND.at, SILENT)
    if (functions) {
      takeWindow(functions, assignment.number, 0, bars, this.virtual)
      takeWindow(functions, assignment.number, 3, bars, this.virtual)
    } else takeBars(configuration, identity, window, bars, this.virtual)
    const hasPin = assignment.interrupts !== 'polled' && !functions
    describe(configuration, identity, functions !== undefined, hasPin, this.virtual)
    takeTable(configuration, identity, record, route ? this.virtual : undefined)
    if (record.messages !== 0) bars.keep(record.tableBar, record.table, record.tableBytes)
    this.#setCommand(MEMORY | SILENT)
    if (assignment.interrupts === 'trapped')
      record.source = FIRST_WIRE + swizzle(identity >>> 3, configuration.read8(identity, pcie.INTERRUPT_PIN.at))
    route?.prepare(port)
  }

  settled(): boolean {
    return this.#record.identity === NEVER || this.#record.ready
  }

  /** The wire is up, for this function or another: silenced at the function, until the guest has done its part. */
  interrupt(port: HartPort): void {
    const record = this.#record
    if (record.withdrawn) return
    const word = this.#parts.configuration.read32(record.identity, pcie.COMMAND.at)
    if ((word & PENDING) === 0 || (word & SILENT) !== 0) return
    record.raised = true
    this.#setCommand(record.command | SILENT)
    this.#line!.set(port, true)
  }

  /** The guest has handled its interrupt: the next may come, or the same again. */
  completed(port: HartPort): void {
    const record = this.#record
    if (!record.raised) return
    record.raised = false
    this.#line!.set(port, false)
    if (!record.silent) this.#setCommand(record.command & ~SILENT)
  }

  /** Puts the guest's RAM into its place, a part at a time; then the function may reach it. */
  elapsed(port: HartPort): number {
    const record = this.#record
    if (record.identity === NEVER || record.ready) return Infinity
    if (record.identity === NOT_YET) return this.#look(port)
    if (!this.#pin(port)) return port.read(time)
    const { guard, route } = this.#parts
    record.ready = true
    record.withdrawn = route
      ? !guard.assign(record.identity, this.guest, route.table, route.mask, route.pattern)
      : !guard.assign(record.identity, this.guest, -1, 0, 0)
    return Infinity
  }

  /** Whether the virtual function has appeared; when to look again. */
  #look(port: HartPort): number {
    const { functions, assignment } = this.#parts
    const identity = functions === undefined ? NEVER : functions.identityOf(port, assignment.number)
    if (identity === NOT_YET) return port.read(time) + LOOK_AGAIN
    this.#take(port, identity)
    return port.read(time)
  }

  /** The guest is over: nothing of the function's may be on its way to memory when this returns. */
  end(port: HartPort): void {
    const record = this.#record
    if (record.identity < 0 || record.withdrawn) return
    const { configuration, guard, functions, assignment } = this.#parts
    if (functions) functions.allow(assignment.number, false)
    this.#setCommand(SILENT)
    configuration.reset(record.identity)
    record.withdrawn = guard.withdraw(record.identity, this.guest)
    this.#unmap(port)
  }

  /**
   * Its guest begins anew, with its RAM in place: so does the function, once reset. False if it has gone, or if the IOMMU
   * has not said that it reaches nothing.
   */
  again(port: HartPort): boolean {
    const record = this.#record
    const { configuration, functions, assignment } = this.#parts
    const { identity } = record
    if (identity < 0 || !record.withdrawn) return false
    if (functions) functions.allow(assignment.number, true)
    else if (configuration.read16(identity, pcie.VENDOR_ID.at) === NOBODY) return false
    record.withdrawn = false
    record.ready = false
    record.raised = false
    this.#take(port, identity)
    return true
  }

  // What the guest does to the function.

  commanded(port: HartPort, memory: boolean, master: boolean, silent: boolean): void {
    const record = this.#record
    if (record.withdrawn) return
    record.silent = silent || this.#parts.assignment.interrupts !== 'trapped'
    this.#setCommand(MEMORY | (master ? MASTER : 0) | (record.silent || record.raised ? SILENT : 0))
    if (memory) this.#parts.bars.map(port, this.virtual)
    else this.#unmap(port)
  }

  moved(port: HartPort): void {
    if (!this.virtual.isDecoding() || this.#record.withdrawn) return
    this.#unmap(port)
    this.#parts.bars.map(port, this.virtual)
  }

  messages(_port: HartPort, enabled: boolean, masked: boolean): void {
    const { identity, messages, withdrawn } = this.#record
    if (withdrawn) return
    const control = (enabled ? ENABLED : 0) | (masked ? MASKED : 0)
    this.#parts.configuration.write16(identity, messages + msixCapability.MESSAGE_CONTROL.at, control)
  }

  isPending(): boolean {
    return this.#record.raised
  }

  load(port: HartPort, bar: number, offset: number, bytes: 1 | 2 | 4): number {
    const at = this.#parts.bars.bases[bar] + offset
    if (bytes === 1) return port.load8(at)
    return bytes === 2 ? port.load16(at) : port.load32(at)
  }

  store(port: HartPort, bar: number, offset: number, bytes: 1 | 2 | 4, value: number): void {
    const { tableBar, table, tableBytes } = this.#record
    const at = this.#parts.bars.bases[bar] + offset
    if (bar === tableBar && offset >= table && offset < table + tableBytes) {
      if (bytes === 4) this.#setMessage(port, at, (offset - table) % MSIX_ENTRY_BYTES, value)
    } else if (bytes === 1) port.store8(at, value)
    else if (bytes === 2) port.store16(at, value)
    else port.store32(at, value)
  }

  /** A word of the MSI-X table: messages go to the guest's interrupt files or nowhere. The IOMMU sees to it that they are its own. */
  #setMessage(port: HartPort, at: number, word: number, value: number): void {
    const { route } = this.#parts
    if (!route) return
    if (word === msixEntry.ADDRESS.at) port.store32(at, route.isFile(value) ? value : 0)
    else if (word === msixEntry.ADDRESS_HIGH.at) port.store32(at, 0)
    else port.store32(at, value)
  }

  #unmap(port: HartPort): void {
    const { bars, guard } = this.#parts
    if (!bars.unmap(port)) return
    this.guest.vm.forgetTranslations()
    guard.forget(this.guest)
  }

  #setCommand(command: number): void {
    this.#record.command = command
    this.#parts.configuration.write16(this.#record.identity, pcie.COMMAND.at, command)
  }

  /** True when all of the guest's RAM is there. */
  #pin(port: HartPort): boolean {
    const record = this.#record
    const { vm, donated } = this.guest
    if (record.pinned === 0)
      for (let index = 0; index < donated.length; index++)
        vm.ram.donate(port, donated[index].guest, donated[index].page)
    const step = vm.ram.pageBytes
    for (let left = PAGES_AT_A_TIME; left > 0 && record.pinned < vm.ram.bytes; left--) {
      vm.ram.populate(port, GUEST_RAM + record.pinned)
      record.pinned += step
    }
    return record.pinned === vm.ram.bytes
  }
}
