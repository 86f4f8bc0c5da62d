/** Medians as bars with their 95 % intervals, one a configuration. */
import { type Configuration, configurationNamed } from '../../study/configurations.ts'
import type { Summary } from '../../study/comparison.ts'
import type { Markup } from '../markup.ts'
import { quantity } from '../numbers.ts'
import { linear } from './scale.ts'
import { AXIS_HEIGHT, box, figure, horizontalAxis, ROW, text, textWidth, whisker, WIDTH } from './svg.ts'

const THICK = 14

/** Wide enough for every configuration's label. */
export function labelColumn(names: readonly Configuration[]): number {
  return Math.max(...names.map(name => textWidth(configurationNamed(name).label))) + 12
}

export function bars(title: string, unit: string, summary: readonly Summary[]): Markup {
  const left = labelColumn(summary.map(({ configuration }) => configuration))
  const right = Math.max(...summary.map(({ median }) => textWidth(quantity(median)))) + 14
  const scale = linear(0, Math.max(...summary.map(({ high }) => high)), left, WIDTH - right)
  const bottom = summary.length * ROW
  return figure(
    bottom + AXIS_HEIGHT,
    title,
    horizontalAxis(scale, 0, bottom, unit),
    summary.map(({ configuration, median, low, high }, index) => {
      const middle = index * ROW + ROW / 2
      const { label, vmm } = configurationNamed(configuration)
      return [
        text(left - 8, middle + 4, label, { 'text-anchor': 'end' }),
        box(
          left,
          middle - THICK / 2,
          scale.at(median) - left,
          THICK,
          `bar ${vmm}`,
          `${label}: ${quantity(median)} ${unit}`,
        ),
        high > low ? whisker(scale.at(low), scale.at(high), middle) : undefined,
        text(Math.max(scale.at(median), scale.at(high)) + 8, middle + 4, quantity(median), { class: 'value' }),
      ]
    }),
  )
}
