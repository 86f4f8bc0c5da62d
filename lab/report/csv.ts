/** The results as tables of comma-separated values (RFC 4180): one row a run, and one row a ledger's row. */
import type { Result } from '../study/measure.ts'

type Cell = string | number

function cell(value: Cell): string {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export function csv(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [head, ...rows].map(row => `${row.map(cell).join(',')}\r\n`).join('')
}

const RESULT_COLUMNS = [
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
  'configurationHash',
  'traceHash',
] as const satisfies readonly (keyof Result)[]

export function resultsCsv(results: readonly Result[]): string {
  return csv(
    RESULT_COLUMNS,
    results.map(result => RESULT_COLUMNS.map(column => result[column])),
  )
}

export function ledgersCsv(results: readonly Result[]): string {
  return csv(
    ['workload', 'configuration', 'seed', 'hart', 'party', 'cause', 'activity', 'cycles'],
    results.flatMap(({ workload, configuration, seed, ledger }) =>
      ledger.map(row => [workload, configuration, seed, row.hart, row.party, row.cause, row.activity, row.cycles]),
    ),
  )
}
