/** Numbers that look random and depend on their seed alone, alike everywhere. */

/** Whole numbers from 0 to 2^32 - 1, one a call (splitmix32: Weyl sequence, then murmur's finalizer with better constants). */
export function randomWords(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e37_79b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
}

/** The values in a random order (Fisher and Yates). */
export function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const order = [...values]
  for (let left = order.length; left > 1; left--) {
    const pick = random() % left
    const last = order[left - 1]
    order[left - 1] = order[pick]
    order[pick] = last
  }
  return order
}
