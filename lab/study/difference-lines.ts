/** How configurations differ, in lines for the terminal. docs/statistics.md says how they are to be read. */
import chalk from 'chalk'
import type { Comparison, Difference } from './comparison.ts'
import { configurationNamed, type Configuration } from './configurations.ts'
import { ENOUGH } from './statistics.ts'

const PAIR = 29
const MEDIAN = 10

/** A signed number with as many places as matter: +1,234 or −0.0123. */
export function signed(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  const text = size.toLocaleString('en-US', { maximumSignificantDigits: size < 1000 ? 4 : 7 })
  return `${value < 0 ? '−' : '+'}${text}`
}

/** Of two that differ by less than what matters. */
export function equalWithin(equivalence: number): string {
  return `equal within ${Number((equivalence * 100).toPrecision(3))} %`
}

function label(name: Configuration): string {
  return configurationNamed(name).label
}

function line(difference: Difference, { summary, equivalence }: Comparison): string {
  const { a, b, low, high, undecided, equivalent } = difference
  const pair = `  ${`${label(b)} − ${label(a)}`.padEnd(PAIR)}`
  if (difference.pairs < ENOUGH) return `${pair} too few seeds succeeded in both to say (${difference.pairs})`
  if (low === 0 && high === 0) return `${pair} ${chalk.dim('no difference shown: the same with every seed')}`
  const interval = `[${signed(low)}, ${signed(high)}]`
  if (undecided) return `${pair} ${chalk.dim(`no difference shown ${interval}`)}`
  if (equivalent) return `${pair} ${chalk.dim(`${equalWithin(equivalence)} ${interval}`)}`
  const base = summary.find(({ configuration }) => configuration === a)!.median
  const percent = percentOf(difference.median / base)
  return `${pair} ${signed(difference.median).padStart(MEDIAN)}  ${interval.padEnd(22)} ${chalk.yellow(percent)}`
}

function percentOf(part: number): string {
  return Math.abs(part) < 0.000_05 ? '<0.01 %' : `${signed(Number((part * 100).toPrecision(3)))} %`
}

/** Of every pair of configurations: the median of the paired differences and its 95 % interval. */
export function differenceLines(comparisons: readonly Comparison[]): string {
  return comparisons
    .filter(({ differences }) => differences.length > 0)
    .flatMap(comparison => [
      `${chalk.cyan(comparison.workload)} (${comparison.unit})`,
      ...comparison.differences.map(difference => line(difference, comparison)),
    ])
    .join('\n')
}
