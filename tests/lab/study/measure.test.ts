import { expect, test } from 'vitest'
import { guestImage } from '../../../guests/image.ts'
import { type Workload, workloadNamed } from '../../../guests/index.ts'
import { rocketFlat } from '../../../hw/index.ts'
import { measure } from '../../../lab/study/measure.ts'
import type { Measurement } from '../../../lab/study/measure-all.ts'
import { study } from '../../../lab/study/study.ts'
import { sample } from './sample.ts'
import { barehart, folderOf } from '../command.ts'

const hypercall = workloadNamed('hypercall')!
const watcher = { begin: () => {}, finish: () => {} }

test('a printed command gives the same figure, hash for hash', async () => {
  const result = await measure(hypercall, 'native', { seed: 7, harts: 2 })
  const words = ['compare', 'hypercall', '--configurations', 'native', '--seed', '7', '--harts', '2', '--json']
  const { code, out } = barehart(folderOf({}), ...words)
  const { results } = JSON.parse(out) as { results: readonly unknown[] }
  expect([code, results]).toEqual([0, [result]])
})

test("path length scales what is counted, and nothing else: the bare machine's workload has none", async () => {
  const cyclesOf = async (name: 'bare' | 'native', pathLength: number) =>
    (await measure(hypercall, name, { pathLength })).cycles
  const [low, one, high] = [await cyclesOf('native', 0.7), await cyclesOf('native', 1), await cyclesOf('native', 1.4)]
  expect(low).toBeLessThan(one)
  // Each entry rounds to whole cycles.
  expect((high - one) / (one - low)).toBeCloseTo(4 / 3, 1)
  expect(await cyclesOf('bare', 1.4)).toBe(await cyclesOf('bare', 1))
})

test('prices are rerun, not computed: a dearer flush costs more, and is another configuration', async () => {
  const dear = { ...rocketFlat, pipelineFlush: rocketFlat.pipelineFlush * 2 }
  const [plain, more] = [await measure(hypercall, 'native'), await measure(hypercall, 'native', { prices: dear })]
  expect(more.cycles).toBeGreaterThan(plain.cycles)
  expect(more.instructions).toBe(plain.instructions)
  expect(more.configurationHash).not.toBe(plain.configurationHash)
})

/** Memory that the machine has and a guest of it has not. */
const BEYOND_THE_GUEST = 0x8700_0000

function workload(source: string): Workload {
  return { ...hypercall, name: 'odd', image: () => guestImage(source) }
}

test('a guest that crashes only where it is virtualised: a line that says of what; the bare result stands', async () => {
  const crashing = workload(
    `start:\n    mark.start\n    li t0, ${BEYOND_THE_GUEST}\n    ld t0, 0(t0)\n    mark.end\n    shutdown\n`,
  )
  expect((await measure(crashing, 'bare')).cycles).toBeGreaterThan(0)
  for (const name of ['native', 'hosted'] as const) {
    await expect(measure(crashing, name)).rejects.toThrow(
      /^its guest crashed: load guest-page fault at 0x87000000, vCPU 0, pc 0x802/,
    )
  }
})

test('a guest that ends early, or waits for nothing, says so', async () => {
  await expect(measure(workload('start:\n    mark.start\n    shutdown\n'), 'bare')).rejects.toThrow(
    /^it ended before its end mark/,
  )
  const waiting = workload('start:\n    csrw sie, zero\n1:  wfi\n    j 1b\n')
  await expect(measure(waiting, 'bare')).rejects.toThrow(/^it waits forever before its start mark/)
})

test('what fails in one configuration is named once, and all else is kept', async () => {
  const tried: Measurement[] = []
  const found = await study(
    {
      workloads: ['hypercall', 'timer'],
      configurations: ['bare', 'hosted'],
      seeds: [1, 2, 3],
      conditions: { harts: 1 },
    },
    watcher,
    measurement => {
      tried.push(measurement)
      const { workload: name, configuration, conditions } = measurement
      const fails = name === 'timer' && configuration === 'hosted'
      return Promise.resolve({
        results: fails ? [] : [sample({ workload: name, configuration, seed: conditions?.seed ?? 0 })],
        absent: [],
        failures: fails ? ['timer (hosted): its guest crashed'] : [],
      })
    },
  )
  expect(found.failures).toEqual([
    'timer (hosted): its guest crashed; to see it again: npx barehart compare timer --configurations hosted --seed 1 --json',
  ])
  expect(found.results).toHaveLength(9)
  expect(tried).toHaveLength(10)
  expect(found.comparisons.map(({ workload: name, differences }) => [name, differences.length])).toEqual([
    ['hypercall', 1],
    ['timer', 0],
  ])
})
