import { expect, test } from 'vitest'
import { hypercall } from '../../../guests/workloads/hypercall.ts'
import { record, traceEvents } from '../../../lab/report/recording.ts'

const WINDOW = 20_000

test('a recording has each cycle of its window once, and the timeline nests', async () => {
  const recording = await record(hypercall, 'hosted', { seed: 1 }, WINDOW)
  const { from, to, stretches } = recording
  expect(to - from).toBeGreaterThanOrEqual(WINDOW)
  let at = from
  for (const stretch of stretches) {
    expect(stretch.from).toBe(at)
    at = stretch.to
  }
  expect(at).toBe(to)
  const { traceEvents: events } = JSON.parse(traceEvents(recording)) as {
    traceEvents: { ph: string; cat?: string; name: string; ts: number; dur: number; args: { cycles: number } }[]
  }
  const slices = events.filter(({ ph }) => ph === 'X')
  const parties = slices.filter(({ cat }) => cat === 'party')
  const others = slices.filter(({ cat }) => cat !== 'party')
  for (const some of [parties, others]) expect(some.reduce((sum, { args }) => sum + args.cycles, 0)).toBe(to - from)
  expect(new Set(parties.map(({ name }) => name))).toContain('host kernel')
  const near = 1e-6
  for (const { ts, dur } of others)
    expect(parties.some(outer => outer.ts <= ts + near && outer.ts + outer.dur >= ts + dur - near)).toBe(true)
})
