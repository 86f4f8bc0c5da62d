/** What all figures are made of. Colours and type are the page's (style.ts): figures name classes. */
import { type Child, element, type Markup } from '../markup.ts'
import { short } from '../numbers.ts'
import type { Scale } from './scale.ts'

/** Figures are drawn this wide, and shrink with the page. */
export const WIDTH = 820
export const ROW = 26
export const FONT = 12
/** Widths are estimated: no letter of the usual typefaces is wider on average. */
const LETTER = 7.6

export function textWidth(text: string, size = FONT): number {
  return text.length * LETTER * (size / FONT)
}

/** The text, cut to fit. */
export function fitted(text: string, width: number, size = FONT): string {
  const letters = Math.floor(width / (LETTER * (size / FONT)))
  return text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1))}…`
}

export function figure(height: number, title: string, ...children: readonly Child[]): Markup {
  return element(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${Math.ceil(height)}`, role: 'img', 'aria-label': title, class: 'figure' },
    element('title', {}, title),
    children,
  )
}

export function text(x: number, y: number, content: string, attributes: Readonly<Record<string, string>> = {}): Markup {
  return element('text', { x: round(x), y: round(y), ...attributes }, content)
}

export function line(x1: number, y1: number, x2: number, y2: number, name: string): Markup {
  return element('line', { x1: round(x1), y1: round(y1), x2: round(x2), y2: round(y2), class: name })
}

export function box(x: number, y: number, width: number, height: number, name: string, title?: string): Markup {
  const attributes = { x: round(x), y: round(y), width: round(Math.max(0, width)), height: round(height), class: name }
  return element('rect', attributes, title === undefined ? undefined : element('title', {}, title))
}

/** Vertical lines at a scale's ticks, their values below, and what they count. */
export function horizontalAxis(
  scale: Scale,
  top: number,
  bottom: number,
  label: string,
  spelled: (tick: number) => string = short,
): Markup {
  const [first = 0, last = 0] = [scale.ticks[0], scale.ticks.at(-1)].map(tick => scale.at(tick ?? 0))
  return element(
    'g',
    { class: 'axis' },
    scale.ticks.map(tick => [
      line(scale.at(tick), top, scale.at(tick), bottom, tick === 0 ? 'zero' : 'grid'),
      text(scale.at(tick), bottom + 15, spelled(tick), { 'text-anchor': 'middle', class: 'tick' }),
    ]),
    text((first + last) / 2, bottom + 33, label, { 'text-anchor': 'middle', class: 'label' }),
  )
}
/** Below the rows of a figure: ticks and what they count. */
export const AXIS_HEIGHT = 42

/** The 95 % interval, with ends. */
export function whisker(low: number, high: number, y: number): Markup {
  return element('g', { class: 'whisker' }, [
    line(low, y, high, y, 'stem'),
    line(low, y - 4, low, y + 4, 'stem'),
    line(high, y - 4, high, y + 4, 'stem'),
  ])
}

/** Hundredths of a pixel are enough. */
export function round(value: number): number {
  return Math.round(value * 100) / 100
}
