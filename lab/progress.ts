/** A progress bar on standard error, if that is a terminal, with an estimate of the time left. */

const WIDTH = 24
/** An estimate from fewer things done, or in less time, misleads. */
const SOME = 4
const SHORTLY = 5

export class Progress {
  readonly #total: number
  readonly #began = performance.now()
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
    const left = timeLeft((performance.now() - this.#began) / 1000, this.#done, this.#total)
    const line = `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${this.#done}/${this.#total} ${left}${[...this.#underWay].join(', ')}`
    // A line that wrapped could not be written over.
    process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`)
  }
}

/** What remains, if it goes on as it went for so many seconds: nothing while that cannot be said, or hardly matters. */
export function timeLeft(seconds: number, done: number, total: number): string {
  const left = (seconds / done) * (total - done)
  if (done < SOME || left < SHORTLY) return ''
  return left < 90 ? `${Math.round(left)} s left, ` : `${Math.round(left / 60)} min left, `
}
