/** The comparison as a table for the terminal. */
import chalk from 'chalk'
import type { Comparison } from './comparison.ts'
import { configurationNamed } from './configurations.ts'
import type { Result } from './measure.ts'
import { cyclesByHeading, type Heading, HEADINGS, MEANING, SHORT } from './where.ts'

/** How wide the columns are, and how the headings are spelled. */
interface Layout {
  readonly name: number
  readonly configuration: number
  readonly cycles: number
  readonly overhead: number
  /** Spaces before each share. */
  readonly gap: number
  readonly spelled: (heading: Heading) => string
}

/** 79 columns: the narrowest terminal people have. */
const NARROW: Layout = {
  name: 10,
  configuration: 6,
  cycles: 7,
  overhead: 9,
  gap: 1,
  spelled: heading => SHORT[heading],
}
const WIDE: Layout = { name: 11, configuration: 7, cycles: 8, overhead: 9, gap: 2, spelled: heading => heading }
const WIDE_FROM = 120
/** The widest share: 12.3 or <0.1. */
const SHARE = 4

function layoutFor(columns: number): Layout {
  return columns >= WIDE_FROM ? WIDE : NARROW
}

/** A count in at most seven places: 7.16 M. */
export function shortCount(count: number): string {
  const units: readonly (readonly [number, string])[] = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ]
  for (const [size, unit] of units) if (count >= size) return `${(count / size).toPrecision(3)} ${unit}`
  return String(count)
}

/** Overhead against the bare machine: percent, or a factor where percent would be unreadable. */
export function overheadOf(cycles: number, bare: number): string {
  const more = cycles / bare - 1
  if (more >= 9.995) return `×${(more + 1).toFixed(1)}`
  const percent = Math.abs(more * 100).toFixed(1)
  return `${more < 0 && percent !== '0.0' ? '−' : '+'}${percent} %`
}

function share(cycles: number, total: number, width: number): string {
  if (cycles === 0) return chalk.dim('·'.padStart(width))
  const percent = (cycles / total) * 100
  const text = (percent < 0.05 ? '<0.1' : percent >= 99.95 ? '100' : percent.toFixed(1)).padStart(width)
  return percent >= 10 ? chalk.bold(text) : text
}

/** Of each workload and configuration the result whose value is closest to the median. */
export function typicalResults(comparisons: readonly Comparison[]): readonly Result[] {
  return comparisons.flatMap(({ samples, summary }) =>
    summary.map(({ configuration, median }) =>
      samples
        .filter(result => result.configuration === configuration)
        .reduce((best, result) => (Math.abs(result.value - median) < Math.abs(best.value - median) ? result : best)),
    ),
  )
}

/**
 * One line a result, grouped by workload; shares are percent of the line's cycles. Where names do not fit side by side,
 * the workload's has a line of its own.
 */
export function comparisonTable(results: readonly Result[], columns: number): string {
  const { name, configuration, cycles, overhead, gap, spelled } = layoutFor(columns)
  const label = (result: Result) => configurationNamed(result.configuration).label
  const beside = results.every(result => result.workload.length < name && label(result).length < configuration)
  const widths = HEADINGS.map(heading => gap + Math.max(SHARE, spelled(heading).length))
  const head =
    'workload'.padEnd(name + configuration) +
    'cycles'.padStart(cycles) +
    'overhead'.padStart(overhead) +
    HEADINGS.map((heading, index) => spelled(heading).padStart(widths[index] ?? 0)).join('')
  const lines = [chalk.bold(head), chalk.dim('─'.repeat(head.length))]
  let previous = ''
  for (const result of results) {
    const bare = results.find(other => other.workload === result.workload && other.configuration === 'bare')
    const sums = cyclesByHeading(result)
    const more = !bare ? '?' : bare === result ? '' : overheadOf(result.cycles, bare.cycles)
    const title = result.workload === previous ? '' : result.workload
    previous = result.workload
    if (!beside && title !== '') lines.push(chalk.cyan(title))
    lines.push(
      (beside
        ? chalk.cyan(title.padEnd(name)) + label(result).padEnd(configuration)
        : `  ${label(result)}`.padEnd(name + configuration)) +
        shortCount(result.cycles).padStart(cycles) +
        chalk.yellow(more.padStart(overhead)) +
        HEADINGS.map((heading, index) => share(sums[heading], result.cycles, widths[index] ?? 0)).join(''),
    )
  }
  return lines.join('\n')
}

/** What the headings mean. */
export function legend(columns: number): string {
  const { spelled } = layoutFor(columns)
  const width = Math.max(...HEADINGS.map(heading => spelled(heading).length)) + 2
  return HEADINGS.map(heading => {
    const meaning = spelled(heading) === heading ? MEANING[heading] : `${heading}: ${MEANING[heading]}`
    return chalk.dim(`  ${spelled(heading).padEnd(width)}${meaning}`)
  }).join('\n')
}
