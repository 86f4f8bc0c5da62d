import { describe, expect, it } from 'vitest'
import { EXECUTORS } from './ours.ts'
import { runSuite, summary } from './suite.ts'

const folder = process.env['BAREHART_SUITE']

describe.skipIf(!folder)(`riscv-tests${folder ? '' : ' (BAREHART_SUITE names no folder of programs)'}`, () => {
  it('all pass on both executors', { timeout: 600_000 }, () => {
    const results = runSuite(folder ?? '', EXECUTORS)
    expect(results.length).toBeGreaterThan(0)
    expect(summary(results.filter(({ passed }) => !passed))).toBe('0 of 0 passed')
  })
})
