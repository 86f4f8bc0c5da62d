import { expect, test } from 'vitest'
import type { Result, ResultRow } from '../../lab/study/measure.ts'
import { comparisonTable, legend, overheadOf, shortCount } from '../../lab/study/table.ts'
import { headingOf } from '../../lab/study/where.ts'
import { barehart, folderOf } from './command.ts'

const folder = folderOf({})

test('the data has what was asked for, in order; ledgers sum to the cycles; two runs are the same', () => {
  const words = ['compare', 'hypercall', 'memory', '--json']
  const { code, out, err } = barehart(folder, ...words)
  expect([code, err]).toEqual([0, ''])
  const { results } = JSON.parse(out) as { results: readonly Result[] }
  expect(results.map(({ workload, configuration }) => `${workload} ${configuration}`)).toEqual(
    ['hypercall', 'memory'].flatMap(workload => ['bare', 'native', 'hosted'].map(name => `${workload} ${name}`)),
  )
  for (const result of results) {
    expect(Object.keys(result)).toEqual([
      'workload',
      'configuration',
      'seed',
      'value',
      'unit',
      'core',
      'model',
      'harts',
      'instructions',
      'cycles',
      'ledger',
      'configurationHash',
      'traceHash',
    ])
    for (const row of result.ledger) {
      expect(Object.keys(row).toSorted()).toEqual(['activity', 'cause', 'cycles', 'hart', 'party'])
      expect(row.cycles).toBeGreaterThan(0)
    }
    expect(result.ledger.reduce((sum, { cycles }) => sum + cycles, 0)).toBe(result.cycles)
    expect(result.traceHash).toMatch(/^[0-9a-f]{8,}$/)
  }
  expect(barehart(folder, ...words).out).toBe(out)
})

test('the table fits its terminal', () => {
  const results = (['bare', 'native', 'hosted'] as const).map(
    (configuration, index): Result => ({
      workload: 'hypercall',
      configuration,
      seed: 0,
      value: 10 ** (6 + index),
      unit: 'cycles',
      core: 'Rocket',
      model: 'flat',
      harts: 1,
      instructions: 1,
      cycles: 10 ** (6 + index),
      ledger: [{ hart: 0, party: 'guest', cause: '', activity: 'computing', cycles: 10 ** (6 + index) }],
      configurationHash: '',
      traceHash: '',
    }),
  )
  for (const columns of [80, 100, 120, 200]) {
    const lines = `${comparisonTable(results, columns)}\n${legend(columns)}`.split('\n')
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns < 120 ? 79 : 119)
  }
  expect(comparisonTable(results, 120)).toContain('world switch')
})

test('counts and overheads stay short', () => {
  expect([7, 999, 1000, 7_160_000, 2.5e9].map(shortCount)).toEqual(['7', '999', '1.00 k', '7.16 M', '2.50 G'])
  expect([100, 99.99, 101, 450, 2000, 99].map(cycles => overheadOf(cycles, 100))).toEqual([
    '+0.0 %',
    '+0.0 %',
    '+1.0 %',
    '+350.0 %',
    '×20.0',
    '−1.0 %',
  ])
})

test('each row has one heading: what the guest asked for is emulation, whoever does it', () => {
  const row = (party: ResultRow['party'], activity: ResultRow['activity']) =>
    headingOf({ hart: 0, party, activity, cause: '', cycles: 1 })
  expect(row('guest', 'computing')).toBe('guest')
  expect(row('guest', 'walk')).toBe('translation')
  expect(row('vmm', 'emulation')).toBe('emulation')
  expect(row('vmm', 'copy')).toBe('copies')
  expect(row('host kernel', 'emulation')).toBe('emulation')
  expect(row('host kernel', 'computing')).toBe('host kernel')
  expect(row('host kernel', 'scheduling')).toBe('scheduling')
  expect(row('host kernel', 'world switch')).toBe('world switch')
  expect(row('idle', 'waiting')).toBe('idle')
})
