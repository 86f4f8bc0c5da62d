/** A server: user-mode software around one driver. It is told what has happened, lets the driver do its work, and waits. */
import { wiresOf } from '../../../../drivers/placement-config.ts'
import { initialData, loadData } from '../../../../drivers/initial-data.ts'
import { type CurrentPort, PortEnvironment } from '../../../../drivers/port-environment.ts'
import type { HartPort, Software, StateRecord } from '../../../../hw/port.ts'
import { time } from '../../../../hw/spec/csrs/counters.ts'
import type { Program } from '../../../../hw/spec/isa/assembler.ts'
import { type DriverPlacement, isPolled } from '../../../../hw/spec/layouts/placement.ts'
import { A0, A1, A2, A3 } from '../../../../hw/spec/sbi.ts'
import {
  ANSWERS_AT,
  BIT_INTERRUPT,
  FLAG_READY,
  FLAG_MASKED,
  message,
  MOST_ANSWERS,
  SERVER_MEMORY,
  SERVER_MESSAGES,
  SERVER_REGISTERS,
  SERVER_TEXT,
} from './vmm-side-messages.ts'

const TICKS_PER_MICROSECOND = 10
/** Of a server that polls: between two looks, where there is something else to do; completions or frames of one look. */
const PAUSE_MICROSECONDS = 10
const BUDGET = 8

/** What a server does with its driver. */
export interface ServerWork {
  start(): void
  /** A message at `at`. */
  take(port: HartPort, at: number): void
  /** Looks what the device has done; returns how much it was, `budget` at the most. */
  poll(budget: number): number
  /** Puts up to `most` answers at `at`; returns how many. */
  answer(port: HartPort, at: number, most: number): number
  /** True if it has more to say. */
  isBehind(): boolean
  /** FLAG_: how the device is. */
  flags(): number
  /** What it knows of it besides. */
  knows(): number
  readonly state: Readonly<Record<string, StateRecord>>
}

/** Where the driver's memory lies for the device, and how much of it there is. */
export interface ServerMemory {
  readonly device: number
  readonly bytes: number
}

/** What a server's driver is placed with. */
export interface ServerGround {
  readonly current: CurrentPort
  readonly environment: PortEnvironment
  /** Whether the driver wants its interrupt. */
  readonly wire: { masked: boolean }
  /** Whether it looks after its device by itself. */
  readonly polls: boolean
}

/** Set-up, once a server. */
export function serverGround({ device, bytes }: ServerMemory, placement: DriverPlacement): ServerGround {
  // No entry has run yet: the first thing that each does is to say where it runs.
  const current: CurrentPort = { port: undefined as unknown as HartPort }
  const wire = { masked: true }
  const environment = new PortEnvironment({
    current,
    name: 'server',
    registers: SERVER_REGISTERS,
    dma: { base: SERVER_MEMORY, device, bytes },
    interrupts: wiresOf(placement, [
      masked => {
        wire.masked = masked
      },
    ]),
    now: () => current.port.read(time) / TICKS_PER_MICROSECOND,
    wakeAt: () => {},
  })
  return { current, environment, wire, polls: isPolled(placement) }
}

/** Makes it, around a driver that has been placed. */
export function serverSoftware(
  name: string,
  program: Program,
  { current, environment, wire, polls }: ServerGround,
  work: ServerWork,
): Software {
  const state = { wire, ...environment.registered, ...work.state }
  const image = initialData(state)
  const back = SERVER_TEXT + program.symbols.get('returned')! - program.origin

  /** A process's first instruction: its variables are as its image has them. */
  function main(port: HartPort): void {
    current.port = port
    port.account('driver', 'start', 'computing')
    loadData(image)
    work.start()
    finish(port)
  }

  function returned(port: HartPort): void {
    current.port = port
    port.account('driver', 'message', 'computing')
    const bits = port.x(A0)
    let at = SERVER_MESSAGES
    if ((bits & BIT_INTERRUPT) !== 0) environment.interrupted(0)
    for (let left = port.x(A1); left > 0; left--) {
      work.take(port, at)
      at += message.size
    }
    finish(port)
  }

  function finish(port: HartPort): void {
    const due = polls ? look() : environment.elapsed()
    const answers = work.answer(port, SERVER_MESSAGES + ANSWERS_AT, MOST_ANSWERS)
    port.setX(A0, work.isBehind() ? 0 : due === Infinity ? -1 : Math.ceil(due * TICKS_PER_MICROSECOND))
    port.setX(A1, wire.masked ? work.flags() | FLAG_MASKED : work.flags())
    port.setX(A2, answers)
    port.setX(A3, work.knows())
    port.ecall(back)
  }

  /** When it wants to look again: at once, if there was more than it could handle. */
  function look(): number {
    const ready = (work.flags() & FLAG_READY) !== 0
    const done = ready ? work.poll(BUDGET) : 0
    const due = environment.elapsed()
    if (!ready) return due
    const next = done === BUDGET ? 0 : environment.time.now() + PAUSE_MICROSECONDS
    return due < next ? due : next
  }

  const doors: Readonly<Record<string, (port: HartPort) => void>> = { main, returned }
  return { name, entries: program.entries.map(({ label }) => doors[label]), state }
}
