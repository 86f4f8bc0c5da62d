/** Management: starting, stopping, ending, saving and restoring. */
import fc from 'fast-check'
import { SBI_HSM, SBI_SRST } from '../../../hw/spec/sbi.ts'
import { AfterEnd } from '../after-end.ts'
import { hostile, watched } from '../generators/programs.ts'
import { interleaving } from '../generators/scenarios.ts'
import { type HartPair, startedAgain, startedAmid, stopAndStart } from '../hart-parts.ts'
import { unmet } from '../interrupt-parts.ts'
import { alone, found, watch } from '../judge.ts'
import { Ownership } from '../ownership.ts'
import type { IsolationPromise } from '../promise.ts'
import type { Program, Scenario, Step } from '../scenario.ts'
import { restless } from '../rest.ts'
import { Starts } from '../starts.ts'
import { endTopologies, pairTopologies } from '../topologies-io.ts'
import { difference, logOf } from '../view.ts'

const NAME = 'management'
const CYCLES = 60_000_000
/** A hart that has stopped never comes to its program's end. */
const PAIR_CYCLES = 12_000_000
const SHARED_PAIR_CYCLES = 80_000_000
/** Ticks in which a hart has had its turn: if it need not wait for one, and if it has to wait for two of others'. */
const SOON = 3000
const TURNS = 120_000

interface ManagedScenario extends Scenario {
  /** Of guest 0, whose second hart is started and stopped. */
  readonly pair?: HartPair
}

/** By how many ticks the second hart needs to come to anything. */
const pairs: fc.Arbitrary<(ticks: number) => HartPair> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom('nothing' as const, 'translates' as const, 'is interrupted' as const),
        fc.integer({ min: 1, max: 3000 }),
        fc.boolean(),
      )
      .map(
        ([before, work, isStarted]) =>
          (ticks: number) =>
            stopAndStart(before, work, isStarted, ticks),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 8000 }), fc.integer({ min: 10, max: 80 })).map(
      ([work, times]) =>
        (ticks: number) =>
          startedAmid(work, times, ticks),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 4, max: 60 }), fc.integer({ min: 1, max: 300 }))
      .map(
        ([work, times, between]) =>
          (ticks: number) =>
            startedAgain(work, times, between, ticks),
      ),
  },
)

const started = fc
  .record({ topology: fc.constantFrom(...pairTopologies()), pair: pairs, other: hostile, interleaving })
  .map(({ topology, pair: pairFor, other, interleaving }): ManagedScenario => {
    const isShared = topology.harts === 1
    const pair = pairFor(isShared ? TURNS : SOON)
    return {
      topology,
      pair,
      guests: [{ programs: [pair.first.program, pair.second.program] }, { programs: [other] }],
      ...(interleaving && topology.harts > 1 && { interleaving }),
      actions: [],
      cycles: isShared ? SHARED_PAIR_CYCLES : PAIR_CYCLES,
    }
  })

const call = (extension: number, number: number, ...values: readonly number[]): Step => ({
  op: 'call',
  extension,
  function: number,
  arguments: values,
})
const end: fc.Arbitrary<Program> = fc.constantFrom<Program>(
  [call(SBI_SRST, 0, 0, 0)],
  [call(SBI_SRST, 0, 1, 5)],
  [call(SBI_HSM, 1)],
  [
    { op: 'write', csr: 0x105, value: 0 },
    { op: 'load', bytes: 8, signed: false, address: 0x4000_0000 },
  ],
)
const busy: Program = [{ op: 'repeat', times: 1_000_000, steps: [call(0x10, 0), { op: 'compute', times: 50 }] }]

/** Whenever it is ended, a timer of its own is still to come. */
const dozing: Program = [{ op: 'repeat', times: 1_000_000, steps: [{ op: 'wait', ticks: 300 }] }]

/** A guest of two harts ends in the midst of what it does, one way or another; machines are saved and restored meanwhile. */
const ended = fc
  .record({
    topology: fc.constantFrom(...endTopologies()),
    first: watched,
    before: fc.oneof(hostile, fc.constant<Program>([])),
    end,
    other: fc.oneof(hostile, fc.constantFrom(busy, dozing)),
    swapped: fc.boolean(),
    saved: fc.array(fc.nat(400_000), { maxLength: 2 }),
  })
  .map(({ topology, first, before, end, other, swapped, saved }): ManagedScenario => {
    const programs = [[...before, ...end], other]
    return {
      topology,
      guests: [
        { programs: [[...first, { op: 'wait', ticks: 900 }]] },
        { programs: swapped ? programs.toReversed() : programs },
      ],
      actions: saved.map(at => ({ at, do: 'save-and-restore' })),
      cycles: CYCLES,
    }
  })

function check(scenario: Scenario) {
  const { pair, actions } = scenario as ManagedScenario
  const { arena, run } = watch(scenario, [new Ownership(), new AfterEnd(), new Starts()])
  if (run.sighting) return found(NAME, scenario, run, run.sighting)
  const where = arena.where()
  const see = (what: string) => found(NAME, scenario, run, { what, where })
  if (pair) {
    const what = unmet(pair.first.sights, logOf(arena, 0, 0))
    if (what !== undefined) return see(what)
    const steps = logOf(arena, 0, 1).length
    if (steps > pair.most) return see(`hart 1 goes on behind its stop: it comes to step ${steps} of ${pair.most}`)
    return arena.isDone(0, 0) ? undefined : see('hart 0 does not come to its end')
  }
  if (!run.finished) return see('guest 0 does not come to its end')
  const awake = restless(arena)
  if (awake !== undefined) return see(awake)
  if (actions.length > 0) {
    const undisturbed = watch({ ...scenario, actions: [] }, []).run
    for (const [guest, view] of run.views.entries()) {
      if (guest > 0) break
      const what = difference(view, undisturbed.views[guest])
      if (what !== undefined) return see(`guest ${guest} is not what it was before the machine was saved: ${what}`)
    }
  }
  const lone = watch(alone({ ...scenario, actions: [] }), []).run
  const what = difference(run.views[0], lone.views[0])
  return what === undefined ? undefined : see(`guest 0 sees something of the others' end: ${what}`)
}

export const management: IsolationPromise = {
  name: NAME,
  sentence:
    'Harts and guests that start, stop and end do so as they were asked to and stay so, whatever interrupts them; neither that nor saving and restoring the machine is seen by other guests.',
  arbitrary: fc.oneof(started, ended),
  check,
}
