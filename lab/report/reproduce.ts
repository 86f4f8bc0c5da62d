/** What stands under each figure: the command that gives it again, and the hashes by which one sees that it did. */
import { configurationNamed, hartsNeeded } from '../study/configurations.ts'
import type { Result } from '../study/measure.ts'
import { isMicrobenchmark, MICRO } from '../study/micro.ts'
import { element, type Markup } from './markup.ts'
import { ranges } from './numbers.ts'
import type { ReportData } from './report-data.ts'

/** The command for these results: the figure's workload, configurations and seeds, and nothing else. */
export function commandFor(results: readonly Result[], { options }: Pick<ReportData, 'options'>): string {
  const [{ workload, harts }] = results as [Result]
  const names = [...new Set(results.map(({ configuration }) => configuration))]
  const seeds = [...new Set(results.map(({ seed }) => seed))].toSorted((a, b) => a - b)
  const counted = seeds.length > 1 || seeds[0] === 1
  return [
    `npx barehart compare ${isMicrobenchmark(workload) ? MICRO : workload} --configurations ${names.join(',')}`,
    counted ? `--seeds ${seeds.at(-1)}` : `--seed ${seeds[0]}`,
    ...(isMicrobenchmark(workload) || harts === hartsNeeded(names) ? [] : [`--harts ${harts}`]),
    ...options,
    '--json',
  ].join(' ')
}

/** `all` are the results behind the figure, `shown` those whose hashes stand here: one a configuration. */
export function reproduce(all: readonly Result[], shown: readonly Result[], data: ReportData): Markup {
  return element(
    'div',
    { class: 'reproduce' },
    element('code', {}, commandFor(all, data)),
    element(
      'span',
      {},
      `seed${all.some(({ seed }) => seed !== all[0]?.seed) ? 's' : ''} ${ranges(all.map(({ seed }) => seed))}`,
    ),
    shown.map(({ configuration, seed, configurationHash, traceHash }) =>
      element(
        'span',
        {},
        `${configurationNamed(configuration).label}: configuration ${configurationHash}, seed ${seed} → trace ${traceHash}`,
      ),
    ),
  )
}
