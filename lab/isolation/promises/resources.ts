/** Resources. */
import fc from 'fast-check'
import { SBI_BASE, SBI_DBCN, SBI_IPI } from '../../../hw/spec/sbi.ts'
import { GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import { found, watch } from '../judge.ts'
import type { IsolationPromise } from '../promise.ts'
import type { PlacedGuest, Program, Scenario, Step, Topology } from '../scenario.ts'
import { SharesHad } from '../shares-had.ts'

const LARGE_PAGE = 0x20_0000
const PAGES = 8
const TURN = 5_000_000
/** In which caps are counted: they may begin anywhere in one. */
const PERIOD = 50_000_000
const CYCLES = 12 * TURN
/** An exit takes what the guest asked for; it counts as the guest's, but it is not in the guest that it is spent. */
const OUTSIDE = 0.12

const one = (weights: readonly number[], caps: readonly number[], vmm: Topology['vmm']): Topology => ({
  vmm,
  harts: 1,
  ramMiB: 96,
  guests: weights.map((weight, index) => ({ memoryMiB: 16, vcpus: 1, harts: [0], weight, cap: caps[index] })),
})

const topologies = fc.constantFrom(
  one([256, 256], [0, 0], 'native'),
  one([1024, 256], [0, 0], 'native'),
  one([256, 256, 256], [0, 0, 0], 'native'),
  one([64, 256], [0, 0], 'native'),
  one([256, 256], [0, 10], 'native'),
  one([256, 256], [5, 0], 'native'),
  one([256, 256], [0, 0], 'hosted'),
)

const forever = (...steps: readonly Step[]): Program => [{ op: 'repeat', times: 100_000_000, steps }]
const computing = forever({ op: 'compute', times: 2000 })
const call = (extension: number, number: number, ...values: readonly number[]): Step => ({
  op: 'call',
  extension,
  function: number,
  arguments: values,
})

interface Greedy {
  readonly program: Program
  /** It wants all, and asks nothing of the VMM for it. */
  readonly all: boolean
}

/** Wants what it can get, of time and of memory. */
const greedy: fc.Arbitrary<Greedy> = fc.oneof(
  fc
    .constantFrom(computing, [
      ...Array.from(
        { length: PAGES },
        (_, page): Step => ({ op: 'store', bytes: 8, address: GUEST_RAM + page * LARGE_PAGE + 8, value: page }),
      ),
      ...computing,
    ])
    .map(program => ({ program, all: true })),
  fc
    .constantFrom(
      forever(call(SBI_BASE, 0), { op: 'compute', times: 200 }),
      forever(call(SBI_IPI, 0, 1, 0), { op: 'compute', times: 200 }),
      forever(call(SBI_DBCN, 2, 0x2e), { op: 'compute', times: 300 }),
      forever({ op: 'wait', ticks: 1 }, { op: 'compute', times: 300 }),
      forever({ op: 'load', bytes: 4, signed: false, address: 0x1000_0005 }, { op: 'compute', times: 200 }),
    )
    .map(program => ({ program, all: false })),
)

interface SharedScenario extends Scenario {
  /** By guest: whether it wants all. */
  readonly wanting: readonly boolean[]
}

export const resources: IsolationPromise = {
  name: 'resources',
  sentence:
    'Of a hart that guests share, each that wants it has the part that its weight gives it, but for a turn and for what its own exits take, and none has more than its cap; and each gets the memory that the machine has for it, whatever others do.',
  arbitrary: topologies.chain(topology =>
    fc.tuple(...topology.guests.slice(1).map(() => greedy)).map(
      (others): SharedScenario => ({
        topology,
        wanting: [true, ...others.map(({ all }) => all)],
        guests: [computing, ...others.map(({ program }) => program)].map(program => ({ programs: [program] })),
        actions: [],
        cycles: CYCLES,
      }),
    ),
  ),
  check(scenario) {
    const shares = new SharesHad()
    const { arena, run } = watch(scenario, [shares])
    const sighting = run.sighting ?? unfair(scenario as SharedScenario, shares.had, run.cycles)
    if (!sighting) return undefined
    const seen = typeof sighting === 'string' ? { what: sighting, where: arena.where() } : sighting
    return found('resources', scenario, run, seen)
  },
}

/** What a cap allows, wherever in its periods the time begins. */
const allowed = (cap: number, cycles: number) => ((Math.ceil(cycles / PERIOD) + 1) * PERIOD * cap) / 100

/** What a guest that wants all is owed: its part of the time, or of what is left of it where others are held back. */
function owed({ guests }: Topology, guest: number, cycles: number): number {
  const { weight, cap } = guests[guest]
  const weightOf = (some: readonly PlacedGuest[]) => some.reduce((sum, each) => sum + each.weight, 0)
  const share = (cycles * weight) / weightOf(guests)
  if (cap > 0) return Math.min(share, (cycles * cap) / 100)
  const left = guests.reduce((rest, { cap }) => rest - allowed(cap, cycles), cycles)
  return Math.max(share, (left * weight) / weightOf(guests.filter(({ cap }) => cap === 0)))
}

/** Who wants all that there is has had what is owed, and nobody more than the cap. */
function unfair({ topology, wanting }: SharedScenario, had: readonly number[], cycles: number): string | undefined {
  for (const [guest, { cap }] of topology.guests.entries()) {
    const least = owed(topology, guest, cycles)
    if (wanting[guest] && had[guest] < least * (1 - OUTSIDE) - TURN)
      return `guest ${guest} has had ${had[guest]} of ${cycles} cycles, and is owed ${Math.round(least)}`
    if (cap > 0 && had[guest] > allowed(cap, cycles) + TURN)
      return `guest ${guest} has had ${had[guest]} of ${cycles} cycles, and its cap is ${cap} %`
  }
  return undefined
}
