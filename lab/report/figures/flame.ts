/** A flame graph of ledgers: configurations, in them parties, causes and activities, as wide as their cycles. */
import { configurationNamed } from '../../study/configurations.ts'
import type { Result } from '../../study/measure.ts'
import { headingOf } from '../../study/where.ts'
import { element, escaped, type Markup, raw } from '../markup.ts'
import { short, whole } from '../numbers.ts'
import { STYLE } from '../style.ts'
import { headingClass } from './stacks.ts'
import { box, figure, fitted, text, WIDTH } from './svg.ts'

const LAYER = 20
/** Narrower ones are left out: nobody sees them. */
const NARROWEST = 0.4
const LEAST_LABEL = 36

interface Node {
  readonly name: string
  readonly style: string
  cycles: number
  readonly children: Map<string, Node>
}

function treeOf(results: readonly Result[]): Node {
  const root: Node = { name: 'all', style: 'frame', cycles: 0, children: new Map() }
  for (const { configuration, ledger } of results) {
    const { label } = configurationNamed(configuration)
    for (const row of ledger) {
      const own = headingClass(headingOf(row))
      let node = root
      node.cycles += row.cycles
      for (const [name, style] of [
        [label, 'frame'],
        [row.party, 'frame'],
        [row.cause, own],
        [row.activity, own],
      ] as const) {
        let child = node.children.get(name)
        if (!child) node.children.set(name, (child = { name, style, cycles: 0, children: new Map() }))
        child.cycles += row.cycles
        node = child
      }
    }
  }
  return root
}

/** From the top: configuration, party, cause, activity. */
export function flame(title: string, results: readonly Result[]): Markup {
  const root = treeOf(results)
  const parts: Markup[] = []
  const draw = (node: Node, left: number, depth: number): void => {
    const width = (node.cycles / root.cycles) * WIDTH
    if (width < NARROWEST) return
    if (depth >= 0) {
      const top = depth * LAYER
      const told = `${node.name || '(none)'}: ${whole(node.cycles)} cycles, ${((node.cycles / root.cycles) * 100).toFixed(1)} % of the picture`
      parts.push(box(left, top, width, LAYER - 1, node.style, told))
      if (width > LEAST_LABEL) {
        const name = `${node.name}${depth === 0 ? ` ${short(node.cycles)}` : ''}`
        parts.push(text(left + 4, top + 13.5, fitted(name, width - 12, 11), { class: insideOf(node.style) }))
      }
    }
    let at = left
    for (const child of [...node.children.values()].toSorted((a, b) => b.cycles - a.cycles)) {
      draw(child, at, depth + 1)
      at += (child.cycles / root.cycles) * WIDTH
    }
  }
  draw(root, 0, -1)
  return figure(4 * LAYER, title, parts)
}

function insideOf(style: string): string {
  return style === 'frame' ? 'small' : `inside ${style.replace('part ', '')}`
}

/** The same as a file of its own. */
export function flameFile(title: string, results: readonly Result[]): string {
  const { markup } = flame(title, results)
  const style = element('style', {}, raw(escaped(STYLE)))
  return `<?xml version="1.0" encoding="UTF-8"?>\n${markup
    .replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ')
    .replace('</title>', `</title>${style.markup}`)}\n`
}
