/** A progress bar on standard error, if that is a terminal. */

const WIDTH = 24

export class Progress {
  readonly #total: number
  #done = 0
  readonly #underWay = new Set<string>()
  readonly #shown = process.stderr.isTTY

  constructor(total: number) {
    this.#total = total
  }

  /** Says what is begun. Several things may be under way. */
  begin(what: string): void {
    this.#underWay.add(what)
    this.#show()
  }

  finish(what: string): void {
    this.#underWay.delete(what)
    this.#done++
    this.#show()
  }

  end(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K')
  }

  #show(): void {
    if (!this.#shown) return
    const full = Math.round((this.#done / this.#total) * WIDTH)
    const line = `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${this.#done}/${this.#total} ${[...this.#underWay].join(', ')}`
    // A line that wrapped could not be written over.
    process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`)
  }
}
