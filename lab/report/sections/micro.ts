/** The microbenchmarks in one table, beside what others have published and what others' software takes on our machine. */
import { ratioOf } from '../../calibrate/calibration.ts'
import type { Comparison } from '../../study/comparison.ts'
import { configurationNamed } from '../../study/configurations.ts'
import { isMicrobenchmark } from '../../study/micro.ts'
import { typicalResults } from '../../study/table.ts'
import { type Child, element, type Markup } from '../markup.ts'
import { more, quantity, ranges, whole } from '../numbers.ts'
import { PUBLISHED, type Source, SOURCES, WHY } from '../published.ts'
import type { ReportData } from '../report-data.ts'
import { commandFor } from '../reproduce.ts'
import { list, paragraph, section, table } from './block.ts'

export function microSection(data: ReportData): Markup | undefined {
  const comparisons = data.study.comparisons.filter(({ workload }) => isMicrobenchmark(workload))
  if (comparisons.length === 0) return undefined
  const names = [...new Set(comparisons.flatMap(({ summary }) => summary.map(({ configuration }) => configuration)))]
  const [{ samples }] = comparisons
  const all = comparisons.flatMap(comparison => comparison.samples)
  return section(
    'micro',
    'Microbenchmarks',
    paragraph(
      'Cycles for one operation, as one guest binary counts them: median, and below it the 95 % interval where seeds differ. Figures of others are theirs, on their machines; they are here for the ranking, not for the number.',
    ),
    table(
      [
        'operation',
        ...names.map(name => configurationNamed(name).label),
        'real ones on this machine',
        'published by others',
      ],
      comparisons.map(comparison => [
        comparison.workload,
        ...names.map(name => measured(comparison, name, data)),
        judged(comparison.workload, data),
        published(comparison.workload),
      ]),
      [names.length + 1, names.length + 2],
    ),
    list([...new Set(PUBLISHED.map(({ source }) => source))].map((source: Source) => SOURCES[source])),
    paragraph('† as quoted by another text.'),
    element('h3', {}, 'Why they differ'),
    list(WHY),
    element(
      'div',
      { class: 'reproduce' },
      element('code', {}, commandFor(all, data)),
      element('span', {}, `seeds ${ranges(samples.map(({ seed }) => seed))}`),
      typicalResults(comparisons.slice(0, 1)).map(({ configuration, seed, configurationHash, traceHash }) =>
        element(
          'span',
          {},
          `${configurationNamed(configuration).label}: configuration ${configurationHash}, seed ${seed} → trace ${traceHash}`,
        ),
      ),
      element('span', {}, 'The trace hash of every run is in results.csv.'),
    ),
  )
}

function measured({ workload, summary }: Comparison, name: string, { study }: ReportData): Child {
  const found = summary.find(({ configuration }) => configuration === name)
  if (found) {
    const { median, low, high } = found
    return low === high
      ? quantity(median)
      : [quantity(median), element('small', {}, `${quantity(low)} to ${quantity(high)}`)]
  }
  const absence = study.absent.find(({ benchmark, configuration }) => benchmark === workload && configuration === name)
  return element('small', {}, absence ? absence.why : 'no result')
}

/** Real ones on our machine, each beside the configuration of ours that is held against it. */
function judged(benchmark: string, { calibration = {} }: ReportData): Child {
  // What the Linux judge calls by the same names is a host kernel's, not a guest's.
  const parts = [calibration.kvm, calibration['type-1']]
  const rows = parts.flatMap(part => part?.rows.filter(({ name }) => name === benchmark) ?? [])
  return rows.map(row => {
    const [configuration = 'ours'] = Object.keys(row.ours)
    return element(
      'div',
      {},
      element('b', {}, quantity(row.real[row.judge] ?? NaN)),
      ` ${row.judge} `,
      element('small', {}, `${configuration} ${more(ratioOf(row))}`),
    )
  })
}

function published(benchmark: string): Child {
  const found = PUBLISHED.filter(row => row.benchmark === benchmark)
  return found.map(({ cycles, system, source, quoted }) =>
    element(
      'div',
      {},
      element('b', {}, whole(cycles)),
      ` ${system} `,
      element('small', {}, `${source}${quoted ? ' †' : ''}`),
    ),
  )
}
