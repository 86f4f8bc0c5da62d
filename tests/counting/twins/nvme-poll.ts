/** The host's side of an NVMe completion queue: handles what has come, and rings the doorbell. */
import type { HartPort } from '../../../hw/port.ts'

export interface CompletionQueue {
  readonly size: number
  readonly entries: number
  readonly doorbell: number
  head: number
  phase: number
  readonly busy: Int32Array
  readonly status: Int32Array
  errors: number
}

export function poll(port: HartPort, queue: CompletionQueue, budget: number): number {
  let done = 0
  while (done < budget) {
    const at = queue.entries + queue.head * 16
    const word = port.load32(at + 12)
    if (((word >>> 16) & 1) !== queue.phase) break
    const tag = word & 0xffff
    if (tag < queue.size && queue.busy[tag] === 1) {
      const status = word >>> 17
      queue.busy[tag] = 0
      queue.status[tag] = status & 0x7ff
      if ((status & 0x7ff) !== 0) queue.errors += 1
    }
    queue.head += 1
    if (queue.head === queue.size) {
      queue.head = 0
      queue.phase ^= 1
    }
    done += 1
  }
  if (done > 0) port.store32(queue.doorbell, queue.head)
  return done
}
