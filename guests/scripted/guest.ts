/**
 * A scripted guest around one device or two: it reads its device tree, finds the devices, as virtio ones under a VMM or
 * behind PCIe on the bare machine (device.ts), starts their drivers, and lets a task use them. The same image and
 * software run everywhere.
 */
import { fileEnvironment } from '../../drivers/file-environment.ts'
import { initialData, loadData } from '../../drivers/initial-data.ts'
import { imsicDriver } from '../../drivers/imsic.ts'
import { pcieMessages } from '../../drivers/pcie-messages.ts'
import { pcieBus } from '../../drivers/pcie.ts'
import { plicDriver } from '../../drivers/plic.ts'
import type { CurrentPort } from '../../drivers/port-environment.ts'
import type { HartPort, Software, SoftwareState } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { sie, sip, stimecmp, stvec } from '../../hw/spec/csrs/supervisor.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { A1 } from '../../hw/spec/sbi.ts'
import { openTree, readTree, treeFindings, VIRTIO_SLOTS } from './device-tree.ts'
import { fileFindings, readFiles } from './interrupt-files.ts'
import { type GuestDevice, guestDevice, type Hardware, placeDriver, type Pollable, type TaskGround } from './device.ts'

export type { Hardware, TaskGround } from './device.ts'

/** What a task says when it has done what it can: a step's result. */
export const WAIT = 0
/** Now comes what is to be measured. */
export const BEGIN = 1
export const DONE = 2
export const FAILED = 3
/** Nothing tells when it can go on: call it again in a while. */
export const RETRY = 4
/** It has done enough for one entry, and goes on in the next. */
export const AGAIN = 5

/** What the guest is for. */
export interface Task {
  /** Its variables. */
  readonly state: SoftwareState
  /** When it is to be called even if nothing happens: microseconds since the time CSR was zero. Never, unless given. */
  due?(): number
  /** Called whenever something may have happened, interrupts off. */
  step(port: HartPort): number
}

const STIP = 1 << 5
const SEIP = 1 << 9
const NEVER = Number.MAX_SAFE_INTEGER
const MICROSECONDS = 1_000_000
const RETRY_MICROSECONDS = 1000
/** Interrupts handled in one entry. */
const CLAIMS = 8
/** Of any PLIC that these guests meet. */
const SOURCES = 95

/** Builds the software of an image made by `scriptedImage`. */
export function scriptedGuest<D extends Pollable>(
  name: string,
  program: Program,
  hardware: Hardware<D>,
  makeTask: (ground: TaskGround<D>) => Task,
): Software {
  const ground = groundOf(name, program)
  const device = guestDevice(hardware, 0, ground)
  return guestSoftware(ground, [device.device], makeTask(device.ground))
}

/** The same of an image with two devices. It may begin anew. */
export function twoDeviceGuest<A extends Pollable, B extends Pollable>(
  name: string,
  program: Program,
  hardware: readonly [Hardware<A>, Hardware<B>],
  makeTask: (first: TaskGround<A>, second: TaskGround<B>) => Task,
): Software {
  const ground = groundOf(name, program)
  const first = guestDevice(hardware[0], 0, ground)
  const second = guestDevice(hardware[1], 1, ground)
  return guestSoftware(ground, [first.device, second.device], makeTask(first.ground, second.ground), true)
}

/** What the guest's devices share: where they are found, the interrupt controller, and the time. */
function groundOf(name: string, program: Program) {
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

  function now(): number {
    return (current.port.read(time) * MICROSECONDS) / findings.ticksPerSecond
  }

  const memory = label('drivers')
  const plicEnvironment = placeDriver({ current, now, memory }, 'plic', plicWindow, [])
  const plicConfig = { context: 0, sources: SOURCES }
  const controller = plicDriver(plicEnvironment, plicConfig)
  const bus = pcieBus(placeDriver({ current, now, memory }, 'pcie', ecam, []))
  const file = fileEnvironment(current, 'imsic')
  const files = imsicDriver(file.environment)
  const table = { base: 0 }
  const messages = pcieMessages(
    placeDriver({ current, now, memory }, 'pcie messages', ecam, []),
    placeDriver({ current, now, memory }, 'message table', table, []),
    table,
  )
  const fileFound = fileFindings()
  const state: SoftwareState = {
    findings,
    'virtio windows': slots.windows,
    'virtio sources': slots.sources,
    'plic window': plicWindow,
    'plic context': plicConfig,
    ecam,
    ...plicEnvironment.registered,
    'interrupt files': fileFound,
    'message table': table,
    ...file.registered,
  }
  const data = label('data')
  return {
    name,
    program,
    label,
    current,
    now,
    memory,
    data,
    findings,
    slots,
    plicWindow,
    plicConfig,
    ecam,
    controller,
    files,
    fileFound,
    messages,
    bus,
    state,
  }
}

