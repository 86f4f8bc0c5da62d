/** Every workload's time as a multiple of another configuration's, with 95 % intervals: points on one axis. */
import { type Configuration, configurationNamed } from '../../study/configurations.ts'
import type { Estimate } from '../../study/statistics.ts'
import { element, type Markup } from '../markup.ts'
import { linear, logarithmic } from './scale.ts'
import { AXIS_HEIGHT, figure, fitted, horizontalAxis, line, round, text, textWidth, whisker, WIDTH } from './svg.ts'

export interface OverviewRow {
  readonly workload: string
  readonly points: readonly ({ readonly configuration: Configuration } & Estimate)[]
}

const STEP = 15
const PADDING = 9
const MOST_LABEL = 180
/** Beyond this an axis from zero would squeeze what is near one. */
const WIDE = 4

/** Each configuration has a line of its own in a workload's row, so that points never cover each other. */
export function overview(title: string, base: Configuration, rows: readonly OverviewRow[]): Markup {
  const names = [...new Set(rows.flatMap(({ points }) => points.map(({ configuration }) => configuration)))]
  const all = rows.flatMap(({ points }) => points)
  const left = Math.min(MOST_LABEL, Math.max(...rows.map(({ workload }) => textWidth(workload)))) + 14
  const [low, high] = [Math.min(1, ...all.map(point => point.low)), Math.max(1.1, ...all.map(point => point.high))]
  const ends = [left + 10, WIDTH - 70] as const
  const scale =
    high / low > WIDE ? logarithmic(low / 1.05, high * 1.05, ...ends) : linear(low - 0.02, high + 0.02, ...ends)
  const height = names.length * STEP + PADDING
  const bottom = rows.length * height
  return figure(
    bottom + AXIS_HEIGHT,
    title,
    horizontalAxis(
      scale,
      0,
      bottom,
      `time as a multiple of ${configurationNamed(base).label} (1 = as fast; farther right is slower)`,
      tick => String(Number(tick.toPrecision(3))),
    ),
    line(scale.at(1), 0, scale.at(1), bottom, 'one'),
    rows.map(({ workload, points }, index) => {
      const top = index * height
      return [
        index === 0 ? undefined : line(0, top, WIDTH, top, 'separator'),
        text(left - 8, top + height / 2 + 4, fitted(workload, left - 10), { 'text-anchor': 'end' }),
        points.map(point => {
          const y = top + PADDING / 2 + (names.indexOf(point.configuration) + 0.5) * STEP
          const { label, vmm } = configurationNamed(point.configuration)
          const shown = `×${point.median < 9.995 ? point.median.toFixed(2) : point.median.toFixed(1)}`
          return [
            point.high > point.low ? whisker(scale.at(point.low), scale.at(point.high), y) : undefined,
            mark(vmm, scale.at(point.median), y, `${workload}, ${label}: ${shown}`),
            text(Math.max(scale.at(point.high), scale.at(point.median)) + 8, y + 3.5, shown, { class: 'value small' }),
          ]
        }),
      ]
    }),
  )
}

/** A point; its shape says what its colour does. */
export function mark(vmm: 'none' | 'native' | 'hosted', x: number, y: number, title: string): Markup {
  const size = 4.5
  const shape = { class: `mark ${vmm}` }
  const told = element('title', {}, title)
  if (vmm === 'native') return element('circle', { ...shape, cx: round(x), cy: round(y), r: size }, told)
  const points =
    vmm === 'hosted'
      ? [x - size, y - size, x + size, y - size, x + size, y + size, x - size, y + size]
      : [x, y - size - 1, x + size + 1, y, x, y + size + 1, x - size - 1, y]
  return element('polygon', { ...shape, points: points.map(round).join(' ') }, told)
}
