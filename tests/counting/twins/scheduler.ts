/** Picks the runnable vCPU that has had least for its weight, and charges who ran. */
export interface RunQueue {
  count: number
  minimum: number
  readonly runnable: Int32Array
  readonly weight: Int32Array
  readonly virtualTime: Float64Array
}

const UNIT = 1024

export function pickNext(queue: RunQueue): number {
  let best = -1
  let least = 0
  for (let i = 0; i < queue.count; i++) {
    if (queue.runnable[i] === 0) continue
    const time = queue.virtualTime[i]
    if (best < 0 || time < least) {
      best = i
      least = time
    }
  }
  if (best >= 0 && least > queue.minimum) queue.minimum = least
  return best
}

export function charge(queue: RunQueue, vcpu: number, ran: number): void {
  if (vcpu < 0 || vcpu >= queue.count) return
  const time = queue.virtualTime[vcpu] + Math.floor((ran * UNIT) / queue.weight[vcpu])
  queue.virtualTime[vcpu] = time < queue.minimum ? queue.minimum : time
}
