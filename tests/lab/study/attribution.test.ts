import { expect, test } from 'vitest'
import { WORKLOADS } from '../../../guests/index.ts'
import { ledgerDifference } from '../../../lab/study/attribution.ts'
import { CONFIGURATIONS, hartsNeeded } from '../../../lab/study/configurations.ts'
import { measure, type Result } from '../../../lab/study/measure.ts'

/** Seeds differ, so that chance takes part too. */
test.each(WORKLOADS.map((workload, index) => ({ name: workload.name, workload, seed: index })))(
  '$name: the ledgers of every two configurations differ by exactly what their clocks do',
  async ({ workload, seed }) => {
    const harts = hartsNeeded(CONFIGURATIONS)
    const results: Result[] = []
    for (const configuration of CONFIGURATIONS) results.push(await measure(workload, configuration, { seed, harts }))
    for (const a of results) {
      expect(a.ledger.reduce((sum, { cycles }) => sum + cycles, 0)).toBe(a.cycles)
      for (const b of results) {
        const rows = ledgerDifference(a, b)
        expect(rows.reduce((sum, { cycles }) => sum + cycles, 0)).toBe(b.cycles - a.cycles)
      }
    }
  },
)
