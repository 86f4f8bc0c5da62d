/** One workload: its numbers, where the cycles went, and what each difference is made of. */
import type { Comparison, Difference } from '../../study/comparison.ts'
import { configurationNamed } from '../../study/configurations.ts'
import { ENOUGH } from '../../study/statistics.ts'
import { typicalResults } from '../../study/table.ts'
import { bars } from '../figures/bars.ts'
import { flame } from '../figures/flame.ts'
import { stacks } from '../figures/stacks.ts'
import { waterfall } from '../figures/waterfall.ts'
import { ratio } from '../findings.ts'
import { type Child, element, type Markup } from '../markup.ts'
import { equalWithin } from '../../study/difference-lines.ts'
import { more, quantity, signed } from '../numbers.ts'
import type { ReportData } from '../report-data.ts'
import { reproduce } from '../reproduce.ts'
import { figureBlock, paragraph, table } from './block.ts'

/** The pair that a report is about; the others fold away. */
const FIRST = { a: 'native', b: 'hosted' }

export function workloadSection(comparison: Comparison, data: ReportData): Markup {
  const { workload, unit, samples, summary, differences } = comparison
  const typical = typicalResults([comparison])
  const first = differences.find(({ a, b }) => a === FIRST.a && b === FIRST.b) ?? differences.at(-1)
  return element(
    'section',
    { id: `w-${workload}`, class: 'workload' },
    element('h3', {}, workload),
    paragraph(data.does[workload] ?? '', '.'),
    table(
      ['configuration', `median, ${unit}`, '95 % interval', 'against bare', 'against native', 'samples'],
      summary.map(({ configuration, median, low, high }) => [
        configurationNamed(configuration).label,
        quantity(median),
        interval(low, high),
        against(comparison, 'bare', configuration),
        against(comparison, 'native', configuration),
        samples.filter(sample => sample.configuration === configuration).length,
      ]),
    ),
    figureBlock(
      `Time: median and 95 % interval, ${unit}`,
      bars(`${workload}: time`, unit, summary),
      reproduce(samples, typical, data),
    ),
    figureBlock(
      `Where the cycles went, in the run nearest to the median of each configuration`,
      stacks(`${workload}: where the cycles went`, typical),
      reproduce(samples, typical, data),
    ),
    element(
      'details',
      {},
      element('summary', {}, 'As a flame graph: configuration, party, cause, activity'),
      flame(`${workload}: flame graph`, typical),
    ),
    differences.length === 0
      ? undefined
      : [differenceTable(comparison), first ? taken(comparison, first, data) : undefined],
    others(
      comparison,
      differences.filter(difference => difference !== first),
      data,
    ),
  )
}

function interval(low: number, high: number): string {
  return low === high ? '–' : `${quantity(low)} to ${quantity(high)}`
}

function against(comparison: Comparison, base: Difference['a'], configuration: Difference['b']): string {
  if (base === configuration) return ''
  const found = ratio(comparison, base, configuration)
  return found ? more(found.median) : ''
}

function differenceTable({ differences, unit, equivalence }: Comparison): Markup {
  return table(
    ['paired difference', `median, ${unit}`, '95 % interval', 'verdict'],
    differences.map(({ a, b, median, low, high, undecided, equivalent, pairs }) => [
      `${configurationNamed(b).label} − ${configurationNamed(a).label}`,
      signed(median),
      low === high ? '–' : `${signed(low)} to ${signed(high)}`,
      pairs < ENOUGH
        ? `${pairs} pair${pairs === 1 ? '' : 's'}: not stated`
        : undecided
          ? 'no difference shown'
          : equivalent
            ? equalWithin(equivalence)
            : median > 0
              ? 'slower'
              : 'faster',
    ]),
    [3],
  )
}

function taken({ samples, workload }: Comparison, difference: Difference, data: ReportData): Markup {
  const { a, b, seed } = difference
  const pair = [a, b].flatMap(
    name => samples.find(sample => sample.configuration === name && sample.seed === seed) ?? [],
  )
  const [first, second] = [a, b].map(name => configurationNamed(name).label)
  return figureBlock(
    `What ${second} takes beyond ${first}, row by row of the ledger: the bars sum exactly to the last`,
    difference.rows.length === 0
      ? paragraph('The two ledgers are alike, row by row.')
      : waterfall(`${workload}: ${second} − ${first}`, difference),
    reproduce(pair, pair, data),
  )
}

function others(comparison: Comparison, rest: readonly Difference[], data: ReportData): Child {
  if (rest.length === 0) return undefined
  return element(
    'details',
    {},
    element('summary', {}, `${rest.length} other difference${rest.length === 1 ? '' : 's'}, row by row`),
    rest.map(difference => taken(comparison, difference, data)),
  )
}
