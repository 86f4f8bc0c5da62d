/** Speed against blast radius: how long a request takes, and how far a fault of the driver has been seen to reach. */
import { element, type Markup } from '../../report/markup.ts'
import { fitting } from '../../report/figures/scale.ts'
import { mark } from '../../report/figures/overview.ts'
import { AXIS_HEIGHT, figure, horizontalAxis, line, text, textWidth, WIDTH } from '../../report/figures/svg.ts'
import { type Bystander, BYSTANDERS } from '../faults/blast.ts'
import type { PlaceFinding } from '../findings.ts'
import { placementNamed } from '../placements.ts'

const ROW = 74
const LEFT = 112
const RIGHT = 110
const LINE = 14
/** Between labels side by side. */
const GAP = 14

interface Placed {
  readonly finding: PlaceFinding
  readonly x: number
  readonly row: number
  /** Which of the label's places below and above the point. */
  readonly level: number
}

/** 0: nobody. */
function reach({ blastRadius }: PlaceFinding): number {
  return Math.max(0, ...blastRadius.map(who => BYSTANDERS.indexOf(who as Bystander) + 1))
}

export function blastChart(findings: readonly PlaceFinding[]): Markup {
  const latencies = findings.map(({ latency }) => latency.median)
  const scale = fitting(Math.min(...latencies) / 1.08, Math.max(...latencies) * 1.15, LEFT + 14, WIDTH - RIGHT)
  const rows = ['nobody', ...BYSTANDERS]
  const bottom = rows.length * ROW
  const middle = (row: number) => bottom - (row + 0.5) * ROW
  return figure(
    bottom + AXIS_HEIGHT,
    'Speed against blast radius',
    horizontalAxis(scale, 0, bottom, 'median latency of a request, µs (farther left is faster)', tick =>
      String(Number(tick.toPrecision(3))),
    ),
    rows.map((name, row) => [
      line(LEFT, middle(row) + ROW / 2, WIDTH, middle(row) + ROW / 2, 'separator'),
      text(LEFT - 8, middle(row) + 4, name, { 'text-anchor': 'end', class: 'small' }),
    ]),
    placed(findings, scale.at).map(({ finding, x, row, level }) => {
      const { placement, latency, blastRadius } = finding
      const { label, configuration } = placementNamed(placement)
      const words = `${label}: ${latency.median.toPrecision(4)} µs; reached ${blastRadius.join(', ') || 'nobody'}`
      const y = middle(row)
      return element(
        'g',
        {},
        mark(configuration === 'bare' ? 'none' : configuration, x, y, words),
        text(x + 8, y + 4 + level * LINE, label, { class: 'small' }),
      )
    }),
  )
}

/** Labels of points that are near each other take turns above and below. */
function placed(findings: readonly PlaceFinding[], at: (value: number) => number): readonly Placed[] {
  const levels = [0, 1, -1, 2, -2]
  const done: Placed[] = []
  for (const finding of findings.toSorted((a, b) => a.latency.median - b.latency.median)) {
    const [x, row] = [at(finding.latency.median), reach(finding)]
    const near = done.filter(
      other => other.row === row && x - other.x < textWidth(placementNamed(other.finding.placement).label, 11) + GAP,
    )
    const level = levels.find(candidate => near.every(other => other.level !== candidate)) ?? 0
    done.push({ finding, x, row, level })
  }
  return done
}
