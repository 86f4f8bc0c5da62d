/** The study for the terminal. */
import chalk from 'chalk'
import { ENOUGH } from '../study/statistics.ts'
import { shortCount } from '../study/table.ts'
import type { Blast, Containment } from './faults/blast.ts'
import { isHardware } from './faults/hardware.ts'
import type { PlaceFinding } from './findings.ts'
import { placementNamed } from './placements.ts'
import type { PlaceDifference, PlacePlan, PlaceStudy } from './study.ts'

const HEAD = ['throughput/s', 'median', '99 %', 'worst', 'cycles/op', 'busy', 'trusted'] as const
const WIDTHS = [13, 9, 9, 9, 10, 7, 9] as const
const NAME = 15

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(NAME) + cells.map((cell, index) => cell.padStart(WIDTHS[index] ?? 0)).join('')
}

/** Microseconds, in few places. */
export function microseconds(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(4)
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`
}

export function placeTable(findings: readonly PlaceFinding[]): string {
  const head = row('driver in', HEAD)
  const lines = [chalk.bold(head), chalk.dim('─'.repeat(head.length))]
  for (const { placement, throughput, latency, cyclesPerOperation, shares, trustedLines } of findings) {
    const cells = [
      shortCount(Math.round(throughput)),
      microseconds(latency.median),
      microseconds(latency.p99),
      microseconds(latency.worst),
      shortCount(Math.round(cyclesPerOperation)),
      percent(1 - (shares.idle ?? 0)),
      String(trustedLines),
    ]
    lines.push(row(placementNamed(placement).label, cells))
  }
  return lines.join('\n')
}

/** Many guests on one device: a line each. */
export function crowdTable(findings: readonly PlaceFinding[]): string {
  const lines = findings.flatMap(({ placement, crowds }) =>
    crowds.map(({ guests, throughput, each, latency, cyclesPerOperation }) =>
      row(placementNamed(placement).label, [
        `${guests} guests`,
        shortCount(Math.round(throughput)),
        shortCount(Math.round(each)),
        microseconds(latency.median),
        shortCount(Math.round(cyclesPerOperation)),
      ]),
    ),
  )
  return [chalk.bold(row('driver in', ['', 'all/s', 'each/s', 'median', 'cycles/op'])), ...lines].join('\n')
}

/** Whom faults of the driver have reached. */
export function blastTable(blasts: readonly Blast[]): string {
  const name = Math.max(...blasts.map(({ placement }) => placementNamed(placement).label.length)) + 2
  return blasts
    .flatMap(({ placement, struck, radius, escapes }) => {
      const reached = radius.length === 0 ? 'nobody' : radius.join(', ')
      const line = `${placementNamed(placement).label.padEnd(name)}${faults(struck)} reached ${reached}`
      return [line, ...escapesOf(escapes, name)]
    })
    .join('\n')
}

/** Whether faults of the driver were contained. */
export function containmentTable(containments: readonly Containment[]): string {
  const name = Math.max(...containments.map(({ placement }) => placementNamed(placement).label.length)) + 2
  return containments
    .flatMap(({ placement, struck, escapes, disturbance, refused }) => {
      const seen = escapes.length === 0 ? 'none was seen' : `${escapes.length} were seen`
      const late = `they were late by ${microseconds(disturbance)} µs at most; the IOMMU refused ${refused} requests`
      const label = placementNamed(placement).label.padEnd(name)
      return [`${label}of ${faults(struck)} ${seen} by other guests; ${late}`, ...escapesOf(escapes, name)]
    })
    .join('\n')
}

function faults(count: number): string {
  return count === 1 ? '1 fault' : `${count} faults`
}

function escapesOf(escapes: Containment['escapes'], indent: number): readonly string[] {
  const lines = escapes.slice(0, SHOWN).map(inOneLine)
  if (escapes.length > SHOWN) lines.push(`and ${escapes.length - SHOWN} more`)
  return lines.map(line => chalk.red(`${' '.repeat(indent)}${line}`))
}

/** Of escapes, so many are told. */
const SHOWN = 10

function inOneLine({ seed, strike, reached }: Containment['escapes'][number]): string {
  const { kind, at, value } = strike
  const which = isHardware(kind) ? '--faults 0 --hardware-faults 1' : '--faults 1 --hardware-faults 0'
  return `not contained: ${kind} at request ${at} (0x${value.toString(16)}) reached ${reached.join(', ')}; again: ${which} --fault-seed ${seed}`
}

const WORDS = {
  throughput: 'throughput',
  latency: 'median latency',
  cyclesPerOperation: 'cycles per operation',
} as const

/** Against the first placement, with intervals. */
export function placeDifferences({ differences }: PlaceStudy, { seeds }: Pick<PlacePlan, 'seeds'>): string {
  if (seeds.length < ENOUGH)
    return seeds.length > 1 ? `${seeds.length} seeds are too few to state differences: give --seeds ${ENOUGH}` : ''
  const [first] = differences
  if (!first) return ''
  return differences.flatMap(difference => (difference.a === first.a ? [inWords(difference)] : [])).join('\n')
}

function inWords({ a, b, quantity, median, low, high, undecided }: PlaceDifference): string {
  const by = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)} %`
  const found = undecided ? 'no difference shown' : `${by(median)} (${by(low)} to ${by(high)})`
  return `  ${placementNamed(b).label} against ${placementNamed(a).label}, ${WORDS[quantity]}: ${found}`
}
