/** The micro guest (guests/micro) on a machine: what it says, and what the machine has counted between its marks. */
import { setImmediate } from 'node:timers/promises'
import { BENCHMARKS, microImage, numberOf } from '../../guests/micro/index.ts'
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import { rocketFlat } from '../../hw/index.ts'
import { crashCause, endings } from '../endings.ts'
import { buildSystem, type System, type SystemGuest } from '../system.ts'
import { configurationHash } from './configuration-hash.ts'
import { type Configuration, configurationNamed, hartsNeeded } from './configurations.ts'
import { MicroRecorder, type Spans } from './micro-recorder.ts'
import type { Conditions } from './subject.ts'

/** One line of the guest's about a benchmark. */
export type MicroLine =
  | { readonly name: string; readonly operations: number; readonly ticks: number }
  | { readonly name: string; readonly absent: string }

/** All that one run gives. */
export interface MicroRun {
  readonly lines: readonly MicroLine[]
  readonly spans: readonly Spans[]
  readonly configurationHash: string
  readonly traceHash: string
  readonly harts: number
}

/** A guest as one runs it: its bootargs, and how many vCPUs, on harts from 0 on. */
export interface MicroGuest {
  readonly label: string
  readonly bootargs: string
  readonly vcpus: number
}

const MIB = 2 ** 20
const GUEST_BYTES = 64 * MIB
const RAM_BYTES = 224 * MIB
const SECTORS = (4 * MIB) / 512
const TURN = 20_000_000
/** A guest that has not ended after so many cycles never will. */
const PATIENCE = 2_000_000_000
/**
 * Cycles of a turn while both harts are awake: one sees what the other has stored at a turn's end. Entries of VMMs are
 * longer than turns; where the other hart watches memory that they store to, it goes on with each of their operations.
 */
const SLICE = 20
const WATCHED = ['io-out', 'io-in'].map(numberOf)

/** The lines that the guest of this label has printed so far. Names it has not come to are missing. */
export function microLines(text: string): readonly MicroLine[] {
  return text.split('\n').flatMap(line => {
    const [, name, second, rest] = /micro (\S+) (\S+) (.+?)\s*$/.exec(line) ?? []
    if (!BENCHMARKS.some(benchmark => benchmark.name === name)) return []
    return second === 'absent' ? { name, absent: rest } : { name, operations: Number(second), ticks: Number(rest) }
  })
}

/** Builds the machine with these guests, of which the first measures, and runs it until that has ended. */
export async function runMicroGuests(
  configuration: Configuration,
  guests: readonly MicroGuest[],
  conditions: Conditions,
): Promise<MicroRun> {
  const { vmm, hostPolicy, cap = 0 } = configurationNamed(configuration)
  const { seed = 0, prices = rocketFlat, pathLength = 1, devicePrices } = conditions
  const vcpus = Math.max(...guests.map(guest => guest.vcpus))
  // A guest alone that keeps two harts busy leaves one to whoever serves its I/O.
  const harts = Math.max(hartsNeeded([configuration]) - 1 + vcpus, vcpus > 1 ? vcpus + 1 : 1)
  const { bytes: kernel } = microImage()
  const nodes: readonly SystemGuest[] = guests.map((guest, index) => ({
    label: guest.label,
    memoryBytes: GUEST_BYTES,
    vcpus: guest.vcpus,
    harts: Array.from({ length: guest.vcpus }, (_, hart) => hart),
    weight: 256,
    cap,
    bootargs: guest.bootargs,
    kernel,
    ...(guest.vcpus > 1 && { disk: { first: index * SECTORS, sectors: SECTORS } }),
  }))
  let text = ''
  const system = buildSystem({
    configuration: vmm === 'none' ? 'bare' : vmm,
    harts,
    ramBytes: RAM_BYTES,
    guests: nodes,
    disks: vcpus > 1 ? [new MemoryBacking(guests.length * SECTORS)] : [],
    seed,
    prices,
    pathLength,
    ...(devicePrices && { devicePrices }),
    ...(hostPolicy && { hostPolicy }),
    output: bytes => {
      text += new TextDecoder().decode(bytes)
    },
  })
  const { machine } = system
  const recorder = new MicroRecorder(machine)
  machine.onMark((_hart, _mark, number) => {
    if (number > 0) machine.interleave(harts > 1 && WATCHED.includes(number) ? () => 1 : undefined)
  })
  await runToEnd(system, () => text)
  return {
    lines: microLines(text),
    spans: recorder.spans(),
    configurationHash: configurationHash(
      { vmm, hostPolicy, cap, harts, RAM_BYTES, prices, devicePrices, pathLength, guests },
      [kernel],
    ),
    traceHash: machine.traceHash(),
    harts,
  }
}

async function runToEnd(system: System, said: () => string): Promise<void> {
  const { machine } = system
  for (;;) {
    const stop = machine.run({
      untilCycle: machine.now() + TURN,
      slice: SLICE,
      until: () => said().includes('micro done'),
    })
    if (stop.kind === 'until' || said().includes('micro done')) return
    const trap = /micro trap .*/.exec(said())
    if (trap) throw new Error(`its guest trapped (scause, sepc, stval): ${trap[0].trim()}`)
    const crashed = endings(system).find(ending => ending.crashed)
    if (crashed) throw new Error(`its guest crashed: ${crashCause(system, crashed)}`)
    if (stop.kind !== 'cycle') throw new Error(`its guest did not come to its end (${stop.kind}), it said: ${said()}`)
    if (machine.now() >= PATIENCE) throw new Error(`its guest has not ended in ${PATIENCE} cycles, it said: ${said()}`)
    await setImmediate()
  }
}
