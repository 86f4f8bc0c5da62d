/** A row a placement: latencies from median to worst, and where the cycles of an operation went. */
import { element, type Markup } from '../../report/markup.ts'
import { quantity, short, whole } from '../../report/numbers.ts'
import { fitting, linear } from '../../report/figures/scale.ts'
import { headingClass } from '../../report/figures/stacks.ts'
import {
  AXIS_HEIGHT,
  box,
  figure,
  horizontalAxis,
  line,
  ROW,
  text,
  textWidth,
  WIDTH,
} from '../../report/figures/svg.ts'
import { HEADINGS, type Heading, headingOf } from '../../study/where.ts'
import type { PlaceFinding } from '../findings.ts'
import { placementNamed } from '../placements.ts'

const THICK = 16
const LEGEND = 24

function labelColumn(findings: readonly PlaceFinding[]): number {
  return Math.max(...findings.map(({ placement }) => textWidth(placementNamed(placement).label))) + 12
}

export function latencyFigure(findings: readonly PlaceFinding[]): Markup {
  const left = labelColumn(findings)
  const [low, high] = [
    Math.min(...findings.map(({ latency }) => latency.median)),
    Math.max(...findings.map(({ latency }) => latency.worst)),
  ]
  const scale = fitting(low / 1.1, high * 1.1, left, WIDTH - 70)
  const bottom = findings.length * ROW
  return figure(
    bottom + AXIS_HEIGHT,
    'Latency: median, 99 %, worst',
    horizontalAxis(scale, 0, bottom, 'µs: point median, tick 99 %, end of the line worst', tick =>
      String(Number(tick.toPrecision(3))),
    ),
    findings.map(({ placement, latency: { median, p99, worst } }, index) => {
      const y = index * ROW + ROW / 2
      return [
        text(left - 8, y + 4, placementNamed(placement).label, { 'text-anchor': 'end' }),
        line(scale.at(median), y, scale.at(worst), y, 'stem'),
        line(scale.at(p99), y - 5, scale.at(p99), y + 5, 'stem'),
        element(
          'circle',
          { cx: scale.at(median), cy: y, r: 4.5, class: 'mark native' },
          element('title', {}, `median ${quantity(median)}, 99 % ${quantity(p99)}, worst ${quantity(worst)} µs`),
        ),
        text(scale.at(worst) + 8, y + 4, quantity(median), { class: 'value small' }),
      ]
    }),
  )
}

function byHeading({ ledger }: PlaceFinding): ReadonlyMap<Heading, number> {
  const sums = new Map<Heading, number>()
  for (const row of ledger) {
    if (row.party === 'idle') continue
    const heading = headingOf({ hart: 0, ...row })
    sums.set(heading, (sums.get(heading) ?? 0) + row.cycles)
  }
  return sums
}

export function cyclesFigure(findings: readonly PlaceFinding[]): Markup {
  const left = labelColumn(findings)
  const most = Math.max(...findings.map(({ cyclesPerOperation }) => cyclesPerOperation))
  const scale = linear(0, most, left, WIDTH - 70)
  const bottom = LEGEND + findings.length * ROW
  const used = HEADINGS.filter(heading => findings.some(finding => (byHeading(finding).get(heading) ?? 0) > 0))
  let x = 0
  const legend = used.flatMap(heading => {
    const shown = heading === 'idle' ? 'polling' : heading
    const parts = [box(x, 3, 12, 12, headingClass(heading)), text(x + 17, 13.5, shown, { class: 'key' })]
    x += 17 + textWidth(shown, 11.5) + 14
    return parts
  })
  return figure(
    bottom + AXIS_HEIGHT,
    'Busy cycles of an operation',
    legend,
    horizontalAxis(scale, LEGEND, bottom, 'cycles of an operation that harts were busy'),
    findings.map((finding, index) => {
      const middle = LEGEND + index * ROW + ROW / 2
      const sums = byHeading(finding)
      let sum = 0
      return [
        text(left - 8, middle + 4, placementNamed(finding.placement).label, { 'text-anchor': 'end' }),
        used.flatMap(heading => {
          const cycles = sums.get(heading) ?? 0
          const from = scale.at(sum)
          sum += cycles
          return cycles === 0
            ? []
            : [
                box(
                  from,
                  middle - THICK / 2,
                  scale.at(sum) - from,
                  THICK,
                  headingClass(heading),
                  `${heading}: ${whole(cycles)} cycles`,
                ),
              ]
        }),
        text(scale.at(sum) + 8, middle + 4, short(sum), { class: 'value' }),
      ]
    }),
  )
}
