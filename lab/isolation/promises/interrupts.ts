/** Interrupts: a guest's own, all of them, and no others. */
import fc from 'fast-check'
import { ExitModel } from '../exit-model.ts'
import { interleaving } from '../generators/scenarios.ts'
import {
  assembled,
  diskPart,
  ipiPair,
  ipiPart,
  type Part,
  sharedSource,
  type Sight,
  timer,
  uartPart,
  unmet,
  waitedFor,
} from '../interrupt-parts.ts'
import { found, watch } from '../judge.ts'
import { Ownership } from '../ownership.ts'
import type { IsolationPromise } from '../promise.ts'
import type { Program, Scenario } from '../scenario.ts'
import { DISK_SECTORS, interruptTopologies, pairTopologies } from '../topologies-io.ts'
import { logOf } from '../view.ts'

const NAME = 'interrupts'
const MOST_CYCLES = 150_000_000

interface InterruptScenario extends Scenario {
  /** By guest and vCPU: what entries of its log are to be. */
  readonly sights: readonly (readonly (readonly (Sight & { readonly entry: number })[])[])[]
}

const part: fc.Arbitrary<Part> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })).map(([p, t]) => uartPart(p, t)),
  },
  { weight: 2, arbitrary: fc.constant(waitedFor) },
  { weight: 1, arbitrary: fc.constant(diskPart(DISK_SECTORS)) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 200 }).map(timer) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 }))
      .map(([mask, base]) => ipiPart(mask, base, 0)),
  },
)
const parts = fc.array(part, { minLength: 1, maxLength: 5 })
/** Whoever computes leaves others their turns only because he has to. */
const FOR_EVER: Program = [{ op: 'compute', times: 0x7fff_ffff }]

const alone = fc
  .record({
    topology: fc.constantFrom(...interruptTopologies()),
    first: parts,
    second: fc.option(parts, { nil: undefined, freq: 3 }),
    interleaving,
  })
  .map(({ topology, first, second, interleaving }): InterruptScenario => {
    const own = assembled(first)
    const other = second && assembled(second)
    return {
      topology,
      sights: [[own.sights], [other?.sights ?? []]],
      guests: [{ programs: [own.program] }, { programs: [other?.program ?? FOR_EVER] }],
      ...(interleaving && topology.harts > 1 && { interleaving }),
      actions: [],
      cycles: MOST_CYCLES,
      everyone: other !== undefined,
    }
  })

const pair = fc
  .record({
    topology: fc.constantFrom(...pairTopologies()),
    parts: fc.oneof(
      fc
        .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 }))
        .map(([mask, base]) => ipiPair(mask, base)),
      fc
        .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 6 }))
        .map(([contexts, times]) => sharedSource(contexts, times)),
    ),
    other: parts,
  })
  .map(({ topology, parts: [first, second], other }): InterruptScenario => {
    const own = [assembled([first]), assembled([second])]
    const neighbour = assembled(other)
    return {
      topology,
      sights: [own.map(({ sights }) => sights), [neighbour.sights]],
      guests: [{ programs: own.map(({ program }) => program) }, { programs: [neighbour.program] }],
      actions: [],
      cycles: MOST_CYCLES,
      everyone: true,
    }
  })

function check(scenario: Scenario) {
  const { sights } = scenario as InterruptScenario
  const { arena, run } = watch(scenario, [new Ownership(), new ExitModel()])
  if (run.sighting) return found(NAME, scenario, run, run.sighting)
  for (const [guest, vcpus] of sights.entries()) {
    for (const [vcpu, expected] of vcpus.entries()) {
      const what = unmet(expected, logOf(arena, guest, vcpu))
      if (what === undefined) continue
      const line = `guest ${guest}, vCPU ${vcpu}: ${what}`
      return found(NAME, scenario, run, { what: line, where: arena.where() })
    }
  }
  if (run.finished) return undefined
  return found(NAME, scenario, run, {
    what: 'a guest waits for ever for an interrupt that has to come',
    where: arena.where(),
  })
}

export const interrupts: IsolationPromise = {
  name: NAME,
  sentence:
    'A guest takes the interrupts of its own timers, harts and devices, by its own masks, priorities and claims, each of them in the end, whatever its neighbours do, and no other.',
  arbitrary: fc.oneof({ weight: 3, arbitrary: alone }, { weight: 1, arbitrary: pair }),
  check,
}
