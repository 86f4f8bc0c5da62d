/** A virtual interrupt controller: levels, priorities, claim and complete. */
export interface Controller {
  readonly pending: Int32Array
  readonly claimed: Int32Array
  readonly enabled: Int32Array
  readonly priority: Int32Array
  threshold: number
}

const WORDS = 4

/** Sets or clears a source's level; true if the hart's wire may have to change. */
export function setLevel(controller: Controller, source: number, level: boolean): boolean {
  const word = source >>> 5
  const bit = 1 << (source & 31)
  const before = controller.pending[word]
  const after = level ? before | bit : before & ~bit
  if (after === before) return false
  controller.pending[word] = after
  return (controller.enabled[word] & bit) !== 0
}

/** The source of the highest priority above the threshold that is pending, enabled and not claimed; 0 if none. */
export function best(controller: Controller): number {
  let chosen = 0
  let highest = controller.threshold
  for (let word = 0; word < WORDS; word++) {
    let ready = controller.pending[word] & controller.enabled[word] & ~controller.claimed[word]
    let source = word * 32
    while (ready !== 0) {
      if ((ready & 1) !== 0 && controller.priority[source] > highest) {
        highest = controller.priority[source]!
        chosen = source
      }
      ready >>>= 1
      source += 1
    }
  }
  return chosen
}

export function claim(controller: Controller): number {
  const source = best(controller)
  if (source === 0) return 0
  controller.claimed[source >>> 5] |= 1 << (source & 31)
  return source
}

export function complete(controller: Controller, source: number): void {
  if (source <= 0 || source >= WORDS * 32) return
  controller.claimed[source >>> 5] &= ~(1 << (source & 31))
}
