/** How often the machine is started for the microbenchmarks under each hypervisor, and what those do not have. */
import { BENCHMARKS } from '../../guests/micro/index.ts'
import { HALTED_IPIS, IPIS } from '../../guests/micro/ipi.ts'
import type { Type1Project } from './type-1-images.ts'

/** One start of the machine. */
export interface Start {
  readonly names: readonly string[]
  /** Who else is on the hart. */
  readonly neighbour?: 'noise' | 'waker'
  /** The guest that measures goes before its neighbour when it wakes up; else it would wait for the end of a turn. */
  readonly urgent?: true
  /** It is over after so many switches of guests: Xvisor takes turns of 10 ms, and a round of them is long. */
  readonly switches?: number
  /** It is over after so many spans; the guest does not come to say how many operations they were. */
  readonly counted?: { readonly spans: number; readonly operations: number }
}

/** Bao gives each guest harts and memory of its own, and its guest the UART; it has no queue to serve. */
const NO_QUEUE = 'it emulates no device with a queue'
const OWN_HART = 'a hart belongs to one guest'
const BAO_LACKS: Readonly<Record<string, string>> = {
  'stage2-fault': 'all memory is mapped before the guest starts',
  'mmio-kernel': NO_QUEUE,
  'mmio-user': "the UART is the guest's own",
  'vm-switch': OWN_HART,
  'io-out': NO_QUEUE,
  'io-in': NO_QUEUE,
  'timer-latency-noisy': OWN_HART,
}

export const LACKS: Readonly<Record<Type1Project, Readonly<Record<string, string>>>> = { Xvisor: {}, Bao: BAO_LACKS }

const named = (neighbour: 'noise' | 'waker' | undefined): readonly string[] =>
  BENCHMARKS.filter(benchmark => benchmark.neighbour === neighbour).map(({ name }) => name)

const SWITCHES = 16

/** Under Bao a vCPU does not stop (SBI), which the guest waits for in vain: what starts a second one has a start to itself. */
const SECOND: Readonly<Record<string, Start['counted']>> = {
  'virtual-ipi': { spans: 1, operations: IPIS },
  'virtual-ipi-halted': { spans: HALTED_IPIS, operations: HALTED_IPIS },
}

export const STARTS: Readonly<Record<Type1Project, readonly Start[]>> = {
  Xvisor: [
    { names: named(undefined) },
    { names: named('waker'), neighbour: 'waker', switches: SWITCHES },
    { names: named('noise'), neighbour: 'noise', urgent: true },
  ],
  Bao: [
    { names: named(undefined).filter(name => !(name in BAO_LACKS) && !(name in SECOND)) },
    ...Object.entries(SECOND).map(([name, counted]) => ({ names: [name], ...(counted && { counted }) })),
  ],
}
