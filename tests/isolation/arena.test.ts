/** Machines that are put back: a run is the same run however many went before it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arenaOf, Arena } from '../../lab/isolation/arena.ts'
import { anyScenario } from '../../lab/isolation/generators/scenarios.ts'
import { APART, HOSTED } from '../../lab/isolation/generators/topologies.ts'
import { logOf } from '../../lab/isolation/view.ts'

const [first, ...others] = fc.sample(anyScenario, { numRuns: 6, seed: 3 })

test.each([APART, HOSTED])('$vmm: what a run comes to depends on its scenario alone', topology => {
  const on = (scenario: typeof first) => ({
    ...scenario,
    topology,
    guests: topology.guests.map((_, index) => scenario.guests[index]),
  })
  const arena = arenaOf(topology)
  const before = arena.run(on(first))
  for (const scenario of others) arena.run(on(scenario))
  expect(arena.run(on(first)).traceHash).toBe(before.traceHash)
  expect(new Arena(topology).run(on(first)).traceHash).toBe(before.traceHash)
})

test('a program goes on behind whatever a step has come to, and its log says so', () => {
  const arena = arenaOf(APART)
  const programs = [
    [
      { op: 'load', bytes: 4, signed: true, address: 0x4000_0000 },
      { op: 'word', word: 0, a1: 0, a4: 0 },
      { op: 'repeat', times: 2, steps: [{ op: 'call', extension: 0x10, function: 0, arguments: [] }] },
    ],
  ] as const
  const run = arena.run({ topology: APART, guests: [{ programs }, { programs: [[]] }], actions: [], cycles: 1_000_000 })
  expect(run.finished).toBe(true)
  expect(logOf(arena, 0, 0)).toEqual([
    '0x5a5 0x40000000 0x5 0x40000000',
    '0x5a5 0x0 0x2 0x0',
    '0x0 0x2000000 0xffffffffffffffff 0x0',
    '0x0 0x2000000 0xffffffffffffffff 0x0',
  ])
})
