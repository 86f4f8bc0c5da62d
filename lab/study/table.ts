/** The comparison as a table for the terminal. */
import chalk from 'chalk'
import type { Result } from './measure.ts'
import { cyclesByHeading, HEADINGS, MEANING } from './where.ts'

const NAME = 11
const CONFIGURATION = 7
const CYCLES = 9
const OVERHEAD = 9
const SHARE = 6

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
  return more >= 9.995 ? `×${(more + 1).toFixed(1)}` : `${more < 0 ? '−' : '+'}${Math.abs(more * 100).toFixed(1)} %`
}

function share(cycles: number, total: number): string {
  if (cycles === 0) return chalk.dim('·'.padStart(SHARE))
  const percent = (cycles / total) * 100
  const text = (percent < 0.05 ? '<0.1' : percent >= 99.95 ? '100' : percent.toFixed(1)).padStart(SHARE)
  return percent >= 10 ? chalk.bold(text) : text
}

/** One line a result, grouped by workload; shares are percent of the line's cycles. */
export function comparisonTable(results: readonly Result[]): string {
  const head =
    'workload'.padEnd(NAME + CONFIGURATION) +
    'cycles'.padStart(CYCLES) +
    'to bare'.padStart(OVERHEAD) +
    HEADINGS.map(heading => heading.padStart(SHARE)).join('')
  const lines = [
    chalk.bold(head),
    chalk.dim('─'.repeat(NAME + CONFIGURATION + CYCLES + OVERHEAD + SHARE * HEADINGS.length)),
  ]
  let previous = ''
  for (const result of results) {
    const bare = results.find(other => other.workload === result.workload && other.configuration === 'bare')
    const sums = cyclesByHeading(result)
    const overhead = !bare ? '?' : bare === result ? '' : overheadOf(result.cycles, bare.cycles)
    const name = result.workload === previous ? '' : result.workload
    previous = result.workload
    lines.push(
      chalk.cyan(name.padEnd(NAME)) +
        result.configuration.padEnd(CONFIGURATION) +
        shortCount(result.cycles).padStart(CYCLES) +
        chalk.yellow(overhead.padStart(OVERHEAD)) +
        HEADINGS.map(heading => share(sums[heading], result.cycles)).join(''),
    )
  }
  return lines.join('\n')
}

/** What the headings mean. */
export function legend(): string {
  return HEADINGS.map(heading => chalk.dim(`  ${heading.padEnd(7)} ${MEANING[heading]}`)).join('\n')
}
