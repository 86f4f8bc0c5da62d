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
const PLACES = 16

/** The node, for /chosen. */
export function pageOrderNode(seed: number): FdtNode {
  return fdtNode(NODE, { seed: [seed >>> 0] })
}

function seedOf(tree: Fdt): number {
  const chosen = tree.root.children.find(({ name }) => name === 'chosen')
  const node = chosen?.children.find(({ name }) => name === NODE)
  return node ? (fdtCells(node, 'seed')[0] ?? 0) : 0
}

/** These pages, in the order in which a device tree has them handed out. */
export function inPageOrder(tree: Fdt, pages: readonly number[]): readonly number[] {
  const seed = seedOf(tree)
  return seed === 0 ? pages : shuffled(pages, randomWords(seed))
}

/**
 * The same for small pages in a large one: the nth given is page n ^ this. A cache that is indexed by more than the
 * offset in a small page knows the difference; one of large pages could not.
 */
export function smallPageOrder(tree: Fdt, pages: number): number {
  const seed = seedOf(tree)
  return seed === 0 ? 0 : randomWords(seed ^ 0x5eed)() % pages
}

/** How many small pages a pool of them leaves out at its beginning: less than 16, all places that a way of 64 KiB has. */
export function pagesLeftOut(tree: Fdt): number {
  return smallPageOrder(tree, PLACES)
}
