/** Calibrations as tables for the terminal. */
import chalk from 'chalk'
import { isWithin, type Part, ratioOf, type Row, TOLERANCE } from './calibration.ts'

const NAME = 21
const CYCLES = 9
const GAP = 2

function cyclesText(cycles: number | undefined): string {
  if (cycles === undefined) return '·'
  return cycles < 99.95 ? cycles.toFixed(1) : String(Math.round(cycles))
}

function verdictOn(row: Row): string {
  if (!isWithin(row)) return chalk.yellow('  not')
  return chalk.green(ratioOf(row) < 1 - TOLERANCE ? '  better' : '  within 25 %')
}

function widthOf(name: string): number {
  return GAP + Math.max(CYCLES - GAP, name.length)
}

/** A line a row: real systems, ours, ours ÷ the judge's, and whether it is near. Notes stand below by number. */
export function calibrationTable({ rows }: Part): string {
  const real = [...new Set(rows.flatMap(row => Object.keys(row.real)))]
  const ours = [...new Set(rows.flatMap(row => Object.keys(row.ours)))].toSorted(
    (a, b) => a.length - b.length || (a < b ? -1 : 1),
  )
  const columns = [...real, ...ours]
  const head = `${'cycles an operation'.padEnd(NAME)}${columns.map(name => name.padStart(widthOf(name))).join('')}    ratio`
  const notes = [...new Set(rows.flatMap(({ note }) => (note ? [note] : [])))]
  const line = (row: Row) => {
    const values = [
      ...real.map(name => cyclesText(row.real[name]).padStart(widthOf(name))),
      ...ours.map(name => cyclesText(row.ours[name]).padStart(widthOf(name))),
    ]
    const ratio = ratioOf(row).toFixed(2).padStart(9)
    const verdict = verdictOn(row)
    const note = row.note ? chalk.dim(` [${notes.indexOf(row.note) + 1}]`) : ''
    return `${chalk.cyan(row.name.padEnd(NAME))}${values.join('')}${ratio}${verdict}${note}`
  }
  return [
    chalk.bold(head),
    chalk.dim('─'.repeat(head.length)),
    ...rows.map(line),
    ...notes.map((note, index) => chalk.dim(`[${index + 1}] ${note}`)),
  ].join('\n')
}
