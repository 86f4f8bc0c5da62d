/**
 * A scripted guest around one device: it reads its device tree, finds the device, as a virtio one under a VMM or behind
 * PCIe on the bare machine, starts its driver, and lets a task use it. The same image and software run everywhere.
 */
import type { Environment, Lifecycle } from '../../drivers/environment.ts'
import { pcieBus } from '../../drivers/pcie.ts'
import { plicDriver } from '../../drivers/plic.ts'
import { type CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import type { HartPort, Software, SoftwareState } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { sie, sip, stimecmp } from '../../hw/spec/csrs/supervisor.ts'
import { virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { A1 } from '../../hw/spec/sbi.ts'
import { openTree, readTree, treeFindings, VIRTIO_SLOTS } from './device-tree.ts'
import { DRIVER_BYTES } from './image.ts'

/** The device that a guest is about: how it is found, and its drivers. */
export interface Hardware<D extends Lifecycle> {
  /** PCIe class, subclass and interface. */
  readonly pcieClass: number
  readonly virtioId: number
  /** Requests or buffers at a time. */
  readonly queueDepth: number
  readonly physical: DriverMaker<D>
  readonly virtual: DriverMaker<D>
}

export type DriverMaker<D extends Lifecycle> = (env: Environment, config: { readonly queueDepth: number }) => D

/** What a task says when it has done what it can: a step's result. */
export const WAIT = 0
/** Now comes what is to be measured. */
export const BEGIN = 1
export const DONE = 2
export const FAILED = 3
/** Nothing tells when it can go on: call it again in a while. */
export const RETRY = 4

/** What the guest is for. */
export interface Task {
  /** Its variables. */
  readonly state: SoftwareState
  /** Called whenever something may have happened, interrupts off. */
  step(port: HartPort): number
}

/** What a task is made with. */
export interface TaskGround<D extends Lifecycle> {
  /** The drivers, of which one is in use: `device` says which. */
  readonly drivers: readonly [physical: D, virtual: D]
  device(): D
  /** Address of the image's data, for the hart and the device. */
  readonly data: number
}

const STIP = 1 << 5
const SEIP = 1 << 9
const NEVER = Number.MAX_SAFE_INTEGER
const MICROSECONDS = 1_000_000
const RETRY_MICROSECONDS = 1000
/** Of any PLIC that these guests meet. */
const SOURCES = 95
const PRIORITY = 1

/** Builds the software of an image made by `scriptedImage`. */
export function scriptedGuest<D extends Lifecycle>(
  name: string,
  program: Program,
  hardware: Hardware<D>,
  makeTask: (ground: TaskGround<D>) => Task,
): Software {
  const label = (symbol: string): number => {
    const found = program.symbols.get(symbol)
    if (found === undefined) throw new Error(`the image of ${name} has no label ${symbol}`)
    return found
  }
  // No entry has run yet: the first thing that each does is to say where it runs.
  const current: CurrentPort = { port: undefined as unknown as HartPort }
  const findings = treeFindings()
  const slots = { windows: new Float64Array(VIRTIO_SLOTS), sources: new Int32Array(VIRTIO_SLOTS) }
  const plicWindow = { base: 0 }
  const ecam = { base: 0 }
  const window = { base: 0 }
  const chosen = { virtual: false, source: 0 }
  function setMasked(masked: boolean): void {
    if (masked) controller.disable(chosen.source)
    else controller.enable(chosen.source, PRIORITY)
  }

  const now = () => (current.port.read(time) * MICROSECONDS) / findings.ticksPerSecond
  const place = (part: string, registers: { base: number }, at: string) =>
    new PortEnvironment({
      current,
      name: part,
      registers,
      dma: { base: label(at), device: label(at), bytes: DRIVER_BYTES },
      interrupts: [setMasked],
      now,
      wakeAt: ignored,
    })
  const plicEnvironment = place('plic', plicWindow, 'physical_driver')
  const plicConfig = { context: 0, sources: SOURCES }
  const controller = plicDriver(plicEnvironment, plicConfig)
  const bus = pcieBus(place('pcie', ecam, 'physical_driver'))
  const physicalEnvironment = place('physical', window, 'physical_driver')
  const virtualEnvironment = place('virtual', window, 'virtual_driver')
  const physical = hardware.physical(physicalEnvironment, hardware)
  const virtual = hardware.virtual(virtualEnvironment, hardware)
  const task = makeTask({
    drivers: [physical, virtual],
    device: () => (chosen.virtual ? virtual : physical),
    data: label('data'),
  })
  const state: SoftwareState = {
    findings,
    'virtio windows': slots.windows,
    'virtio sources': slots.sources,
    'plic window': plicWindow,
    'plic context': plicConfig,
    ecam,
    window,
    chosen,
    ...plicEnvironment.registered,
    ...physicalEnvironment.registered,
    ...virtualEnvironment.registered,
    ...task.state,
  }
  const [read, idle, work, begin, finish, failed, back] = [
    label('read'),
    label('idle'),
    label('work'),
    label('begin'),
    label('finish'),
    label('failed'),
    label('back'),
  ]

  function onBoot(port: HartPort): void {
    openTree(port, port.x(A1), findings)
    port.jump(read)
  }

  function onRead(port: HartPort): void {
    current.port = port
    if (!readTree(port, findings, slots)) return port.jump(read)
    if (findings.plic === 0 || findings.context < 0 || findings.ticksPerSecond === 0) return port.jump(failed)
    if (!findVirtual(port) && !findPhysical()) return port.jump(failed)
    plicWindow.base = findings.plic
    plicConfig.context = findings.context
    controller.start()
    controller.enable(chosen.source, PRIORITY)
    port.write(stimecmp, NEVER)
    port.write(sie, STIP | SEIP)
    if (chosen.virtual) virtual.start()
    else physical.start()
    port.jump(work)
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
    ecam.base = findings.ecam
    const slot = bus.findClass(hardware.pcieClass)
    if (slot < 0) return false
    window.base = findings.pcieMemory
    bus.enable(slot, findings.pcieMemory)
    chosen.source = findings.pcieSource + bus.wire(slot)
    return true
  }

  function onWork(port: HartPort): void {
    current.port = port
    const due = chosen.virtual ? virtualEnvironment.elapsed() : physicalEnvironment.elapsed()
    const outcome = task.step(port)
    if (outcome === BEGIN) return port.jump(begin)
    if (outcome === DONE) return port.jump(finish)
    if (outcome === FAILED) return port.jump(failed)
    const next = outcome === RETRY ? Math.min(due, now() + RETRY_MICROSECONDS) : due
    // What the step has deferred is due at once.
    if (next === 0) return port.jump(work)
    port.write(stimecmp, next === Infinity ? NEVER : Math.ceil((next * findings.ticksPerSecond) / MICROSECONDS))
    port.jump(idle)
  }

  function onInterrupt(port: HartPort): void {
    current.port = port
    const pending = port.read(sip)
    if ((pending & STIP) !== 0) port.write(stimecmp, NEVER)
    if ((pending & SEIP) !== 0) {
      let source = controller.claim()
      while (source !== 0) {
        if (source === chosen.source) {
          if (chosen.virtual) virtualEnvironment.interrupted(0)
          else physicalEnvironment.interrupted(0)
        }
        controller.complete(source)
        source = controller.claim()
      }
    }
    port.jump(back)
  }

  const doors: Readonly<Record<string, (port: HartPort) => void>> = {
    boot: onBoot,
    read: onRead,
    work: onWork,
    interrupt: onInterrupt,
  }
  return { name, entries: program.entries.map(entry => doors[entry.label]), state }
}

function ignored(): void {
  // The loop looks at what is due by itself.
}
