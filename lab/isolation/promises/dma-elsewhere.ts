/** DMA where drivers are elsewhere than in the VMM: domains with granted pages, guests with cards, disks and functions of their own, servers. */
import fc from 'fast-check'
import { GUEST_MAP } from '../../../hw/spec/guest-map.ts'
import { SBI_LEGACY_SHUTDOWN } from '../../../hw/spec/sbi.ts'
import { bait } from '../generators/disk-attacks.ts'
import { hostileProgram } from '../generators/hostile-virtio.ts'
import { cardProgram } from '../generators/passed-card.ts'
import { identifies, transfers } from '../generators/passed-disk.ts'
import { ringProgram, wellDone } from '../generators/ring-programs.ts'
import { found, watch } from '../judge.ts'
import type { Finding } from '../finding.ts'
import { Ownership } from '../ownership.ts'
import type { Action, Program, Scenario, Topology } from '../scenario.ts'
import { GRANTED, GUARDED, OWN_CARDS, OWN_DISKS, SERVED } from '../topologies-placed.ts'
import { difference } from '../view.ts'

const MEMORY_MIB = 8
const FINISHED = 0x5555
/** Longer than a turn: where harts are shared, messages for one come while the other has it. */
const BUSY: Program = [{ op: 'compute', times: 700_000 }]
const LATEST = 8_000_000
/** To everybody. */
const FRAME = Array.from({ length: 200 }, (_, index) => (index < 6 ? 0xff : index & 0xff))

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
  { topologies: ofCards('guest'), harm: cardProgram('card'), own: BUSY },
  { topologies: ofCards('function'), harm: cardProgram('function'), own: BUSY },
  {
    topologies: [...SERVED, ...GUARDED],
    harm: hostileProgram(['disk', 'network'], MEMORY_MIB, 3),
    own: [],
  },
]

/** Those with domains take longest. */
const part = fc.oneof(...PARTS.map((each, index) => ({ weight: index < 2 ? 1 : 4, arbitrary: fc.constant(each) })))

/** Frames for everybody, while cards are on; now and then the machine is saved in the midst. */
const actions: fc.Arbitrary<readonly Action[]> = fc
  .record({
    frames: fc.array(fc.integer({ min: 10_000, max: LATEST }), { maxLength: 3 }),
    saved: fc.oneof(
      { weight: 6, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 3_000_000 }) },
    ),
  })
  .map(({ frames, saved }): readonly Action[] => [
    ...frames.map((at): Action => ({ at, do: 'frame', bytes: FRAME })),
    ...(saved === 0 ? [] : [{ at: saved, do: 'save-and-restore' } as const]),
  ])
/** A guest may end with its devices on. */
const ending = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Program>([]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Program>(
      [{ op: 'call', extension: SBI_LEGACY_SHUTDOWN, function: 0, arguments: [] }],
      [{ op: 'store', bytes: 4, address: GUEST_MAP.finisher.base, value: FINISHED }],
    ),
  },
)

export const elsewhere: fc.Arbitrary<ElsewhereScenario> = part.chain(({ topologies, harm, own }) =>
  fc.record({ topology: fc.constantFrom(...topologies), program: harm, ending, actions }).map(
    ({ topology, program, ending: last, actions: done }): ElsewhereScenario => ({
      topology,
      otherwise: [...bait(false), ...own],
      guests: [{ programs: [[...program, ...last]] }, { programs: [[...bait(true), ...own]] }],
      actions: done,
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
