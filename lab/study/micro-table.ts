/** Microbenchmarks as a table: rows benchmarks, columns configurations; cycles, and how many times another's they are. */
import chalk from 'chalk'
import { BENCHMARKS } from '../../guests/micro/index.ts'
import type { Comparison } from './comparison.ts'
import { type Configuration, CONFIGURATIONS, configurationNamed } from './configurations.ts'
import type { Result } from './measure.ts'
import type { Absence } from './micro.ts'

const NAME = 21
/** "12345.6" and " ×12.34". */
const CYCLES = 9
const RATIO = 7
/** Of lines that go on. */
const INDENT = '    '
/** Those of which it shows who has answered. */
const ANSWERED = ['null-hypercall', 'mmio-kernel', 'mmio-user', 'irqchip-access']

/** What others are compared with: the native one, or the first there is. */
function baseOf(configurations: readonly Configuration[]): Configuration | undefined {
  return configurations.find(name => configurationNamed(name).vmm === 'native') ?? configurations[0]
}

/** Whether its column has a ratio: not the base's own, and not the bare machine's, which has no hypervisor to compare. */
function hasRatio(name: Configuration, base: Configuration | undefined): boolean {
  return name !== base && configurationNamed(name).vmm !== 'none'
}

function cyclesText(cycles: number): string {
  return cycles < 99.95 ? cycles.toFixed(1) : String(Math.round(cycles))
}

function ratioText(ratio: number): string {
  return `×${ratio < 99.995 ? ratio.toFixed(2) : String(Math.round(ratio))}`
}

/** The table, in as many pieces as the columns need. */
export function microTable(comparisons: readonly Comparison[], absent: readonly Absence[], columns: number): string {
  const seen = new Set([
    ...comparisons.flatMap(({ summary }) => summary.map(({ configuration }) => configuration)),
    ...absent.map(({ configuration }) => configuration),
  ])
  const configurations = CONFIGURATIONS.filter(name => seen.has(name))
  const base = baseOf(configurations)
  const pieces: Configuration[][] = [[]]
  let left = columns - NAME
  for (const name of configurations) {
    const width = widthOf(name, base)
    if (left < width && (pieces.at(-1)?.length ?? 0) > 0) {
      pieces.push([])
      left = columns - NAME
    }
    pieces.at(-1)?.push(name)
    left -= width
  }
  return pieces.map(piece => pieceOf(piece, base, comparisons)).join('\n\n')
}

function widthOf(name: Configuration, base: Configuration | undefined): number {
  return Math.max(CYCLES + (hasRatio(name, base) ? RATIO : 0), configurationNamed(name).label.length + 1)
}

function pieceOf(
  configurations: readonly Configuration[],
  base: Configuration | undefined,
  comparisons: readonly Comparison[],
): string {
  const head =
    'microbenchmark'.padEnd(NAME) +
    configurations.map(name => configurationNamed(name).label.padStart(widthOf(name, base))).join('')
  const lines = BENCHMARKS.map(({ name: benchmark }) => {
    const summary = comparisons.find(({ workload }) => workload === benchmark)?.summary ?? []
    const median = (name: Configuration | undefined) =>
      summary.find(({ configuration }) => configuration === name)?.median
    const reference = median(base)
    const cells = configurations.map(name => {
      const value = median(name)
      const width = widthOf(name, base)
      if (value === undefined) return chalk.dim('·'.padStart(width - (hasRatio(name, base) ? RATIO : 0)).padEnd(width))
      if (!hasRatio(name, base)) return cyclesText(value).padStart(width)
      const ratio = reference === undefined ? '' : ratioText(value / reference)
      return cyclesText(value).padStart(width - RATIO) + chalk.yellow(ratio.padStart(RATIO))
    })
    return chalk.cyan(benchmark.padEnd(NAME)) + cells.join('')
  })
  return [chalk.bold(head), chalk.dim('─'.repeat(head.length)), ...lines].join('\n')
}

/** What the table does not show: what is absent and why, and who has answered what a hypervisor may handle here or there. */
export function microNotes(results: readonly Result[], absent: readonly Absence[], columns: number): string {
  const reasons = new Map<string, string[]>()
  for (const { benchmark, configuration, why } of absent) {
    const key = `${configurationNamed(configuration).label} has ${why}`
    const names = reasons.get(key) ?? []
    if (!names.includes(benchmark)) names.push(benchmark)
    reasons.set(key, names)
  }
  const missing = [...reasons].map(([why, names]) => `  · ${why}: ${names.join(', ')}`)
  const answers = ANSWERED.flatMap(benchmark => {
    const by = new Map<string, string[]>()
    for (const result of results) {
      if (result.workload !== benchmark) continue
      const who = answeredBy(result)
      const { label } = configurationNamed(result.configuration)
      const labels = by.get(who) ?? []
      if (!labels.includes(label)) labels.push(label)
      by.set(who, labels)
    }
    return by.size === 0
      ? []
      : `  ${benchmark}: ${[...by].map(([who, labels]) => `${who} (${labels.join(', ')})`).join(', ')}`
  })
  return [...missing, ...(answers.length > 0 ? ['Who answers:', ...answers] : [])]
    .flatMap(line => wrapped(line, columns))
    .map(line => chalk.dim(line))
    .join('\n')
}

/** A line in as many as it needs, those that follow indented. */
function wrapped(line: string, columns: number): readonly string[] {
  if (line.length <= columns) return [line]
  const space = line.lastIndexOf(' ', columns)
  if (space <= INDENT.length) return [line]
  return [line.slice(0, space), ...wrapped(INDENT + line.slice(space + 1), columns)]
}

/** Who has done what the guest asked for: the least privileged that had a part in it. */
export function answeredBy({ ledger, cycles, value }: Result): string {
  // Whoever has a part in each operation takes a cycle of each; less is somebody who happened to run meanwhile.
  const operations = cycles / value
  const took = (party: string) =>
    ledger.reduce((sum, row) => (row.party === party ? sum + row.cycles : sum), 0) >= operations
  if (took('vmm process')) return 'a process'
  if (took('host kernel')) return "the host's kernel"
  if (took('vmm')) return 'the VMM'
  return took('firmware') ? 'the firmware' : 'the device itself'
}
