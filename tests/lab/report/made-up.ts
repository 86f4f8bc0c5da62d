/** A report of results that nobody has measured. */
import type { ReportData } from '../../../lab/report/report-data.ts'
import { byAxis, comparisonsOf } from '../../../lab/study/comparison.ts'
import type { Configuration } from '../../../lab/study/configurations.ts'
import type { Result } from '../../../lab/study/measure.ts'
import { row, sample } from '../study/sample.ts'

/** What nobody should ever see as markup. */
export const NASTY = '<script>alert("x")</script> & \'y\', "z"'
export const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1)

/** By workload: cycles of bare, native and hosted; seeds differ by a little, for \`even\` by more than configurations do. */
const CYCLES: Readonly<Record<string, readonly [number, number, number]>> = {
  hypercall: [100_000, 300_000, 600_000],
  even: [500_000, 500_000, 500_000],
  'disk-randwrite-32': [900_000, 1_100_000, 800_000],
}
const NAMES: readonly Configuration[] = ['bare', 'native', 'hosted']

function results(): readonly Result[] {
  return Object.entries(CYCLES).flatMap(([workload, all]) =>
    NAMES.flatMap((configuration, index) =>
      SEEDS.map(seed => {
        const guest = 50_000 + seed
        const extra = (all[index] ?? 0) - guest + ((seed * (index + 3)) % 7) * 500
        const own = configuration === 'bare' ? 'firmware' : configuration === 'native' ? 'vmm' : 'host kernel'
        const rows = [
          row({ cycles: guest }),
          row({ party: own, cause: NASTY, activity: 'emulation', cycles: Math.floor(extra / 2) }),
          row({ party: own, cause: 'ecall, "base"', activity: 'world switch', cycles: Math.ceil(extra / 2) }),
          ...Array.from({ length: 20 }, (_, at) => row({ party: own, cause: `row ${at}`, cycles: at + 1 })),
        ]
        const cycles = rows.reduce((sum, part) => sum + part.cycles, 0)
        return sample({ workload, configuration, seed, ledger: rows, cycles, value: cycles / 1000 })
      }),
    ),
  )
}

export function madeUp(changes: Partial<ReportData> = {}): ReportData {
  const found = results()
  const comparisons = comparisonsOf(found)
  return {
    command: 'npx barehart compare all --report there',
    date: '2026-11-23T12:00:00.000Z',
    pricesHash: '0123456789abcdef',
    seeds: SEEDS,
    harts: 1,
    pathLength: 1,
    options: [],
    study: { results: found, comparisons, axes: byAxis(comparisons), absent: [], failures: [] },
    does: { hypercall: NASTY },
    ...changes,
  }
}
