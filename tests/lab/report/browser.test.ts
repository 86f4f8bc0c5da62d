import { describe, expect, test } from 'vitest'
import { reportFiles } from '../../../lab/report/index.ts'
import { BROWSER, faultsOfPage } from './look.ts'
import { madeUp } from './made-up.ts'

describe.skipIf(!BROWSER)(`in chromium${BROWSER ? '' : ' (not installed)'}`, () => {
  test.each([1280, 800])('a window of %i pixels shows all of it, readably', width => {
    expect(faultsOfPage(reportFiles(madeUp()).get('report.html')!, width)).toBe('[]')
  })
})
