import { describe, expect, test } from 'vitest'
import { PLACEMENT_NAMES, placementNamed } from '../../../lab/place/placements.ts'
import { placeReportFiles } from '../../../lab/place/report/index.ts'
import { BROWSER, faultsOfPage } from '../report/look.ts'
import { madeUp } from './made-up.ts'

test('the page names every placement and escapes what comes from outside; every row is in the data', () => {
  const files = placeReportFiles(madeUp())
  const page = files.get('report.html')!
  for (const name of PLACEMENT_NAMES) expect(page).toContain(placementNamed(name).label)
  expect(page).toContain('reads &lt;blocks&gt;')
  expect(files.get('ledgers.csv')!.split('\n')).toContain('vmm,vmm,"store, ""virtio""",emulation,4400')
  expect(files.get('ledgers.csv')!.trim().split('\n')).toHaveLength(1 + 3 * PLACEMENT_NAMES.length)
})

describe.skipIf(!BROWSER)(`in chromium${BROWSER ? '' : ' (not installed)'}`, () => {
  test('a window shows all of it, readably', () => {
    expect(faultsOfPage(placeReportFiles(madeUp()).get('report.html')!, 1280)).toBe('[]')
  })
})
