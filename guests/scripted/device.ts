/** A device of a scripted guest: found as a virtio one or behind PCIe, with the driver that fits. */
import type { Environment, InterruptController, Lifecycle } from '../../drivers/environment.ts'
import type { PcieBus } from '../../drivers/pcie.ts'
import type { PcieMessages } from '../../drivers/pcie-messages.ts'
import { type CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import type { HartPort, SoftwareState } from '../../hw/port.ts'
import { virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import type { TreeFindings, VirtioSlots } from './device-tree.ts'
import { DRIVER_BYTES } from './image.ts'

/** A device whose driver can do without interrupts. */
export type Pollable = Lifecycle & { poll(budget: number): number }

/** A device that a guest is about: how it is found, and its drivers. */
export interface Hardware<D extends Pollable> {
  /** PCIe class, subclass and interface. */
  readonly pcieClass: number
  readonly virtioId: number
  /** Requests or buffers at a time. */
  readonly queueDepth: number
  readonly physical: DriverMaker<D>
  readonly virtual: DriverMaker<D>
  /** Of a virtual function (SR-IOV), known by its vendor and device. */
  readonly functional?: { readonly vendor: number; readonly device: number; readonly driver: DriverMaker<D> }
}

type DriverMaker<D extends Pollable> = (env: Environment, config: { readonly queueDepth: number }) => D

/** What a task is made with. */
export interface TaskGround<D extends Pollable> {
  /** The drivers, of which one is in use: `device` says which. */
  readonly drivers: readonly D[]
  device(): D
  /** Address of the image's data, for the hart and the device. */
  readonly data: number
}

/** What the guest does with it. */
export interface GuestDevice {
  /** Finds it, and lets its interrupts through. False if it is not there. */
  find(port: HartPort): boolean
  start(): void
  /** The same of one found by `findByMessage`. */
  startByMessage(): void
  /** Calls what its driver has due; returns when the next call is. */
  elapsed(): number
  /** Finds it behind PCIe, and has its interrupts come as messages of this number to an interrupt file. False if it is not there. */
  findByMessage(file: number, number: number): boolean
  /** An interrupt of this source has come, its own or not. */
  interrupted(source: number): void
  readonly state: SoftwareState
}

/** What a guest's drivers share. */
interface Place {
  readonly current: CurrentPort
  /** Microseconds since some start. */
  readonly now: () => number
  /** Two regions of DRIVER_BYTES for each device. */
  readonly memory: number
}

/** What a guest's devices share. */
interface Surroundings extends Place {
  readonly findings: TreeFindings
  readonly slots: VirtioSlots
  readonly bus: PcieBus
  readonly controller: InterruptController
  /** For machines whose interrupts are messages. */
  readonly files: InterruptController
  readonly messages: PcieMessages
  readonly data: number
}

const PRIORITY = 1
const FUNCTIONS_OF_A_SLOT = 8
/** Completions or frames handled at one look. */
const POLL_BUDGET = 16
/** Each device's registers have so much of what PCIe has for them. */
const PCIE_WINDOW = 0x10_0000

/** The environment of a driver, which may use a region of memory. */
export function placeDriver(
  { current, now, memory }: Place,
  name: string,
  registers: { base: number },
  interrupts: readonly ((masked: boolean) => void)[],
): PortEnvironment {
  const dma = { base: memory, device: memory, bytes: DRIVER_BYTES }
  return new PortEnvironment({ current, name, registers, dma, interrupts, now, wakeAt: ignored })
}

/** Makes it, device `index` of the guest. */
export function guestDevice<D extends Pollable>(
  hardware: Hardware<D>,
  index: number,
  surroundings: Surroundings,
): { readonly device: GuestDevice; readonly ground: TaskGround<D> } {
  const { findings, slots, bus, controller, files, messages, current, now, data } = surroundings
  const memory = surroundings.memory + index * 2 * DRIVER_BYTES
  const window = { base: 0 }
  const chosen = { virtual: false, byMessage: false, polled: false, functional: false, source: 0 }
  function setMasked(masked: boolean): void {
    if (chosen.byMessage) {
      if (masked) files.disable(chosen.source)
      else files.enable(chosen.source, PRIORITY)
    } else if (masked) controller.disable(chosen.source)
    else controller.enable(chosen.source, PRIORITY)
  }

  const physicalEnvironment = placeDriver({ current, now, memory }, `physical ${index}`, window, [setMasked])
  const virtualEnvironment = placeDriver({ current, now, memory: memory + DRIVER_BYTES }, `virtual ${index}`, window, [
    setMasked,
  ])
  const physical = hardware.physical(physicalEnvironment, hardware)
  const virtual = hardware.virtual(virtualEnvironment, hardware)
  // It has the memory of the virtual device's driver: one of them is in use.
  const functionalEnvironment = placeDriver(
    { current, now, memory: memory + DRIVER_BYTES },
    `functional ${index}`,
    window,
    [setMasked],
  )
  const { functional } = hardware
  const third = functional?.driver(functionalEnvironment, hardware)

  function find(port: HartPort): boolean {
    return findVirtual(port) || findPhysical()
  }

  function findVirtual(port: HartPort): boolean {
    for (let slot = 0; slot < findings.virtioSlots; slot++) {
      const base = slots.windows[slot]
      if (port.load32(base + virtioMmio.DeviceID.at) !== hardware.virtioId) continue
      window.base = base
      chosen.source = slots.sources[slot]!
      chosen.virtual = true
      return true
    }
    return false
  }

  function findPhysical(): boolean {
    if (findings.ecam === 0) return false
    const slot = bus.findClass(hardware.pcieClass)
    if (slot < 0) return false
    window.base = findings.pcieMemory + index * PCIE_WINDOW
    bus.enable(slot, window.base)
    chosen.source = findings.pcieSource + bus.wire(slot)
    chosen.polled = findings.pcieSource === 0
    if (chosen.polled) chosen.functional = isFunctional(slot)
    return true
  }

  /** A virtual function's interrupts are messages, or none. */
  function isFunctional(slot: number): boolean {
    return functional !== undefined && bus.find(functional.vendor, functional.device) === slot
  }

  function findByMessage(file: number, number: number): boolean {
    const slot = bus.findClass(hardware.pcieClass)
    if (slot < 0) return false
    window.base = findings.pcieMemory + index * PCIE_WINDOW
    bus.enable(slot, window.base)
    chosen.functional = isFunctional(slot)
    if (!messages.route(slot * FUNCTIONS_OF_A_SLOT, file, number)) return false
    chosen.byMessage = true
    chosen.source = number
    files.enable(number, PRIORITY)
    return true
  }

  function start(): void {
    controller.enable(chosen.source, PRIORITY)
    if (chosen.virtual) virtual.start()
    else startByMessage()
  }

  function startByMessage(): void {
    if (chosen.functional && third !== undefined) third.start()
    else physical.start()
  }

  function elapsed(): number {
    if (chosen.virtual) return virtualEnvironment.elapsed()
    if (chosen.polled) return poll()
    return chosen.functional ? functionalEnvironment.elapsed() : physicalEnvironment.elapsed()
  }

  /** Where the bus has no wires: the driver looks again and again. */
  function poll(): number {
    if (chosen.functional && third !== undefined) {
      third.poll(POLL_BUDGET)
      functionalEnvironment.elapsed()
    } else {
      physical.poll(POLL_BUDGET)
      physicalEnvironment.elapsed()
    }
    return 0
  }

  function interrupted(source: number): void {
    if (source !== chosen.source) return
    if (chosen.virtual) virtualEnvironment.interrupted(0)
    else if (chosen.functional) functionalEnvironment.interrupted(0)
    else physicalEnvironment.interrupted(0)
  }

  const state: SoftwareState = {
    [`window ${index}`]: window,
    [`chosen ${index}`]: chosen,
    ...physicalEnvironment.registered,
    ...virtualEnvironment.registered,
    ...(third && functionalEnvironment.registered),
  }
  return {
    device: { find, findByMessage, startByMessage, start, elapsed, interrupted, state },
    ground: {
      drivers: third ? [physical, virtual, third] : [physical, virtual],
      device: () => (chosen.virtual ? virtual : chosen.functional && third !== undefined ? third : physical),
      data,
    },
  }
}

function ignored(): void {
  // The loop looks at what is due by itself.
}
