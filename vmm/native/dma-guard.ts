/**
 * The IOMMU in the VMM's hands. A device that the VMM drives itself reaches, at the machine's own addresses, the memory of
 * its driver and the RAM of the guests that it serves, page by page as they get it; a device that a guest drives reaches
 * that guest's RAM, where the guest has it; any other reaches nothing. Refused requests are counted by device.
 */
import type { IommuDevice } from '../../drivers/iommu.ts'
import type { PcieBus } from '../../drivers/pcie.ts'
import type { CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { mapLarge, mapSmall, ROOT_BYTES, SMALL_PAGE, type TableAllocator, unmapLarge } from '../core/g-stage.ts'
import type { PlacedDevice } from '../core/placed-device.ts'
import type { PlannedGuest } from './ground.ts'

/** Requester numbers of bus 0 and of the virtual functions behind it. */
export const GUARDED_DEVICES = 512
/** Devices that the VMM itself can drive. */
export const OWN_DOMAINS = 8
const FUNCTIONS_OF_A_SLOT = 8
const FAULTS_AT_A_TIME = 128

/** What one of the VMM's own devices reaches. */
interface OwnDomain {
  /** Where the VMM has its registers: that is how it is known before it is found. */
  readonly registers: number
  readonly root: number
  readonly gscid: number
  readonly memory: { readonly base: number; readonly bytes: number }
  readonly served: PlannedGuest[]
}

/** The tables of what a device of the VMM's own reaches, and who has to know when they change. */
export interface LentDomain {
  readonly root: number
  readonly gscid: number
  readonly driver: IommuDevice
  readonly takeTable: TableAllocator
}

export interface GuardParts {
  readonly current: CurrentPort
  readonly environment: PortEnvironment
  readonly driver: IommuDevice
  readonly source: number
  readonly takeTable: TableAllocator
  /** Where the tables of its nth own domain begin, and what names them. */
  readonly rootOf: (domain: number) => number
  readonly gscidOf: (domain: number) => number
  /** The page that the messages of the VMM's own devices go to; 0 if there are none. */
  readonly messages: number
}

export class DmaGuard implements PlacedDevice {
  readonly name = 'iommu'
  /** The last request that was refused, and how many there have been; how often more were refused than could be noted. */
  readonly record = { faults: 0, lost: 0, device: 0, cause: 0, kind: 0, address: 0 }
  /** By requester number: requests refused. */
  readonly faultsOf = new Int32Array(GUARDED_DEVICES)
  readonly state: Readonly<Record<string, StateRecord>>
  readonly #parts: GuardParts
  readonly #domains: OwnDomain[] = []

  constructor(parts: GuardParts) {
    this.#parts = parts
    this.state = { 'dma faults': this.record, 'dma faults of': this.faultsOf, ...parts.environment.registered }
    const { record, faultsOf } = this
    parts.driver.onFault((device, cause, kind, address) => {
      record.faults++
      record.device = device
      record.cause = cause
      record.kind = kind
      record.address = address
      if (device < GUARDED_DEVICES) faultsOf[device]++
    })
  }

  /** A device of the VMM's own, known by where its registers will be, with its driver's memory. Set-up. */
  own(registers: number, memory: { readonly base: number; readonly bytes: number }): void {
    const index = this.#domains.length
    if (index === OWN_DOMAINS) throw new Error(`the VMM drives more than ${OWN_DOMAINS} devices behind its IOMMU`)
    const { rootOf, gscidOf } = this.#parts
    this.#domains.push({ registers, memory, root: rootOf(index), gscid: gscidOf(index), served: [] })
  }

  /** That device reaches the guest's RAM too. Set-up. */
  serve(registers: number, guest: PlannedGuest): void {
    this.#domainAt(registers)?.served.push(guest)
  }

  /** What that device reaches, for those who lend it more. Set-up. */
  domainOf(registers: number): LentDomain {
    const { driver, takeTable } = this.#parts
    const { root, gscid } = this.#domains.find(domain => domain.registers === registers)!
    return { root, gscid, driver, takeTable }
  }

  source(): number {
    return this.#parts.source
  }

  start(port: HartPort): void {
    this.#parts.driver.start()
    for (let index = 0; index < this.#domains.length; index++) this.#prepare(port, this.#domains[index])
  }

  settled(): boolean {
    return true
  }

  interrupt(): void {
    this.#parts.environment.interrupted(0)
    if (this.#parts.driver.overflowed()) this.record.lost++
  }

  elapsed(): number {
    return Infinity
  }

  /** Takes what is in the queue, whether or not its interrupt has come. */
  look(): void {
    this.#parts.driver.poll(FAULTS_AT_A_TIME)
  }

  /** A page has become the guest's: devices that serve it may reach it. Returns it; 0 is none. */
  give(port: HartPort, vm: number, page: number): number {
    if (page === 0) return 0
    for (let index = 0; index < this.#domains.length; index++) {
      const domain = this.#domains[index]
      for (let at = 0; at < domain.served.length; at++) {
        if (domain.served[at].vm.index === vm) mapLarge(port, domain.root, page, page, this.#parts.takeTable)
      }
    }
    return page
  }

  /** A page is the guest's no more: devices that serve it do not reach it when this returns. */
  takeBack(port: HartPort, vm: number, page: number): void {
    for (let index = 0; index < this.#domains.length; index++) {
      const { served, root, gscid } = this.#domains[index]
      for (let at = 0; at < served.length; at++) {
        if (served[at].vm.index !== vm) continue
        unmapLarge(port, root, page)
        this.#parts.driver.invalidate(gscid)
      }
    }
  }

  /** One of the VMM's own devices has been found: from now on it reaches its domain. */
  admit(identity: number, registers: number): void {
    const domain = this.#domainAt(registers)
    if (domain) this.#parts.driver.attach(identity, domain.root, domain.gscid, -1, 0, 0)
  }

  /** The function reaches the guest's RAM, all of which must be there, by the guest's own tables; messages as of table `messages`. */
  assign(identity: number, { vm }: PlannedGuest, messages: number, mask: number, pattern: number): boolean {
    return this.#parts.driver.attach(identity, vm.ram.root, vm.vmid, messages, mask, pattern)
  }

  /** The function reaches nothing any more. False if the IOMMU does not say so: the guest's memory must stay its own. */
  withdraw(identity: number, { vm }: PlannedGuest): boolean {
    const { driver } = this.#parts
    return driver.detach(identity) && driver.invalidate(vm.vmid)
  }

  /** Pages have been taken out of a guest's tables. */
  forget({ vm }: PlannedGuest): boolean {
    return this.#parts.driver.invalidate(vm.vmid)
  }

  /** Entry `index` of an MSI page table: an interrupt file. */
  setMessage(table: number, index: number, page: number): void {
    this.#parts.driver.setMessage(table, index, page)
  }

  #domainAt(registers: number): OwnDomain | undefined {
    for (let index = 0; index < this.#domains.length; index++) {
      if (this.#domains[index].registers === registers) return this.#domains[index]
    }
    return undefined
  }

  #prepare(port: HartPort, { root, memory, served }: OwnDomain): void {
    const { takeTable, messages } = this.#parts
    port.fill(root, 0, ROOT_BYTES)
    const end = memory.base + memory.bytes
    for (let page = memory.base; page < end; page += SMALL_PAGE) mapSmall(port, root, page, page, takeTable)
    if (messages !== 0) mapSmall(port, root, messages, messages, takeTable)
    for (let index = 0; index < served.length; index++) {
      const { donated } = served[index]
      for (let at = 0; at < donated.length; at++) mapLarge(port, root, donated[at].page, donated[at].page, takeTable)
    }
  }
}

/** The root bus, on which a function that is switched on has been admitted first. Set-up. */
export function guardedBus(bus: PcieBus, guard: DmaGuard): PcieBus {
  return {
    ...bus,
    enable: (slot, address) => {
      guard.admit(slot * FUNCTIONS_OF_A_SLOT, address)
      bus.enable(slot, address)
    },
  }
}
