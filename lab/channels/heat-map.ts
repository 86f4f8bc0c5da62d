/** What the spy saw of each symbol: a column a symbol, rows from what it saw least to most; the darker, the more often. */
import { SYMBOLS } from '../../guests/channels/index.ts'
import { element, type Markup } from '../report/markup.ts'
import { quantity } from '../report/numbers.ts'
import { figure, text, WIDTH } from '../report/figures/svg.ts'
import type { ChannelFinding } from './measure.ts'

const CELL = 20
const ROWS = 12
const LEFT = 70
const GAP = 70
const TOP = 24
const AXIS = 34

/** Counts by row and column, and the least and most that was seen. */
export function countsOf({ symbols, observations }: ChannelFinding): {
  readonly counts: readonly (readonly number[])[]
  readonly least: number
  readonly most: number
} {
  const least = Math.min(...observations)
  const most = Math.max(...observations)
  const rowOf = (seen: number) =>
    most === least ? 0 : Math.min(ROWS - 1, Math.floor(((seen - least) / (most - least)) * ROWS))
  const counts = Array.from({ length: ROWS }, () => Array.from({ length: SYMBOLS }, () => 0))
  symbols.forEach((symbol, index) => {
    const row = counts[rowOf(observations[index])]
    row[symbol] = row[symbol] + 1
  })
  return { counts, least, most }
}

function half(finding: ChannelFinding, left: number): readonly Markup[] {
  const { counts, least, most } = countsOf(finding)
  const sent = Array.from({ length: SYMBOLS }, (_, symbol) => counts.reduce((sum, row) => sum + row[symbol], 0))
  const bottom = TOP + ROWS * CELL
  const cells = counts.flatMap((row, at) =>
    row.map((count, symbol) =>
      element(
        'rect',
        {
          x: left + symbol * CELL,
          y: bottom - (at + 1) * CELL,
          width: CELL - 1,
          height: CELL - 1,
          class: 'native',
          'fill-opacity': (0.06 + 0.94 * (count / Math.max(1, sent[symbol]))).toFixed(2),
        },
        element('title', {}, `symbol ${symbol}: ${count} of ${sent[symbol]}`),
      ),
    ),
  )
  return [
    text(left, TOP - 9, finding.protected ? 'time protected' : 'shared by need'),
    ...cells,
    text(left - 6, TOP + 12, quantity(most), { 'text-anchor': 'end', class: 'tick' }),
    text(left - 6, bottom - 4, quantity(least), { 'text-anchor': 'end', class: 'tick' }),
    text(left, bottom + 15, '0', { class: 'tick' }),
    text(left + SYMBOLS * CELL - 4, bottom + 15, String(SYMBOLS - 1), { 'text-anchor': 'end', class: 'tick' }),
    text(left + (SYMBOLS * CELL) / 2, bottom + 15, 'symbol sent', { 'text-anchor': 'middle', class: 'tick' }),
  ]
}

/** Both, side by side. */
export function heatMap(open: ChannelFinding, closed: ChannelFinding): Markup {
  const width = SYMBOLS * CELL
  return figure(
    TOP + ROWS * CELL + AXIS,
    `${open.resource}: what the spy saw, in ${open.unit}`,
    half(open, LEFT),
    half(closed, Math.min(LEFT + width + GAP, WIDTH - width)),
  )
}
