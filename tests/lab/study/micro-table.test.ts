import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { BENCHMARKS } from '../../../guests/micro/index.ts'
import { comparisonsOf } from '../../../lab/study/comparison.ts'
import { type Configuration, CONFIGURATIONS, DEFAULT_CONFIGURATIONS } from '../../../lab/study/configurations.ts'
import type { Result } from '../../../lab/study/measure.ts'
import { microNotes, microTable } from '../../../lab/study/micro-table.ts'

const COLUMNS = 80
const VALUES: Partial<Record<Configuration, number>> = { bare: 88, native: 250, hosted: 123_456.4 }

function resultsOf(configurations: readonly Configuration[]): readonly Result[] {
  return BENCHMARKS.flatMap(({ name }) =>
    configurations.map(configuration => {
      const value = VALUES[configuration] ?? 1000
      return {
        workload: name,
        configuration,
        seed: 0,
        value,
        unit: 'cycles',
        core: 'Rocket',
        model: 'flat',
        harts: 1,
        instructions: 1,
        cycles: value,
        ledger: [
          { hart: 0, party: 'vmm process' as const, cause: 'load uart', activity: 'emulation' as const, cycles: value },
        ],
        configurationHash: '',
        traceHash: '',
      }
    }),
  )
}

test.each([[DEFAULT_CONFIGURATIONS], [CONFIGURATIONS]])('every benchmark has its row, within 80 columns: %s', list => {
  const results = resultsOf(list).filter(({ workload }) => workload !== 'io-in')
  const absent = list.map(configuration => ({ benchmark: 'io-in', configuration, why: 'no virtio block device' }))
  const table = stripVTControlCharacters(microTable(comparisonsOf(results), absent, COLUMNS))
  const notes = stripVTControlCharacters(microNotes(results, absent, COLUMNS))
  for (const line of [...table.split('\n'), ...notes.split('\n')]) expect(line.length).toBeLessThanOrEqual(COLUMNS)
  for (const { name } of BENCHMARKS) expect(table).toMatch(new RegExp(`^${name} `, 'm'))
  expect(notes).toContain('bare has no virtio block device: io-in')
  expect(notes.replaceAll(/\s+/g, ' ')).toContain('null-hypercall: a process (bare, native')
})

test('ratios are those to the native VMM; what is absent is a dot', () => {
  const results = resultsOf(['bare', 'native', 'hosted']).filter(({ workload }) => workload !== 'io-in')
  const lines = stripVTControlCharacters(microTable(comparisonsOf(results), [], COLUMNS)).split('\n')
  const row = (name: string) => lines.find(line => line.startsWith(`${name} `))!.split(/\s+/)
  expect(row('null-hypercall')).toEqual(['null-hypercall', '88.0', '250', '123456', '×494'])
  expect(row('io-in').filter(word => word !== '')).toEqual(['io-in', '·', '·', '·'])
})
