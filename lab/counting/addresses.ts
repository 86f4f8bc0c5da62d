/** Which addresses of elements a compiler has at hand: computed on every way here, from variables that have not changed. */
export class Addresses {
  #known = new Set<string>()

  /** True if the address of structure and index had to be computed. */
  add(structure: string, index: string): boolean {
    const key = `${structure} ${index}`
    if (this.#known.has(key)) return false
    this.#known.add(key)
    return true
  }

  /** A variable has a new value. */
  assigned(name: string): void {
    const used = new RegExp(`(^|\\W)${name.replace(/\$/g, '\\$')}(\\W|$)`)
    for (const key of this.#known) if (used.test(key)) this.#known.delete(key)
  }

  /** What `part` computes may not have been computed after it, if it is skipped. */
  within<T>(part: () => T): T {
    const before = new Set(this.#known)
    const result = part()
    this.#known = new Set([...before].filter(key => this.#known.has(key)))
    return result
  }
}
