/** How long single requests take, from the marks around them. */
import type { Machine } from '../../hw/index.ts'

/** Cycles at which a request began and ended. */
export interface Request {
  readonly from: number
  readonly to: number
}

export interface Latency {
  readonly median: number
  readonly p99: number
  readonly worst: number
}

/** The value that so large a part of the values do not exceed: one of them (nearest rank). */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]
}

/** Of these, one at least; in their unit. */
export function latencyOf(values: readonly number[]): Latency {
  return { median: quantile(values, 0.5), p99: quantile(values, 0.99), worst: quantile(values, 1) }
}

/** The request whose time is nearest to the median. */
export function typicalRequest(requests: readonly Request[]): Request {
  const middle = quantile(
    requests.map(({ from, to }) => to - from),
    0.5,
  )
  const distance = ({ from, to }: Request) => Math.abs(to - from - middle)
  return requests.reduce((best, request) => (distance(request) < distance(best) ? request : best))
}

/** Listens to a machine's marks: requests that are over, in the order in which they ended. */
export class Stopwatch {
  readonly requests: Request[] = []
  readonly #begun = new Map<number, number>()

  constructor(machine: Pick<Machine, 'onMark'>) {
    machine.onMark((_hart, mark, number, cycle) => {
      if (number === 0) return
      if (mark === 'start') this.#begun.set(number, cycle)
      const from = this.#begun.get(number)
      if (mark !== 'end' || from === undefined) return
      this.#begun.delete(number)
      this.requests.push({ from, to: cycle })
    })
  }
}
