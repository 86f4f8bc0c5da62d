/** Where the cycles went: a bar a configuration, its parts the headings of the ledger; the parts sum to the bar. */
import { configurationNamed } from '../../study/configurations.ts'
import type { Result } from '../../study/measure.ts'
import { cyclesByHeading, type Heading, HEADINGS } from '../../study/where.ts'
import type { Markup } from '../markup.ts'
import { more, short, whole } from '../numbers.ts'
import { labelColumn } from './bars.ts'
import { linear } from './scale.ts'
import { AXIS_HEIGHT, box, figure, horizontalAxis, ROW, text, textWidth, WIDTH } from './svg.ts'

const THICK = 18
const LEGEND = 24

/** The class that gives a heading its colour. */
export function headingClass(heading: Heading): string {
  return `part ${heading.replaceAll(' ', '-')}`
}

export function stacks(title: string, results: readonly Result[]): Markup {
  const left = labelColumn(results.map(({ configuration }) => configuration))
  const right = Math.max(...results.map(({ cycles }) => textWidth(short(cycles)))) + 16
  const scale = linear(0, Math.max(...results.map(({ cycles }) => cycles)), left, WIDTH - right)
  const top = LEGEND
  const bottom = top + results.length * ROW
  const used = HEADINGS.filter(heading => results.some(result => cyclesByHeading(result)[heading] > 0))
  return figure(
    bottom + AXIS_HEIGHT,
    title,
    legend(used, left),
    horizontalAxis(scale, top, bottom, 'cycles between the marks, all harts'),
    results.map((result, index) => {
      const middle = top + index * ROW + ROW / 2
      return [
        text(left - 8, middle + 4, configurationNamed(result.configuration).label, { 'text-anchor': 'end' }),
        segments(result, middle, scale.at),
        text(scale.at(result.cycles) + 8, middle + 4, short(result.cycles), { class: 'value' }),
      ]
    }),
  )
}

function segments(result: Result, middle: number, at: (value: number) => number): readonly Markup[] {
  const sums = cyclesByHeading(result)
  let sum = 0
  return HEADINGS.flatMap(heading => {
    const cycles = sums[heading]
    if (cycles <= 0) return []
    const [from, to] = [at(sum), at(sum + cycles)]
    sum += cycles
    const share = more(1 + cycles / result.cycles).slice(1)
    const part = box(
      from,
      middle - THICK / 2,
      to - from,
      THICK,
      headingClass(heading),
      `${heading}: ${whole(cycles)} cycles, ${share}`,
    )
    const label = `${((cycles / result.cycles) * 100).toFixed(0)} %`
    if (to - from < textWidth(label) + 6) return [part]
    const name = `inside ${heading.replaceAll(' ', '-')}`
    return [part, text((from + to) / 2, middle + 4, label, { 'text-anchor': 'middle', class: name })]
  })
}

/** One line of swatches: the headings that occur. */
function legend(headings: readonly Heading[], left: number): readonly Markup[] {
  let x = left
  return headings.flatMap(heading => {
    const parts = [box(x, 3, 12, 12, headingClass(heading)), text(x + 17, 13.5, heading, { class: 'key' })]
    x += 17 + textWidth(heading, 11.5) + 14
    return parts
  })
}
