/** DMA where drivers are elsewhere than in the VMM: domains with granted pages, guests with cards, disks and functions of their own, servers. */
import fc from 'fast-check'
import { bait } from '../generators/disk-attacks.ts'
import { hostileProgram } from '../generators/hostile-virtio.ts'
import { cardProgram } from '../generators/passed-card.ts'
import { identifies, transfers } from '../generators/passed-disk.ts'
import { ringProgram, wellDone } from '../generators/ring-programs.ts'
import { found, watch } from '../judge.ts'
import type { Finding } from '../finding.ts'
import { Ownership } from '../ownership.ts'
import type { Program, Scenario, Topology } from '../scenario.ts'
import { GRANTED, GUARDED, OWN_CARDS, OWN_DISKS, SERVED } from '../topologies-placed.ts'
import { difference } from '../view.ts'

const MEMORY_MIB = 8
const FRAME_BYTES = 200

/** `laid`: what the neighbour has in its memory, or zeros in its place. */
export interface ElsewhereScenario extends Scenario {
  readonly otherwise: Program
}

interface Part {
  readonly topologies: readonly Topology[]
  readonly harm: fc.Arbitrary<Program>
  /** What the neighbour does with its own. */
  readonly own: Program
}

const ofCards = (at: 'guest' | 'function') => OWN_CARDS.filter(({ placements }) => placements?.network?.at === at)
const ofRings = (device: 'disk' | 'network') => GRANTED.filter(({ placements }) => placements?.[device])

const PARTS: readonly Part[] = [
  { topologies: ofRings('disk'), harm: ringProgram('disk'), own: wellDone('disk') },
  { topologies: ofRings('network'), harm: ringProgram('network'), own: wellDone('network') },
  { topologies: OWN_DISKS, harm: transfers.map(each => each.flatMap(identifies)), own: [] },
  { topologies: ofCards('guest'), harm: cardProgram('card'), own: [] },
  { topologies: ofCards('function'), harm: cardProgram('function'), own: [] },
  {
    topologies: [...SERVED, ...GUARDED],
    harm: hostileProgram(['disk', 'network'], MEMORY_MIB, 3),
    own: [],
  },
]

/** Those with domains take longest. */
const part = fc.oneof(...PARTS.map((each, index) => ({ weight: index < 2 ? 1 : 4, arbitrary: fc.constant(each) })))

/** Frames for everybody, while cards are on. */
const arrivals = fc.array(fc.integer({ min: 10_000, max: 3_000_000 }), { maxLength: 3 }).map(times =>
  times.map(at => ({
    at,
    do: 'frame' as const,
    bytes: Array.from({ length: FRAME_BYTES }, (_, index) => (index < 6 ? 0xff : index & 0xff)),
  })),
)

export const elsewhere: fc.Arbitrary<ElsewhereScenario> = part.chain(({ topologies, harm, own }) =>
  fc.record({ topology: fc.constantFrom(...topologies), program: harm, actions: arrivals }).map(
    ({ topology, program, actions }): ElsewhereScenario => ({
      topology,
      otherwise: [...bait(false), ...own],
      guests: [{ programs: [program] }, { programs: [[...bait(true), ...own]] }],
      actions,
      everyone: true,
      cycles: 30_000_000,
    }),
  ),
)

/** Guest 0 comes to the same whatever guest 1 has in its memory; and nobody reaches what is another's. */
export function checkElsewhere(name: string, scenario: ElsewhereScenario): Finding | undefined {
  const { arena, run } = watch(scenario, [new Ownership()])
  if (run.sighting) return found(name, scenario, run, run.sighting)
  const where = arena.where()
  const { guests, otherwise } = scenario
  const other = watch({ ...scenario, guests: [guests[0], { programs: [otherwise] }] }, [])
  if (other.run.sighting) return found(name, scenario, run, other.run.sighting)
  const read = difference(run.views[0], other.run.views[0])
  if (read === undefined) return undefined
  const what = `guest 0 learns by its devices what is in guest 1's memory: ${read}`
  return found(name, scenario, run, { what, where })
}
