/** A paired difference taken apart: each row of the ledger begins where the one before ended, and the last ends at the sum. */
import type { Difference, DifferenceRow } from '../../study/comparison.ts'
import { configurationNamed } from '../../study/configurations.ts'
import { headingOf } from '../../study/where.ts'
import type { Markup } from '../markup.ts'
import { whole } from '../numbers.ts'
import { linear } from './scale.ts'
import { headingClass } from './stacks.ts'
import { AXIS_HEIGHT, box, figure, fitted, horizontalAxis, line, text, textWidth, WIDTH } from './svg.ts'

/** Rows that have a bar of their own; the others share one. */
const SHOWN = 14
const HEIGHT = 21
const THICK = 13
const MOST_LABEL = 330

export interface Step {
  readonly label: string
  readonly name: string
  readonly from: number
  readonly to: number
}

/** The bars: where each begins and ends, in cycles beyond \`a\`. The last is the sum. */
export function stepsOf({ rows, cycles }: Pick<Difference, 'rows' | 'cycles'>): readonly Step[] {
  const shown = rows.slice(0, rows.length > SHOWN + 1 ? SHOWN : SHOWN + 1)
  const rest = rows.slice(shown.length)
  let at = 0
  const step = (label: string, name: string, cycles: number): Step => {
    const from = at
    at += cycles
    return { label, name, from, to: at }
  }
  const steps = shown.map(row => step(labelOf(row), headingClass(headingOf({ hart: 0, ...row })), row.cycles))
  if (rest.length > 0) {
    const sum = rest.reduce((total, row) => total + row.cycles, 0)
    steps.push(step(`${rest.length} smaller rows together`, 'part others', sum))
  }
  return [...steps, { label: 'sum', name: 'part sum', from: 0, to: cycles }]
}

function labelOf({ party, cause, activity }: DifferenceRow): string {
  return [party, cause, activity].filter(part => part !== '').join(' · ')
}

export function waterfall(title: string, difference: Difference): Markup {
  const steps = stepsOf(difference)
  const left = Math.min(MOST_LABEL, Math.max(...steps.map(({ label }) => textWidth(label)))) + 14
  const values = steps.map(({ label, from, to }) => (label === 'sum' ? signedWhole(to) : signedWhole(to - from)))
  const right = Math.max(...values.map(value => textWidth(value))) + 14
  const ends = steps.flatMap(({ from, to }) => [from, to])
  const scale = linear(Math.min(0, ...ends), Math.max(0, ...ends), left + 4, WIDTH - right)
  const bottom = steps.length * HEIGHT + 4
  const [a, b] = [difference.a, difference.b].map(name => configurationNamed(name).label)
  return figure(
    bottom + AXIS_HEIGHT,
    title,
    horizontalAxis(scale, 0, bottom, `cycles of ${b} beyond those of ${a}, all harts, seed ${difference.seed}`),
    steps.map(({ label, name, from, to }, index) => {
      const top = index * HEIGHT + 2
      const [start, end] = [Math.min(scale.at(from), scale.at(to)), Math.max(scale.at(from), scale.at(to))]
      const isSum = label === 'sum'
      return [
        isSum ? line(0, top, WIDTH, top, 'separator') : undefined,
        text(left - 8, top + HEIGHT / 2 + 4, fitted(label, left - 10), {
          'text-anchor': 'end',
          ...(isSum && { class: 'strong' }),
        }),
        box(
          start,
          top + (HEIGHT - THICK) / 2,
          Math.max(1, end - start),
          THICK,
          name,
          `${label}: ${values[index]} cycles`,
        ),
        isSum || index + 2 === steps.length
          ? undefined
          : line(scale.at(to), top + (HEIGHT + THICK) / 2, scale.at(to), top + HEIGHT + (HEIGHT - THICK) / 2, 'joint'),
        text(WIDTH - 4, top + HEIGHT / 2 + 4, values[index] ?? '', {
          'text-anchor': 'end',
          class: isSum ? 'value strong' : 'value',
        }),
      ]
    }),
  )
}

/** Exact: rows are to be added up by who doubts. */
function signedWhole(cycles: number): string {
  return `${cycles > 0 ? '+' : ''}${whole(cycles)}`
}