function guestSoftware(
  ground: ReturnType<typeof groundOf>,
  devices: readonly GuestDevice[],
  task: Task,
  restarts = false,
): Software {
  const {
    name,
    program,
    label,
    current,
    findings,
    slots,
    plicWindow,
    plicConfig,
    ecam,
    controller,
    files,
    fileFound,
    now,
  } = ground
  const state: SoftwareState = Object.assign({}, ground.state, ...devices.map(device => device.state), task.state)
  const image = restarts ? initialData(state) : undefined
  const [read, filesDoor, trapMessage, idle, work, begin, finish, failed, back] = [
    label('read'),
    label('files'),
    label('trap_message'),
    label('idle'),
    label('work'),
    label('begin'),
    label('finish'),
    label('failed'),
    label('back'),
  ]

  function onBoot(port: HartPort): void {
    // Of what there is once more in one life of the machine, the variables are as its image has them.
    if (image) loadData(image)
    openTree(port, port.x(A1), findings)
    port.jump(read)
  }

  function onRead(port: HartPort): void {
    current.port = port
    if (!readTree(port, findings, slots)) return port.jump(read)
    if (findings.plic === 0 || findings.context < 0 || findings.ticksPerSecond === 0) return port.jump(filesDoor)
    ecam.base = findings.ecam
    for (const device of devices) if (!device.find(port)) return port.jump(failed)
    plicWindow.base = findings.plic
    plicConfig.context = findings.context
    controller.start()
    port.write(stimecmp, NEVER)
    port.write(sie, STIP | SEIP)
    for (const device of devices) device.start()
    port.jump(work)
  }

  /** There is no PLIC: interrupts are messages, or none of this guest's business. a1 is still where the tree is. */
  function onFiles(port: HartPort): void {
    current.port = port
    if (!fileFound.reading) openTree(port, port.x(A1), findings)
    fileFound.reading = true
    if (!readFiles(port, findings, fileFound)) return port.jump(filesDoor)
    if (fileFound.file === 0 || findings.ticksPerSecond === 0) return port.jump(failed)
    ecam.base = findings.ecam
    files.start()
    for (let index = 0; index < devices.length; index++) {
      if (!devices[index].findByMessage(fileFound.file, index + 1)) return port.jump(failed)
    }
    port.write(stvec, trapMessage)
    port.write(stimecmp, NEVER)
    port.write(sie, STIP | SEIP)
    for (const device of devices) device.startByMessage()
    port.jump(work)
  }

  function onWork(port: HartPort): void {
    current.port = port
    let due = Infinity
    for (const device of devices) due = Math.min(due, device.elapsed())
    const outcome = task.step(port)
    if (outcome === BEGIN) return port.jump(begin)
    if (outcome === DONE) return port.jump(finish)
    if (outcome === FAILED) return port.jump(failed)
    if (task.due) due = Math.min(due, task.due())
    const next = outcome === RETRY ? Math.min(due, now() + RETRY_MICROSECONDS) : due
    // What the step has deferred is due at once.
    if (next === 0 || outcome === AGAIN) return port.jump(work)
    port.write(stimecmp, next === Infinity ? NEVER : Math.ceil((next * findings.ticksPerSecond) / MICROSECONDS))
    port.jump(idle)
  }

  function onInterrupt(port: HartPort): void {
    current.port = port
    const pending = port.read(sip)
    if ((pending & STIP) !== 0) port.write(stimecmp, NEVER)
    if ((pending & SEIP) !== 0) {
      let source = controller.claim()
      // A wire that stays up whatever its driver does must not keep the entry going.
      for (let left = CLAIMS; source !== 0 && left > 0; left--) {
        for (const device of devices) device.interrupted(source)
        controller.complete(source)
        source = left > 1 ? controller.claim() : 0
      }
    }
    port.jump(back)
  }

  function onMessage(port: HartPort): void {
    current.port = port
    const pending = port.read(sip)
    if ((pending & STIP) !== 0) port.write(stimecmp, NEVER)
    if ((pending & SEIP) !== 0) {
      let source = files.claim()
      while (source !== 0) {
        for (const device of devices) device.interrupted(source)
        source = files.claim()
      }
    }
    port.jump(back)
  }

  const doors: Readonly<Record<string, (port: HartPort) => void>> = {
    boot: onBoot,
    read: onRead,
    files: onFiles,
    work: onWork,
    interrupt: onInterrupt,
    message: onMessage,
  }
  return { name, entries: program.entries.map(entry => doors[entry.label]), state }
}
