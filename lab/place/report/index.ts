/** The report on placements as files: the page, its data, and every row of the ledgers. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PlaceReportData } from './data.ts'
import { placePage } from './page.ts'

const PAGE = 'report.html'

export function placeReportFiles(data: PlaceReportData): ReadonlyMap<string, string> {
  return new Map([
    [PAGE, placePage(data, ['place.json (all of it)', 'ledgers.csv (every row)'])],
    ['place.json', `${JSON.stringify(data, undefined, 1)}\n`],
    ['ledgers.csv', ledgers(data)],
  ])
}

/** Writes them; returns the page's path. */
export function writePlaceReport(directory: string, data: PlaceReportData): string {
  mkdirSync(directory, { recursive: true })
  for (const [path, content] of placeReportFiles(data)) writeFileSync(join(directory, path), content)
  return join(directory, PAGE)
}

function ledgers({ findings }: PlaceReportData): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  const rows = findings.flatMap(({ placement, ledger }) =>
    ledger.map(({ party, cause, activity, cycles }) =>
      [placement, party, quoted(cause), activity, String(cycles)].join(','),
    ),
  )
  return ['placement,party,cause,activity,cycles_per_operation', ...rows].map(row => `${row}\n`).join('')
}
