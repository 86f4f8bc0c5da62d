/** Resources. */
import fc from 'fast-check'
import { SBI_BASE, SBI_DBCN, SBI_IPI } from '../../../hw/spec/sbi.ts'
import { GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import { found, watch } from '../judge.ts'
import type { IsolationPromise } from '../promise.ts'
import type { Program, Scenario, Step, Topology } from '../scenario.ts'
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
  one([256, 256], [0, 20], 'native'),
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

/** Wants all that it can get, of time and of memory. */
const greedy: fc.Arbitrary<Program> = fc.constantFrom(
  computing,
  forever(call(SBI_BASE, 0), { op: 'compute', times: 200 }),
  forever(call(SBI_IPI, 0, 1, 0), { op: 'compute', times: 200 }),
  forever(call(SBI_DBCN, 2, 0x2e), { op: 'compute', times: 300 }),
  forever({ op: 'wait', ticks: 1 }, { op: 'compute', times: 300 }),
  forever({ op: 'load', bytes: 4, signed: false, address: 0x1000_0005 }, { op: 'compute', times: 200 }),
  [
    ...Array.from(
      { length: PAGES },
      (_, page): Step => ({ op: 'store', bytes: 8, address: GUEST_RAM + page * LARGE_PAGE + 8, value: page }),
    ),
    ...computing,
  ],
)

export const resources: IsolationPromise = {
  name: 'resources',
  sentence:
    'Of a hart that guests share, each that wants it has the part that its weight gives it, but for a turn and for what its own exits take, and none has more than its cap; and each gets the memory that the machine has for it, whatever others do.',
  arbitrary: topologies.chain(topology =>
    fc.tuple(...topology.guests.slice(1).map(() => greedy)).map(
      (others): Scenario => ({
        topology,
        guests: [computing, ...others].map(program => ({ programs: [program] })),
        actions: [],
        cycles: CYCLES,
      }),
    ),
  ),
  check(scenario) {
    const shares = new SharesHad()
    const { arena, run } = watch(scenario, [shares])
    const sighting = run.sighting ?? unfair(scenario.topology, shares.had, run.cycles)
    if (!sighting) return undefined
    const seen = typeof sighting === 'string' ? { what: sighting, where: arena.where() } : sighting
    return found('resources', scenario, run, seen)
  },
}

/** Guest 0 wants all: what it is owed, it has had. */
function unfair({ guests }: Topology, had: readonly number[], cycles: number): string | undefined {
  const weights = guests.reduce((sum, { weight }) => sum + weight, 0)
  const owed = (cycles * guests[0].weight) / weights
  if (had[0] < owed * (1 - OUTSIDE) - TURN)
    return `guest 0 has had ${had[0]} of ${cycles} cycles, and its weight gives it ${Math.round(owed)}`
  for (const [guest, { cap }] of guests.entries()) {
    const most = ((Math.ceil(cycles / PERIOD) + 1) * PERIOD * cap) / 100 + TURN
    if (cap > 0 && had[guest] > most)
      return `guest ${guest} has had ${had[guest]} of ${cycles} cycles, and its cap is ${cap} %`
  }
  return undefined
}
