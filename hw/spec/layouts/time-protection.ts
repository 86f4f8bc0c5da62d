/**
 * Time protection: the native VMM gives each vCPU of a hart slots of fixed length, in turn, whether it uses them or not, and
 * lets nothing of one slot be told from the next. A node below /chosen of the machine's device tree; absent: harts are
 * shared by need.
 *
 *   time-protection {
 *     slot = <microseconds>;      from the beginning of one vCPU's slot to the beginning of the next one's
 *     pad = <microseconds>;       at its beginning: switching, devices, clearing; the guest goes on when they are over
 *   };
 */
import { type Fdt, type FdtNode, fdtCells, fdtNode } from './fdt.ts'

/** Microseconds. */
export interface TimeProtection {
  readonly slot: number
  readonly pad: number
}

const NODE = 'time-protection'

/** The node, for /chosen. */
export function timeProtectionNode({ slot, pad }: TimeProtection): FdtNode {
  return fdtNode(NODE, { slot: [slot], pad: [pad] })
}

/** What a device tree says of it; undefined: time is not protected. */
export function timeProtectionOf(tree: Fdt): TimeProtection | undefined {
  const chosen = tree.root.children.find(({ name }) => name === 'chosen')
  const node = chosen?.children.find(({ name }) => name === NODE)
  if (!node) return undefined
  const of = (name: string) => fdtCells(node, name)[0] ?? 0
  const [slot, pad] = [of('slot'), of('pad')]
  if (pad >= slot) throw new Error(`time protection: a slot of ${slot} µs has no room behind ${pad} µs of padding`)
  return { slot, pad }
}
