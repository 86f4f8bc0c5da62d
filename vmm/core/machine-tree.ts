/** What either VMM reads from the machine's device tree. Set-up. */
import { type Fdt, type FdtNode, fdtCompatible, fdtRanges } from '../../hw/spec/layouts/fdt.ts'
import { LARGE_PAGE } from './g-stage.ts'

/** How many harts the machine has. */
export function hartsOf(tree: Fdt): number {
  const cpus = tree.root.children.find(node => node.name === 'cpus')
  return (cpus?.children ?? []).filter(node => node.name.startsWith('cpu@')).length
}

/** The first device of a kind: its node, and where its registers begin. Throws if the machine has none. */
export function windowOf(tree: Fdt, compatible: string): { readonly base: number; readonly node: FdtNode } {
  const [node] = fdtCompatible(tree.root, compatible)
  if (!node) throw new Error(`the machine's device tree has no ${compatible}`)
  return { base: fdtRanges(node, 'reg')[0].address, node }
}

/**
 * Large pages of RAM from `above` on that are not taken, to be handed out from the end of the list: the lowest are
 * last. `total` is how many large pages the machine's RAM has.
 */
export function freePages(tree: Fdt, above: number, taken: ReadonlySet<number>): { pages: number[]; total: number } {
  const memory = tree.root.children.find(node => node.name.startsWith('memory@'))
  if (!memory) throw new Error("the machine's device tree has no memory")
  const [ram] = fdtRanges(memory, 'reg')
  const pages: number[] = []
  for (let page = above; page + LARGE_PAGE <= ram.address + ram.bytes; page += LARGE_PAGE) {
    if (!taken.has(page)) pages.push(page)
  }
  return { pages: pages.toReversed(), total: ram.bytes / LARGE_PAGE }
}
