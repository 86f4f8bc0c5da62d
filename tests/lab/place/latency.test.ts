import { expect, test } from 'vitest'
import type { MarkListener } from '../../../hw/machine.ts'
import { latencyOf, quantile, Stopwatch, typicalRequest } from '../../../lab/place/latency.ts'

test('a quantile is one of the values, by nearest rank', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index)
  expect(latencyOf(values)).toEqual({ median: 100, p99: 198, worst: 200 })
  expect(quantile([7], 0.99)).toBe(7)
})

test('requests are paired by their numbers, whatever comes in between; marks of the workload are none', () => {
  let tell: MarkListener = () => {}
  const watch = new Stopwatch({ onMark: listener => void (tell = listener) })
  const marks = [
    ['start', 0, 5],
    ['start', 1, 10],
    ['start', 1025, 11],
    ['end', 1025, 20],
    ['end', 7, 25],
    ['end', 1, 40],
    ['end', 0, 50],
  ] as const
  for (const [mark, number, cycle] of marks) tell(0, mark, number, cycle)
  expect(watch.requests).toEqual([
    { from: 11, to: 20 },
    { from: 10, to: 40 },
  ])
})

test('the typical request is the one nearest to the median', () => {
  const requests = [1, 100, 9, 10, 11].map(length => ({ from: 0, to: length }))
  expect(typicalRequest(requests)).toEqual({ from: 0, to: 10 })
})
