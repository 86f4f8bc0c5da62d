/**
 * In which order whoever owns the machine's memory hands out its free pages: a node below /chosen of the machine's
 * device tree. Where pages lie is chance on a real machine; here it is a seed. Without the node, or at seed 0, they are
 * handed out from the lowest on.
 *
 *   page-order { seed = <n>; };
 */
import { shuffled, randomWords } from '../random.ts'
import { type Fdt, type FdtNode, fdtCells, fdtNode } from './fdt.ts'

const NODE = 'page-order'

/** The node, for /chosen. */
export function pageOrderNode(seed: number): FdtNode {
  return fdtNode(NODE, { seed: [seed >>> 0] })
}

/** These pages, in the order in which a device tree has them handed out. */
export function inPageOrder(tree: Fdt, pages: readonly number[]): readonly number[] {
  const chosen = tree.root.children.find(({ name }) => name === 'chosen')
  const node = chosen?.children.find(({ name }) => name === NODE)
  const seed = node ? (fdtCells(node, 'seed')[0] ?? 0) : 0
  return seed === 0 ? pages : shuffled(pages, randomWords(seed))
}
