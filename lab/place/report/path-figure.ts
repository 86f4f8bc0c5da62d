/** The way of one request: a block a placement, in it a lane for each party and one for the device, all on one axis of time. */
import type { Party } from '../../../hw/spec/ledger.ts'
import { box, figure, horizontalAxis, line, text, WIDTH, AXIS_HEIGHT } from '../../report/figures/svg.ts'
import { headingClass } from '../../report/figures/stacks.ts'
import { linear, type Scale } from '../../report/figures/scale.ts'
import { element, type Markup } from '../../report/markup.ts'
import { HEADINGS, headingOf } from '../../study/where.ts'
import type { PathStretch, RequestPath } from '../path.ts'
import { placementNamed } from '../placements.ts'

const LANE = 15
const THICK = 11
const TITLE = 20
const GAP = 10
const LEFT = 118
const RIGHT = 60
const LEGEND = 26
/** Nearer to the guest first. */
const ORDER: readonly Party[] = ['guest', 'driver domain', 'driver', 'vmm process', 'host kernel', 'vmm', 'firmware']

function lanesOf({ stretches }: RequestPath): readonly Party[] {
  return ORDER.filter(party => stretches.some(stretch => stretch.party === party))
}

function heightOf(path: RequestPath): number {
  return TITLE + (lanesOf(path).length + 1) * LANE + GAP
}

export function pathFigure(paths: readonly RequestPath[]): Markup {
  const microseconds = (path: RequestPath) => path.cycles / path.cyclesPerMicrosecond
  const scale = linear(0, Math.max(...paths.map(microseconds)), LEFT, WIDTH - RIGHT, 8)
  let top = LEGEND
  const blocks = paths.map(path => {
    const at = top
    top += heightOf(path)
    return block(path, at, scale, microseconds(path))
  })
  return figure(
    top + AXIS_HEIGHT,
    'The way of one request through each placement',
    legend(paths),
    horizontalAxis(scale, LEGEND, top, 'µs since the request began', String),
    blocks,
  )
}

function block(path: RequestPath, top: number, scale: Scale, end: number): readonly Markup[] {
  const lanes = lanesOf(path)
  const bottom = top + TITLE + (lanes.length + 1) * LANE
  const at = (cycle: number) => scale.at(cycle / path.cyclesPerMicrosecond)
  const middle = (lane: number) => top + TITLE + lane * LANE + LANE / 2
  const { device } = path
  return [
    line(0, top, WIDTH, top, 'separator'),
    text(0, top + 14, placementNamed(path.placement).label, { class: 'strong' }),
    ...lanes.map((party, lane) => text(LEFT - 8, middle(lane) + 4, party, { 'text-anchor': 'end', class: 'small' })),
    text(LEFT - 8, middle(lanes.length) + 4, 'device', { 'text-anchor': 'end', class: 'small' }),
    ...path.stretches.flatMap(stretch => {
      const lane = lanes.indexOf(stretch.party)
      return lane < 0 ? [] : [bar(stretch, middle(lane), at)]
    }),
    ...(device
      ? [
          box(
            at(device.from),
            middle(lanes.length) - THICK / 2,
            Math.max(1, at(device.to) - at(device.from)),
            THICK,
            'part others',
            'the device, from its first access to memory to its last',
          ),
        ]
      : []),
    line(scale.at(end), top + TITLE - 4, scale.at(end), bottom, 'one'),
    text(scale.at(end) + 5, top + TITLE + 8, `${end.toPrecision(4)} µs`, { class: 'small' }),
  ]
}

function bar(stretch: PathStretch, middle: number, at: (cycle: number) => number): Markup {
  const { from, to, party, cause, activity } = stretch
  const what = `${party}, ${cause}: ${activity}, ${Math.round(to - from)} cycles`
  return box(
    at(from),
    middle - THICK / 2,
    Math.max(0.4, at(to) - at(from)),
    THICK,
    headingClass(headingOf({ ...stretch, cycles: 0 })),
    what,
  )
}

function legend(paths: readonly RequestPath[]): Markup {
  const used = HEADINGS.filter(heading =>
    heading === 'idle'
      ? false
      : paths.some(({ stretches }) => stretches.some(stretch => headingOf({ ...stretch, cycles: 0 }) === heading)),
  )
  let x = 0
  const parts = used.flatMap(heading => {
    const swatch = [box(x, 3, 12, 12, headingClass(heading)), text(x + 17, 13.5, heading, { class: 'key' })]
    x += 17 + heading.length * 7.3 + 14
    return swatch
  })
  return element('g', {}, parts)
}
