/** The microbenchmarks under a real type-1 hypervisor on our machine: the judge of our native VMM, and not its source. */
import { setImmediate } from 'node:timers/promises'
import type { VirtBoard } from '../../hw/boards/virt.ts'
import { BENCHMARKS, bootargsFor, microImage, numberOf } from '../../guests/micro/index.ts'
import { NATIVE_PARTIES } from '../../vmm/native/index.ts'
import { buildMachine } from '../machine.ts'
import { microLines } from '../study/micro-machine.ts'
import { MicroRecorder, type SpanRow, type Spans } from '../study/micro-recorder.ts'
import { BAO, baoBoard } from './bao.ts'
import { overhear } from './overhear.ts'
import { readType1Images, type Type1Image } from './type-1-images.ts'
import { LACKS, STARTS, type Start } from './type-1-starts.ts'
import { Switches } from './switches.ts'
import { XVISOR_PREFIX, xvisorBoard } from './xvisor.ts'

export interface Type1Value {
  readonly name: string
  /** Cycles per operation, between the machine's marks. */
  readonly value: number
  /** The same by the guest's own clock, where it comes to say so. */
  readonly byClock?: number
  readonly operations: number
  /** Ledger rows of all operations together, where marks enclose them. */
  readonly ledger: readonly SpanRow[]
}

export interface Type1Absence {
  readonly name: string
  readonly why: string
}

export interface Type1Result {
  readonly project: string
  readonly version: string
  readonly configuration: string
  readonly results: readonly Type1Value[]
  /** What this hypervisor does not have, or does not survive. */
  readonly absent: readonly Type1Absence[]
}

const MIB = 2 ** 20
const RAM_BYTES = 256 * MIB
const GUEST_BYTES = 64 * MIB
/** Cycles between two looks at what was printed. */
const TURN = 20_000_000
/** A guest that has not begun, or ended, after so many cycles never will. */
const PATIENCE = { begin: 400_000_000, end: 3_000_000_000 }
/** Cycles of a turn while both harts are awake, once the guest measures: as in lab/study/micro-machine.ts. */
const SLICE = 20
const CYCLES_PER_TICK = 100
const SWITCH = numberOf('vm-switch')
const BEGIN = 'micro begin'
const DONE = 'micro done'

function boardOf({ project, image }: Type1Image, start: Start, output: (bytes: Uint8Array) => void): VirtBoard {
  const kernel = microImage().bytes
  const guest = { kernel, bootargs: bootargsFor(start.names), memoryBytes: GUEST_BYTES }
  if (project === 'Bao') return baoBoard(image, { ...guest, harts: [...Array(BAO.harts).keys()] }, output)
  const options = { ramBytes: RAM_BYTES, output }
  if (!start.neighbour) return xvisorBoard(image, [{ ...guest, harts: [0, 1] }], { ...options, harts: 2 })
  const neighbour = { ...guest, bootargs: `micro=${start.neighbour}`, harts: [0] }
  return xvisorBoard(image, [{ ...guest, harts: [0], urgent: start.urgent === true }, neighbour], {
    ...options,
    harts: 1,
  })
}

interface Heard {
  readonly printed: string
  readonly spans: readonly Spans[]
  readonly switches: Switches
}

/** Runs one start until the guest has said that it is done, or has done what was wanted of it. */
async function run(image: Type1Image, start: Start): Promise<Heard> {
  let printed = ''
  const latin1 = new TextDecoder('latin1')
  const board = boardOf(image, start, bytes => {
    if (image.project !== 'Bao') printed += latin1.decode(bytes)
  })
  const machine = buildMachine(board, { parties: NATIVE_PARTIES })
  // Bao has no console for its guests.
  if (image.project === 'Bao') overhear(machine, text => (printed += text))
  const recorder = new MicroRecorder(machine)
  const switches = new Switches(machine, SWITCH)
  let ends = 0
  machine.onMark((_hart, mark, number) => {
    if (mark === 'end' && number > 0) ends++
  })
  const over = () => printed.includes(DONE) || ends === start.counted?.spans || switches.operations === start.switches
  while (!over()) {
    const began = printed.includes(BEGIN)
    const stop = machine.run({
      untilCycle: machine.now() + TURN,
      ...(began && { slice: SLICE }),
      until: () => over() || (!began && printed.includes(BEGIN)),
    })
    if (stop.kind === 'stopped' || stop.kind === 'idle' || machine.now() > PATIENCE[began ? 'end' : 'begin']) break
    await setImmediate()
  }
  return { printed: printed.replaceAll(XVISOR_PREFIX, ''), spans: recorder.spans(), switches }
}

/** What a start has to say about a benchmark. */
function outcome(name: string, start: Start, { printed, spans, switches }: Heard): Type1Value | Type1Absence {
  const { each, operations: switched } = switches
  // Between this one's marks lies also how long the neighbour had to wait for its turn.
  if (numberOf(name) === SWITCH && each !== undefined) return { name, value: each, operations: switched, ledger: [] }
  const of = spans.find(({ number }) => number === numberOf(name))
  const said = microLines(printed).find(line => line.name === name)
  if (said && 'absent' in said) return { name, why: said.absent }
  const operations = said?.operations ?? start.counted?.operations
  if (!of || operations === undefined) {
    const trap = /micro trap .*/.exec(printed)?.[0]
    return { name, why: trap ?? `the guest did not ${printed.includes(BEGIN) ? 'come to its end' : 'begin'}` }
  }
  const byClock = said && (said.ticks * CYCLES_PER_TICK) / operations
  return {
    name,
    value: of.cycles / operations,
    ...(byClock !== undefined && { byClock }),
    operations,
    ledger: of.ledger,
  }
}

/**
 * Runs the microbenchmarks, or those of these names, under each of the folder's hypervisors. `progress` is told of each
 * start of the machine.
 */
export async function calibrateType1(
  folder: string,
  progress: (what: string) => void = () => {},
  wanted: readonly string[] = BENCHMARKS.map(({ name }) => name),
): Promise<readonly Type1Result[]> {
  const all: Type1Result[] = []
  for (const image of readType1Images(folder)) {
    const { project, version, configuration } = image
    const results: Type1Value[] = []
    const absent: Type1Absence[] = Object.entries(LACKS[project])
      .filter(([name]) => wanted.includes(name))
      .map(([name, why]) => ({ name, why }))
    const starts = STARTS[project]
      .map(start => ({ ...start, names: start.names.filter(name => wanted.includes(name)) }))
      .filter(({ names }) => names.length > 0)
    let heard: Heard | undefined
    for (const start of starts) {
      // Where no guest has begun, none will.
      if (!heard || heard.printed.includes(BEGIN)) {
        progress(`${project}: ${start.names.join(', ')}`)
        heard = await run(image, start)
      }
      for (const name of start.names) {
        const found = outcome(name, start, heard)
        if ('why' in found) absent.push(found)
        else results.push(found)
      }
    }
    const order = (a: { readonly name: string }, b: { readonly name: string }) => numberOf(a.name) - numberOf(b.name)
    all.push({ project, version, configuration, results: results.toSorted(order), absent: absent.toSorted(order) })
  }
  return all
}
