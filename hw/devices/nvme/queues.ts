/** The two kinds of queues as the controller holds them: NVMe 1.4 4.1. Addresses and indexes; the entries lie in memory. */

export type SubmissionQueue = {
  readonly id: number
  readonly base: number
  readonly size: number
  readonly completion: number
  head: number
  tail: number
}

export type CompletionQueue = {
  readonly id: number
  readonly base: number
  readonly size: number
  readonly vector: number
  readonly interrupts: boolean
  head: number
  tail: number
  phase: number
  /** An interrupt is due for entries that the host has not consumed. */
  signalled: boolean
  /** Entries posted since the last interrupt, while coalescing. */
  unsignalled: number
  /** Completions for which the queue had no room. */
  readonly waiting: Completion[]
}

export type Completion = {
  readonly queue: number
  readonly cid: number
  readonly status: number
  readonly result: number
}

export function submissionQueue(id: number, base: number, size: number, completion: number): SubmissionQueue {
  return { id, base, size, completion, head: 0, tail: 0 }
}

export function completionQueue(
  id: number,
  base: number,
  size: number,
  vector: number,
  interrupts: boolean,
): CompletionQueue {
  return {
    id,
    base,
    size,
    vector,
    interrupts,
    head: 0,
    tail: 0,
    phase: 1,
    signalled: false,
    unsignalled: 0,
    waiting: [],
  }
}

/** One slot stays empty: a full queue is one whose next tail is its head. */
export function full(queue: CompletionQueue): boolean {
  return (queue.tail + 1) % queue.size === queue.head
}
