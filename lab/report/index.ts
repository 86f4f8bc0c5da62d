/** The report: one page that needs nothing else, and beside it the data as CSV and JSON, flame graphs and timelines. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMicrobenchmark } from '../study/micro.ts'
import type { PriceList } from '../study/price-list.ts'
import { typicalResults } from '../study/table.ts'
import { ledgersCsv, resultsCsv } from './csv.ts'
import { flameFile } from './figures/flame.ts'
import { folded } from './folded.ts'
import { page } from './page.ts'
import { traceEvents } from './recording.ts'
import type { ReportData } from './report-data.ts'

export type { ReportData } from './report-data.ts'
export { record } from './recording.ts'

const PAGE = 'report.html'

/** By which a report names its price list. */
export function hashOfPrices(prices: PriceList): string {
  return createHash('sha256').update(JSON.stringify(prices)).digest('hex').slice(0, 16)
}

/** The files of a report by their paths in its folder. */
export function reportFiles(data: ReportData): ReadonlyMap<string, string> {
  const { results, comparisons } = data.study
  const beside = new Map<string, string>([
    ['results.csv', resultsCsv(results)],
    ['ledgers.csv', ledgersCsv(results)],
    ['report.json', `${JSON.stringify({ ...data, recordings: undefined }, undefined, 1)}\n`],
  ])
  for (const comparison of comparisons) {
    if (isMicrobenchmark(comparison.workload)) continue
    const typical = typicalResults([comparison])
    beside.set(`flame/${comparison.workload}.folded`, folded(typical))
    beside.set(`flame/${comparison.workload}.svg`, flameFile(`${comparison.workload}: where the cycles went`, typical))
  }
  for (const recording of data.recordings ?? [])
    beside.set(`timeline/${recording.workload}-${recording.configuration}.json`, traceEvents(recording))
  return new Map([[PAGE, page(data, filesInWords([...beside.keys()]))], ...beside])
}

/** Writes them; returns the page's path. */
export function writeReport(directory: string, data: ReportData): string {
  const files = reportFiles(data)
  for (const folder of new Set([...files.keys()].map(path => path.split('/').slice(0, -1).join('/'))))
    mkdirSync(join(directory, folder), { recursive: true })
  for (const [path, content] of files) writeFileSync(join(directory, path), content)
  return join(directory, PAGE)
}

function filesInWords(paths: readonly string[]): readonly string[] {
  const has = (folder: string) => paths.some(path => path.startsWith(folder))
  return [
    'results.csv (every run)',
    'ledgers.csv (every row of every run)',
    'report.json (all of it)',
    ...(has('flame/') ? ['flame/ (folded stacks and pictures)'] : []),
    ...(has('timeline/') ? ['timeline/ (open with ui.perfetto.dev)'] : []),
  ]
}
