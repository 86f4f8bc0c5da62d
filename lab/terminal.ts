/** The user's terminal as a serial console: raw keys in, bytes out, scripted input on what is seen. */

/** Ctrl-]: leaves, as telnet does. */
const LEAVE = 0x1d

export interface Exchange {
  /** Once this text has been seen … */
  readonly seen: string
  /** … this is typed. */
  readonly type: string
}

export class Terminal {
  /** The last that was printed, for those who wait for a text. */
  #recent = ''
  #exchanges: readonly Exchange[]
  #left = false
  #untilSeen = false
  readonly #until: string | undefined
  readonly #type: (bytes: Uint8Array) => void
  readonly #write: (bytes: Uint8Array) => void

  /** `type` takes what goes into the machine, `write` what comes out of it. */
  constructor(
    type: (bytes: Uint8Array) => void,
    write: (bytes: Uint8Array) => void,
    exchanges: readonly Exchange[],
    until?: string,
  ) {
    this.#type = type
    this.#write = write
    this.#exchanges = exchanges
    this.#until = until
  }

  /** True once the text given as `until` has been printed. */
  get untilSeen(): boolean {
    return this.#untilSeen
  }

  /** True once the user has pressed Ctrl-]. */
  get left(): boolean {
    return this.#left
  }

  /** Bytes from the machine. Scripted input is returned, to be given to the machine between two runs. */
  print(bytes: Uint8Array): void {
    this.#write(bytes)
    this.#recent += Buffer.from(bytes).toString('latin1')
    if (this.#until && this.#recent.includes(this.#until)) this.#untilSeen = true
    // Texts waited for are short: what is long past cannot be part of one.
    if (this.#recent.length > 0x10000) this.#recent = this.#recent.slice(-0x8000)
  }

  /** Types what the script owes, between two runs of the machine. False if it owes nothing now. */
  answer(): boolean {
    const [next, ...rest] = this.#exchanges
    if (!next) return false
    const at = this.#recent.indexOf(next.seen)
    if (at < 0) return false
    this.#exchanges = rest
    this.#recent = this.#recent.slice(at + next.seen.length)
    this.#type(Buffer.from(`${next.type}\n`))
    return true
  }

  /** Takes the keyboard until the returned function is called. Without a terminal input is piped through as it comes. */
  takeKeyboard(): () => void {
    const { stdin } = process
    const raw = stdin.isTTY
    if (raw) stdin.setRawMode(true)
    const onData = (chunk: Buffer) => {
      const leave = raw ? chunk.indexOf(LEAVE) : -1
      if (leave >= 0) this.#left = true
      this.#type(leave >= 0 ? chunk.subarray(0, leave) : chunk)
    }
    stdin.on('data', onData)
    return () => {
      stdin.off('data', onData)
      if (raw) stdin.setRawMode(false)
      stdin.pause()
    }
  }
}

/** Parses "SEEN=>TYPED". */
export function parseExchange(text: string): Exchange | undefined {
  const at = text.indexOf('=>')
  return at <= 0 ? undefined : { seen: unescaped(text.slice(0, at)), type: unescaped(text.slice(at + 2)) }
}

function unescaped(text: string): string {
  return text.replace(
    /\\([nrt\\])/g,
    (_, letter: string) => ({ n: '\n', r: '\r', t: '\t', '\\': '\\' })[letter] ?? letter,
  )
}
