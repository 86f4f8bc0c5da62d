/** A progress bar on standard error, if that is a terminal. */

const WIDTH = 24

export class Progress {
  readonly #total: number
  #done = 0
  readonly #shown = process.stderr.isTTY

  constructor(total: number) {
    this.#total = total
  }

  /** Says what is being worked on. */
  begin(what: string): void {
    if (!this.#shown) return
    const full = Math.round((this.#done / this.#total) * WIDTH)
    process.stderr.write(`\r\x1b[K${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${this.#done}/${this.#total} ${what}`)
  }

  step(): void {
    this.#done++
  }

  end(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K')
  }
}
