/** The card's registers as words: reset values and access rules come from the table; what is special stands with its part. */
import type { Plain, Saved } from '../../bus/chip.ts'
import { restoreWords, savedWords } from '../../bus/saved-words.ts'
import { BAR0_BYTES, INTERRUPT_ALIASES, QUEUE_ALIASES, nic } from '../../spec/devices/nic.ts'
import { fieldOf, withField } from '../../spec/registers.ts'
import type { Field, Register } from '../../spec/registers.ts'

const access = new Map<number, Register['access']>()
for (const register of Object.values<Register>(nic)) {
  for (let i = 0; i < (register.count ?? 1); i++) access.set(register.at + i * (register.stride ?? 0), register.access)
}
const interruptAliases = new Map<number, number>([
  [INTERRUPT_ALIASES.ICR, nic.ICR.at],
  [INTERRUPT_ALIASES.EITR0, nic.EITR.at],
  [INTERRUPT_ALIASES.ICS, nic.ICS.at],
  [INTERRUPT_ALIASES.IMS, nic.IMS.at],
  [INTERRUPT_ALIASES.IMC, nic.IMC.at],
  [INTERRUPT_ALIASES.IAM, nic.IAM.at],
])

/** The offset at which the table declares what is accessed at `offset`. */
export function canonical(offset: number): number {
  const { receive, transmit, stride, queues } = QUEUE_ALIASES
  for (const [from, to] of [
    [receive, nic.RDBAL.at],
    [transmit, nic.TDBAL.at],
  ] as const) {
    const inside = offset - from
    if (inside >= 0 && inside < stride * queues && inside % stride < nic.RDBAL.stride)
      return to + Math.floor(inside / stride) * nic.RDBAL.stride + (inside % stride)
  }
  return interruptAliases.get(offset) ?? offset
}

export class RegisterFile implements Saved {
  readonly #words = new Uint32Array(BAR0_BYTES / 4)

  constructor() {
    this.reset()
  }

  reset(): void {
    this.#words.fill(0)
    for (const register of Object.values<Register>(nic)) {
      for (let i = 0; i < (register.count ?? 1); i++) this.set(register, register.reset ?? 0, i)
    }
  }

  get(register: Register, index = 0): number {
    return this.#words[(register.at + index * (register.stride ?? 0)) >>> 2]
  }

  set(register: Register, value: number, index = 0): void {
    this.#words[(register.at + index * (register.stride ?? 0)) >>> 2] = value
  }

  field(register: Register, field: Field, index = 0): number {
    return fieldOf(field, this.get(register, index))
  }

  setField(register: Register, field: Field, value: number, index = 0): void {
    this.set(register, withField(field, this.get(register, index), value), index)
  }

  /** Adds to a counter that sticks at its maximum. */
  count(register: Register, by = 1, index = 0): void {
    this.set(register, Math.min(this.get(register, index) + by, 0xffff_ffff), index)
  }

  /** Adds to a counter of two registers, low and high word. */
  countLong(low: Register, high: Register, by: number): void {
    const sum = this.get(high) * 2 ** 32 + this.get(low) + by
    this.set(low, sum % 2 ** 32)
    this.set(high, Math.floor(sum / 2 ** 32))
  }

  /** A read by software of a register without other side effects: a counter is cleared, a long one by its high word. */
  read(at: number): number {
    const value = this.#words[at >>> 2]
    if (access.get(at) === 'rc' && !longLow.has(at)) {
      this.#words[at >>> 2] = 0
      if (longHigh.has(at)) this.#words[(at >>> 2) - 1] = 0
    }
    return access.get(at) === 'wo' ? 0 : value
  }

  /** A write by software of a register without other side effects. */
  write(at: number, value: number): void {
    const how = access.get(at)
    if (how === 'rw') this.#words[at >>> 2] = value
    else if (how === 'rw1c') this.#words[at >>> 2] &= ~value
  }

  save(): Plain {
    return savedWords(this.#words)
  }

  restore(state: Plain): void {
    restoreWords(this.#words, state as Uint8Array)
  }
}

const longLow = new Set<number>([nic.GORCL, nic.GOTCL, nic.TORL, nic.TOTL, nic.HGORCL, nic.HGOTCL].map(({ at }) => at))
const longHigh = new Set<number>([nic.GORCH, nic.GOTCH, nic.TORH, nic.TOTH, nic.HGORCH, nic.HGOTCH].map(({ at }) => at))
