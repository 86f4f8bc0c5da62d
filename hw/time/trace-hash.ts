/** A running 64-bit hash over what happened: two lanes of FNV-1a over 32-bit words. Cheap, not cryptographic. */
const PRIME = 0x0100_0193
const OFFSET = 0x811c_9dc5 | 0
const OTHER = 0x2545_f491

export class TraceHash {
  #a = OFFSET
  #b = OTHER

  add(word: number): void {
    this.#a = Math.imul(this.#a ^ word, PRIME)
    this.#b = Math.imul((this.#b << 13) | (this.#b >>> 19), PRIME) ^ word
  }

  /** An exact integer below 2^53. */
  addNumber(value: number): void {
    this.add(value | 0)
    this.add(Math.floor(value / 2 ** 32) | 0)
  }

  addText(text: string): void {
    for (let at = 0; at < text.length; at++) this.add(text.charCodeAt(at))
  }

  addWords(words: Int32Array): void {
    for (let at = 0; at < words.length; at++) this.add(words[at])
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    return [this.#a, this.#b].map(lane => (lane >>> 0).toString(16).padStart(8, '0')).join('')
  }

  copy(): TraceHash {
    const copy = new TraceHash()
    copy.#a = this.#a
    copy.#b = this.#b
    return copy
  }

  save(): readonly [number, number] {
    return [this.#a, this.#b]
  }

  restore([a, b]: readonly [number, number]): void {
    this.#a = a
    this.#b = b
  }
}
