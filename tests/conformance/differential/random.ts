/** Reproducible choices from a seed (xorshift128+). */
export class Random {
  #a: bigint
  #b: bigint

  constructor(seed: number) {
    this.#a = BigInt.asUintN(64, (BigInt(seed) + 1n) * 0x9e37_79b9_7f4a_7c15n) | 1n
    this.#b = BigInt.asUintN(64, this.#a * 0xbf58_476d_1ce4_e5b9n) ^ 0x94d0_49bb_1331_11ebn
    for (let round = 0; round < 8; round++) this.bits64()
  }

  bits64(): bigint {
    let a = this.#a
    const b = this.#b
    this.#a = b
    a ^= BigInt.asUintN(64, a << 23n)
    this.#b = a ^ b ^ (a >> 18n) ^ (b >> 5n)
    return BigInt.asUintN(64, this.#b + b)
  }

  /** An integer from 0 to `bound` - 1. */
  below(bound: number): number {
    return Number((this.bits64() >> 16n) % BigInt(bound))
  }

  chance(of: number, outOf: number): boolean {
    return this.below(outOf) < of
  }

  pick<T>(from: readonly T[]): T {
    const chosen = from[this.below(from.length)]
    if (chosen === undefined) throw new Error('nothing to pick from')
    return chosen
  }
}
