/**
 * Earliest eligible virtual deadline first (Stoica and Abdel-Wahab 1995): whoever has had no more than the average may run, and of
 * those the one whose turn, of the length that it asks for, is to be over first. How far it is behind the average goes with
 * a thread when it leaves, and counts when it comes back.
 */
import type { HartPort } from '../../../hw/port.ts'
import { insertEntity, removeEntity } from './deadline-tree.ts'
import { entity, queue } from './entity.ts'

const USUAL_WEIGHT = 256

/** Time for a weight. */
function weighed(nanoseconds: number, weight: number): number {
  return weight === USUAL_WEIGHT ? nanoseconds : Math.floor((nanoseconds * USUAL_WEIGHT) / weight)
}

export class FairQueues {
  /** The turn that is asked for (ns). */
  readonly #slice: number

  constructor(slice: number) {
    this.#slice = slice
  }

  /** What an entity's runtime is beyond the queue's zero, by its weight. */
  #share(port: HartPort, at: number, node: number): number {
    const beyond = port.load64(node + entity.runtime.at) - port.load64(at + queue.zero.at)
    return beyond * port.load32(node + entity.weight.at)
  }

  /** Sums of those that wait, with an entity more (1) or less (-1). */
  #count(port: HartPort, at: number, node: number, sign: number): void {
    port.store64(at + queue.lags.at, port.load64Signed(at + queue.lags.at) + sign * this.#share(port, at, node))
    const weight = port.load32(node + entity.weight.at)
    port.store32(at + queue.weights.at, port.load32(at + queue.weights.at) + sign * weight)
  }

  /** The average of what all have had: the current one, which is in no sum, too. */
  average(port: HartPort, at: number): number {
    let lags = port.load64Signed(at + queue.lags.at)
    let weights = port.load32(at + queue.weights.at)
    const current = port.load64(at + queue.current.at)
    if (current !== 0) {
      lags += this.#share(port, at, current)
      weights += port.load32(current + entity.weight.at)
    }
    const zero = port.load64(at + queue.zero.at)
    return weights === 0 ? zero : zero + Math.floor(lags / weights)
  }

  /** True if it has had no more than the average, without dividing. */
  #isEligible(port: HartPort, at: number, runtime: number): boolean {
    let lags = port.load64Signed(at + queue.lags.at)
    let weights = port.load32(at + queue.weights.at)
    const current = port.load64(at + queue.current.at)
    if (current !== 0) {
      lags += this.#share(port, at, current)
      weights += port.load32(current + entity.weight.at)
    }
    return lags >= (runtime - port.load64(at + queue.zero.at)) * weights
  }

  /** The zero follows the average, so that numbers stay small. */
  #moveZero(port: HartPort, at: number): void {
    const average = this.average(port, at)
    const by = average - port.load64(at + queue.zero.at)
    const weights = port.load32(at + queue.weights.at)
    port.store64(at + queue.lags.at, port.load64Signed(at + queue.lags.at) - by * weights)
    port.store64(at + queue.zero.at, average)
  }

  /** The current one has had so much more. True if its turn is over: then it has a new deadline. */
  charge(port: HartPort, at: number, nanoseconds: number): boolean {
    const node = port.load64(at + queue.current.at)
    if (node === 0) return false
    const weight = port.load32(node + entity.weight.at)
    const runtime = port.load64(node + entity.runtime.at) + weighed(nanoseconds, weight)
    port.store64(node + entity.runtime.at, runtime)
    port.store64(node + entity.had.at, port.load64(node + entity.had.at) + nanoseconds)
    const isOver = runtime >= port.load64(node + entity.deadline.at)
    if (isOver) port.store64(node + entity.deadline.at, runtime + weighed(this.#slice, weight))
    this.#moveZero(port, at)
    return isOver
  }

  /** How long an entity's turn still is, if it has the hart (ns). */
  left(port: HartPort, node: number): number {
    const left = port.load64(node + entity.deadline.at) - port.load64(node + entity.runtime.at)
    const weight = port.load32(node + entity.weight.at)
    return weight === USUAL_WEIGHT ? left : Math.ceil((left * weight) / USUAL_WEIGHT)
  }

  /** One comes to the queue: where it is on the queue's clock follows from how far it was behind when it left. */
  enter(port: HartPort, at: number, node: number): void {
    const weight = port.load32(node + entity.weight.at)
    let lag = port.load64Signed(node + entity.lag.at)
    if (lag !== 0) {
      // Its coming moves the average: it must be as far behind the one that is then.
      const current = port.load64(at + queue.current.at)
      const there = port.load32(at + queue.weights.at) + (current === 0 ? 0 : port.load32(current + entity.weight.at))
      lag = there === 0 ? 0 : Math.floor((lag * (there + weight)) / there)
    }
    const runtime = this.average(port, at) - lag
    port.store64(node + entity.runtime.at, runtime)
    port.store64(node + entity.deadline.at, runtime + weighed(this.#slice, weight))
    port.store64(node + entity.queue.at, at)
    port.store32(at + queue.count.at, port.load32(at + queue.count.at) + 1)
    this.wait(port, at, node)
  }

  /** One leaves it, waiting or current. */
  leave(port: HartPort, at: number, node: number): void {
    const most = weighed(2 * this.#slice, port.load32(node + entity.weight.at))
    const lag = this.average(port, at) - port.load64(node + entity.runtime.at)
    port.store64(node + entity.lag.at, Math.max(-most, Math.min(most, lag)))
    if (port.load64(at + queue.current.at) === node) port.store64(at + queue.current.at, 0)
    else this.take(port, at, node)
    port.store64(node + entity.queue.at, 0)
    port.store32(at + queue.count.at, port.load32(at + queue.count.at) - 1)
    this.#moveZero(port, at)
  }

  /** One of the queue's waits: it is in the tree. */
  wait(port: HartPort, at: number, node: number): void {
    this.#count(port, at, node, 1)
    insertEntity(port, at, node)
  }

  /** It waits no longer. */
  take(port: HartPort, at: number, node: number): void {
    removeEntity(port, at, node)
    this.#count(port, at, node, -1)
  }

  /** It weighs more or less from now on: as far behind as it was, for its weight, and its turn as far ahead. */
  weigh(port: HartPort, at: number, node: number, weight: number): void {
    const old = port.load32(node + entity.weight.at)
    if (old === weight) return
    const isCurrent = port.load64(at + queue.current.at) === node
    const average = this.average(port, at)
    const runtime = port.load64(node + entity.runtime.at)
    const ahead = port.load64(node + entity.deadline.at) - runtime
    if (!isCurrent) this.take(port, at, node)
    const now = average - Math.floor(((average - runtime) * old) / weight)
    port.store64(node + entity.runtime.at, now)
    port.store64(node + entity.deadline.at, now + Math.floor((ahead * old) / weight))
    port.store32(node + entity.weight.at, weight)
    if (!isCurrent) this.wait(port, at, node)
  }

  /** Who should run: 0 if there is nobody. The current one, if it may, counts too. */
  pick(port: HartPort, at: number): number {
    const current = port.load64(at + queue.current.at)
    let best = 0
    let node = port.load64(at + queue.root.at)
    while (node !== 0) {
      const left = port.load64(node + entity.left.at)
      if (left !== 0 && this.#isEligible(port, at, port.load64(left + entity.least.at))) {
        node = left
        continue
      }
      if (this.#isEligible(port, at, port.load64(node + entity.runtime.at))) {
        best = node
        break
      }
      node = port.load64(node + entity.right.at)
    }
    if (current === 0) return best
    if (best === 0) return current
    const mayStay = this.#isEligible(port, at, port.load64(current + entity.runtime.at))
    return mayStay && port.load64(current + entity.deadline.at) <= port.load64(best + entity.deadline.at)
      ? current
      : best
  }
}
