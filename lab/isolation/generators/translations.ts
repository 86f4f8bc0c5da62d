/** Scenarios of a guest whose two harts change page tables, beside a neighbour. */
import fc from 'fast-check'
import { GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import { assembled, type Part, type Sight, unmet } from '../interrupt-parts.ts'
import type { Arena } from '../arena.ts'
import type { Sighting } from '../finding.ts'
import type { Scenario } from '../scenario.ts'
import { pairTopologies, stampTopologies, WANDERERS } from '../topologies-io.ts'
import {
  busy,
  changing,
  flagged,
  type Named,
  ownFence,
  remoteFence,
  sawOldPage,
  stamped,
  windows,
} from '../translation-parts.ts'
import { logOf } from '../view.ts'
import { interleaving } from './scenarios.ts'
import { hostile } from './programs.ts'

const CYCLES = 60_000_000

export interface TranslatedScenario extends Scenario {
  /** By hart of guest 0. */
  readonly sights: readonly (readonly (Sight & { readonly entry: number })[])[]
}

const byAsid = fc.boolean()
const other: fc.Arbitrary<Named> = fc.record({ mask: fc.constant(2), base: fc.constant(0), byAsid })
const based: fc.Arbitrary<Named> = fc.record({ mask: fc.constant(1), base: fc.constant(1), byAsid })
const both: fc.Arbitrary<Named> = fc.record({ mask: fc.constant(3), base: fc.constant(0), byAsid })
const own: fc.Arbitrary<Named> = fc.record({ mask: fc.constant(1), base: fc.constant(0), byAsid })
const NOTHING: Part = []

const parts: fc.Arbitrary<readonly [Part, Part]> = fc.oneof(
  fc.oneof(other, based, both).map(remoteFence),
  fc.oneof(own, both).map((named): readonly [Part, Part] => [ownFence(named), NOTHING]),
  fc
    .tuple(fc.constantFrom(0, 5), fc.integer({ min: 2, max: 8 }), fc.integer({ min: 5, max: 80 }))
    .map(([asid, times, ticks]) => windows(asid, times, ticks)),
  fc
    .tuple(fc.integer({ min: 40, max: 120 }), fc.integer({ min: 100, max: 2500 }))
    .map(([looks, work]) => flagged(looks, work)),
)

const pairs = [...pairTopologies(), ...pairTopologies(), ...pairTopologies('hosted')]

const paired: fc.Arbitrary<TranslatedScenario> = fc
  .record({ topology: fc.constantFrom(...pairs), parts, neighbour: hostile, interleaving })
  .map(({ topology, parts: [first, second], neighbour, interleaving: chosen }) => {
    const harts = [assembled([first]), assembled([second])]
    return {
      topology,
      sights: harts.map(({ sights }) => sights),
      guests: [{ programs: harts.map(({ program }) => program) }, { programs: [neighbour] }],
      ...(chosen && topology.harts > 1 && { interleaving: chosen }),
      actions: [],
      cycles: CYCLES,
    }
  })

const neighbour = fc
  .tuple(fc.integer({ min: 500, max: 20_000 }), fc.integer({ min: 20, max: 400 }))
  .map(([work, ticks]) => busy(work, ticks))

/** A guest that has to move from hart to hart. */
const wandering: fc.Arbitrary<TranslatedScenario> = fc
  .record({
    times: fc.integer({ min: 8, max: 40 }),
    ticks: fc.integer({ min: 10, max: 200 }),
    others: fc.array(neighbour, { minLength: 3, maxLength: 3 }),
  })
  .map(({ times, ticks, others }) => {
    const { program, sights } = assembled([changing(times, ticks)])
    return {
      topology: WANDERERS,
      sights: [sights],
      guests: [{ programs: [program] }, ...others.map(other => ({ programs: [other] }))],
      actions: [],
      cycles: CYCLES,
    }
  })

const MEGABYTE = 2 ** 20
/** A guest's own pages, each with something of its own in it. */
const stamps: fc.Arbitrary<TranslatedScenario> = fc
  .record({
    pages: fc.uniqueArray(fc.nat(1023), { minLength: 2, maxLength: 40 }),
    topology: fc.constantFrom(...stampTopologies()),
    neighbour: hostile,
  })
  .map(({ pages, topology, neighbour }) => {
    const { program, sights } = assembled([stamped(pages.map(page => GUEST_RAM + 4 * MEGABYTE + page * 4096))])
    return {
      topology,
      sights: [sights],
      guests: [{ programs: [program] }, { programs: [neighbour] }],
      actions: [],
      cycles: CYCLES,
    }
  })

export const translatedScenario: fc.Arbitrary<TranslatedScenario> = fc.oneof(
  { weight: 1, arbitrary: stamps },
  { weight: 3, arbitrary: paired },
  { weight: 1, arbitrary: wandering },
)

export function isTranslated(scenario: Scenario): scenario is TranslatedScenario {
  return 'sights' in scenario
}

/** What harts saw that they should not have seen, after a run. Harts that look at each other see more or less of it, as they come. */
export function mistranslated({ sights }: TranslatedScenario, arena: Arena): Sighting | undefined {
  const log = (hart: number) => logOf(arena, 0, hart)
  for (const [hart, expected] of sights.entries()) {
    const what = unmet(expected, log(hart))
    if (what !== undefined) return { what: `hart ${hart} of guest 0: ${what}`, where: arena.where() }
  }
  const what = sights.length > 1 ? sawOldPage(log(1)) : undefined
  return what === undefined ? undefined : { what, where: arena.where() }
}
