/** Scenarios: guest 0 is watched, the others mean harm. */
import fc from 'fast-check'
import type { Action, Interleaving, Program, Scenario, Topology } from '../scenario.ts'
import { hostile, watched } from './programs.ts'
import { anyTopology } from './topologies.ts'

/** How long a scenario may take: where harts are shared, a turn for each guest, and more. */
const APART = 3_000_000
const SHARED = 20_000_000

function cyclesFor({ guests, harts }: Topology): number {
  const vcpus = guests.reduce((sum, guest) => sum + guest.vcpus, 0)
  return vcpus <= harts ? APART : SHARED
}

export const interleaving: fc.Arbitrary<Interleaving | undefined> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      seed: fc.nat(0xffff),
      every: fc.integer({ min: 5, max: 60 }),
      cycles: fc.integer({ min: 1, max: 150 }),
    }),
  },
)

export const actions: fc.Arbitrary<readonly Action[]> = fc.oneof(
  { weight: 15, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.nat(200_000).map((at): readonly Action[] => [{ at, do: 'save-and-restore' }]),
  },
)

/** The first guest is `first`'s, the others `others`'; a guest of several vCPUs has as many programs. */
export function scenarioOf(
  topologies: fc.Arbitrary<Topology>,
  first: fc.Arbitrary<Program>,
  others: fc.Arbitrary<Program>,
): fc.Arbitrary<Scenario> {
  return topologies.chain(topology =>
    fc
      .record({
        guests: fc.tuple(
          ...topology.guests.map(({ vcpus }, index) =>
            fc.tuple(...Array.from({ length: vcpus }, () => (index === 0 ? first : others))),
          ),
        ),
        interleaving,
        actions,
      })
      .map(({ guests, interleaving: chosen, actions: done }) => ({
        topology,
        guests: guests.map(programs => ({ programs })),
        ...(chosen && topology.harts > 1 && { interleaving: chosen }),
        actions: done,
        cycles: cyclesFor(topology),
      })),
  )
}

export const anyScenario: fc.Arbitrary<Scenario> = scenarioOf(anyTopology, watched, hostile)
