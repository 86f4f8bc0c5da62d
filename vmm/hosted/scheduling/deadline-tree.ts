/**
 * The entities of a queue that wait, in order of their deadlines: a tree in which each knows the least runtime below it, so that the
 * first one that may run is found on one way down. It is balanced by chance: a second order, which entities have from the
 * beginning, is that of a heap.
 */
import type { HartPort } from '../../../hw/port.ts'
import { entity, queue } from './entity.ts'

const LEFT = entity.left.at
const RIGHT = entity.right.at
const ABOVE = entity.above.at

function leastOf(port: HartPort, node: number, least: number): number {
  return node === 0 ? least : Math.min(least, port.load64(node + entity.least.at))
}

/** Whether what a node says of those below it has changed; then it is right. */
function corrected(port: HartPort, node: number): boolean {
  const own = leastOf(port, port.load64(node + LEFT), port.load64(node + entity.runtime.at))
  const least = leastOf(port, port.load64(node + RIGHT), own)
  if (least === port.load64(node + entity.least.at)) return false
  port.store64(node + entity.least.at, least)
  return true
}

/** Puts one where another hung. */
function replace(port: HartPort, at: number, node: number, by: number): void {
  const above = port.load64(node + ABOVE)
  if (by !== 0) port.store64(by + ABOVE, above)
  if (above === 0) port.store64(at + queue.root.at, by)
  else port.store64(above + (port.load64(above + LEFT) === node ? LEFT : RIGHT), by)
}

/** The one below it on a side changes places with a node. */
function rotate(port: HartPort, at: number, node: number, side: number): void {
  const other = LEFT + RIGHT - side
  const child = port.load64(node + side)
  const inner = port.load64(child + other)
  replace(port, at, node, child)
  port.store64(child + other, node)
  port.store64(node + ABOVE, child)
  port.store64(node + side, inner)
  if (inner !== 0) port.store64(inner + ABOVE, node)
  corrected(port, node)
  corrected(port, child)
}

/** Puts an entity in. Of equal deadlines the one that came first stays first. */
export function insertEntity(port: HartPort, at: number, node: number): void {
  const deadline = port.load64(node + entity.deadline.at)
  const runtime = port.load64(node + entity.runtime.at)
  port.store64(node + LEFT, 0)
  port.store64(node + RIGHT, 0)
  port.store64(node + entity.least.at, runtime)
  let above = 0
  let side: number = LEFT
  for (let next = port.load64(at + queue.root.at); next !== 0; next = port.load64(next + side)) {
    above = next
    side = deadline < port.load64(next + entity.deadline.at) ? LEFT : RIGHT
    if (runtime < port.load64(next + entity.least.at)) port.store64(next + entity.least.at, runtime)
  }
  port.store64(node + ABOVE, above)
  if (above === 0) return port.store64(at + queue.root.at, node)
  port.store64(above + side, node)
  const order = port.load32(node + entity.order.at)
  while (above !== 0 && port.load32(above + entity.order.at) > order) {
    rotate(port, at, above, port.load64(above + LEFT) === node ? LEFT : RIGHT)
    above = port.load64(node + ABOVE)
  }
}

/** Takes one out. */
export function removeEntity(port: HartPort, at: number, node: number): void {
  let left = port.load64(node + LEFT)
  let right = port.load64(node + RIGHT)
  while (left !== 0 && right !== 0) {
    const side = port.load32(left + entity.order.at) < port.load32(right + entity.order.at) ? LEFT : RIGHT
    rotate(port, at, node, side)
    left = port.load64(node + LEFT)
    right = port.load64(node + RIGHT)
  }
  replace(port, at, node, left === 0 ? right : left)
  for (let above = port.load64(node + ABOVE); above !== 0; above = port.load64(above + ABOVE))
    if (!corrected(port, above)) return
}
