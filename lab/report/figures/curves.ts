/** Something against the number of guests: a line a configuration, each value a point. */
import { type Configuration, configurationNamed } from '../../study/configurations.ts'
import { element, type Markup } from '../markup.ts'
import { short } from '../numbers.ts'
import { mark } from './overview.ts'
import { linear } from './scale.ts'
import { figure, horizontalAxis, line, round, text, textWidth, WIDTH } from './svg.ts'

export interface Curve {
  readonly configuration: Configuration
  readonly points: readonly (readonly [x: number, y: number])[]
}

const PLOT = 230
const TOP = 26
const LEFT = 62

export function curves(title: string, xLabel: string, yLabel: string, all: readonly Curve[]): Markup {
  const points = all.flatMap(curve => curve.points)
  const right = Math.max(...all.map(({ configuration }) => textWidth(configurationNamed(configuration).label))) + 24
  const x = linear(0, Math.max(...points.map(([value]) => value)), LEFT, WIDTH - right, 12)
  const y = linear(0, Math.max(...points.map(([, value]) => value)) * 1.05, TOP + PLOT, TOP, 5)
  const ends = spread(all.map(({ points }) => y.at(points.at(-1)?.[1] ?? 0)))
  return figure(
    TOP + PLOT + 42,
    title,
    horizontalAxis(x, TOP + PLOT, TOP + PLOT + 4, xLabel, String),
    text(4, 12, yLabel, { class: 'label' }),
    y.ticks.map(tick => [
      line(LEFT, y.at(tick), WIDTH - right, y.at(tick), tick === 0 ? 'zero' : 'grid'),
      text(LEFT - 8, y.at(tick) + 4, short(tick), { 'text-anchor': 'end', class: 'tick' }),
    ]),
    all.map(({ configuration, points }, index) => {
      const { label, vmm } = configurationNamed(configuration)
      const path = points.map(([a, b]) => `${round(x.at(a))},${round(y.at(b))}`).join(' ')
      const [last = 0] = points.at(-1) ?? []
      return [
        element('polyline', { class: `curve ${vmm}`, points: path }),
        points.map(([a, b]) => mark(vmm, x.at(a), y.at(b), `${label}, ${a} guests: ${short(b)}`)),
        text(x.at(last) + 10, (ends[index] ?? 0) + 4, label),
      ]
    }),
  )
}

/** Labels' heights, moved apart so that none covers another. */
function spread(heights: readonly number[]): readonly number[] {
  const order = heights.map((height, index) => ({ height, index })).toSorted((a, b) => a.height - b.height)
  let free = -Infinity
  const placed = heights.map(() => 0)
  for (const { height, index } of order) {
    placed[index] = Math.max(height, free)
    free = placed[index] + 15
  }
  return placed
}
