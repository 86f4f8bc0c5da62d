import { expect, test } from 'vitest'
import { commandFor } from '../../../lab/report/reproduce.ts'
import type { Configuration } from '../../../lab/study/configurations.ts'
import type { Result } from '../../../lab/study/measure.ts'
import { study } from '../../../lab/study/study.ts'
import { barehart, folderOf } from '../command.ts'

const silent = { begin: () => {}, finish: () => {} }

test('the command under a figure gives it again, hash for hash', async () => {
  const configurations: readonly Configuration[] = ['bare', 'native']
  const { results } = await study(
    { workloads: ['hypercall'], configurations, seeds: [1, 2], conditions: { harts: 2, pathLength: 0.7 } },
    silent,
  )
  expect(results).toHaveLength(4)
  const words = commandFor(results, { options: ['--path-length 0.7'] })
    .split(' ')
    .slice(2)
  const { out, err, code } = barehart(folderOf({}), ...words)
  expect([code, err]).toEqual([0, ''])
  expect((JSON.parse(out) as { results: readonly Result[] }).results).toEqual(results)
})
