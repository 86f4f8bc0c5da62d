/** A wheel of timers: doubly linked lists through arrays, one list a slot. */
export const SLOTS = 64
const NONE = -1

export interface TimerWheel {
  now: number
  armed: number
  readonly heads: Int32Array
  readonly next: Int32Array
  readonly previous: Int32Array
  readonly due: Int32Array
}

export function arm(wheel: TimerWheel, timer: number, due: number): void {
  if (wheel.due[timer] >= 0) disarm(wheel, timer)
  const at = due <= wheel.now ? wheel.now + 1 : due
  const slot = at & (SLOTS - 1)
  const head = wheel.heads[slot]
  wheel.due[timer] = at
  wheel.next[timer] = head
  wheel.previous[timer] = NONE
  if (head !== NONE) wheel.previous[head] = timer
  wheel.heads[slot] = timer
  wheel.armed += 1
}

export function disarm(wheel: TimerWheel, timer: number): void {
  const due = wheel.due[timer]
  if (due < 0) return
  const next = wheel.next[timer]
  const previous = wheel.previous[timer]
  if (previous === NONE) wheel.heads[due & (SLOTS - 1)] = next
  else wheel.next[previous] = next
  if (next !== NONE) wheel.previous[next] = previous
  wheel.due[timer] = NONE
  wheel.armed -= 1
}

/** Advances by a tick; returns how many timers were due, which are disarmed. */
export function tick(wheel: TimerWheel): number {
  const now = wheel.now + 1
  wheel.now = now
  let fired = 0
  let timer = wheel.heads[now & (SLOTS - 1)]
  while (timer !== NONE) {
    const next = wheel.next[timer]
    if (wheel.due[timer] <= now) {
      disarm(wheel, timer)
      fired++
    }
    timer = next
  }
  return fired
}
