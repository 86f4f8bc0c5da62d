/** What an assembly builds up: sections of bytes, symbols, and places to be filled in when addresses are known. */
import { AssemblyError, Complaint } from './assembly-error.ts'
import { absolute, evaluate, type Expression, type Section, type Value } from './expressions.ts'
import type { Statement } from './statements.ts'

/** Computes the bytes at a place: `valueOf` gives any expression's final value, `pc` is the place's address. */
export type Patch = (valueOf: (expression: Expression) => bigint, pc: bigint) => readonly number[]

interface Fixup {
  readonly section: SectionBytes
  readonly offset: number
  readonly patch: Patch
  readonly statement: Statement
}

class SectionBytes implements Section {
  readonly name: string
  bytes = new Uint8Array(256)
  length = 0
  alignment: number
  address = 0

  constructor(name: string) {
    this.name = name
    this.alignment = name.startsWith('.text') ? 4 : 8
  }

  append(bytes: ArrayLike<number>): void {
    const end = this.length + bytes.length
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.bytes.length * 2))
      larger.set(this.bytes)
      this.bytes = larger
    }
    this.bytes.set(bytes, this.length)
    this.length = end
  }
}

const ORDER = ['.text', '.rodata', '.srodata', '.data', '.sdata', '', '.sbss', '.bss']

function rankOf(name: string): number {
  const rank = ORDER.findIndex(prefix => prefix !== '' && (name === prefix || name.startsWith(`${prefix}.`)))
  return rank < 0 ? ORDER.indexOf('') : rank
}

/** The little-endian bytes of a value. */
export function littleEndian(value: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn))
}

export interface Linked {
  readonly bytes: Uint8Array
  readonly symbols: ReadonlyMap<string, bigint>
}

export class ObjectBuilder {
  readonly #sections: SectionBytes[] = []
  readonly #symbols = new Map<string, Expression>()
  readonly #labels = new Set<string>()
  readonly #fixups: Fixup[] = []
  readonly #external: ReadonlyMap<string, Value>
  #current: SectionBytes

  constructor(external: Readonly<Record<string, number>>) {
    this.#external = new Map(Object.entries(external).map(([name, value]) => [name, absolute(BigInt(value))]))
    this.#current = this.#enter('.text')
  }

  #enter(name: string): SectionBytes {
    const known = this.#sections.find(section => section.name === name)
    if (known) return known
    const created = new SectionBytes(name)
    this.#sections.push(created)
    return created
  }

  section(name: string): void {
    this.#current = this.#enter(name)
  }

  get sectionName(): string {
    return this.#current.name
  }

  /** The current place. */
  here(): Value {
    return { base: this.#current, offset: BigInt(this.#current.length) }
  }

  label(name: string): void {
    if (this.#labels.has(name)) throw new Complaint(`label "${name}" is already defined: choose another name`)
    this.#labels.add(name)
    this.#symbols.set(name, { kind: 'value', value: this.here() })
  }

  /** Gives a symbol a value; what is known now is settled now, so that .set may be repeated. */
  set(name: string, expression: Expression): void {
    if (this.#labels.has(name)) throw new Complaint(`"${name}" is already a label: choose another name`)
    this.#symbols.set(name, this.settle(expression))
  }

  isDefined(name: string): boolean {
    return this.#symbols.has(name) || this.#external.has(name)
  }

  #resolve(name: string, within: readonly string[]): Value | undefined {
    if (within.includes(name)) throw new Complaint(`"${name}" is defined by itself`)
    const expression = this.#symbols.get(name)
    if (!expression) return this.#external.get(name)
    return evaluate(expression, inner => this.#resolve(inner, [...within, name]))
  }

  /** The value of an expression as far as it is known now. */
  known(expression: Expression): Value | undefined {
    return evaluate(expression, name => this.#resolve(name, []))
  }

  /** The expression with what is known now put in. */
  settle(expression: Expression): Expression {
    const value = this.known(expression)
    return value ? { kind: 'value', value } : expression
  }

  emit(bytes: ArrayLike<number>): void {
    this.#current.append(bytes)
  }

  /** Reserves `bytes` here, to be filled in once addresses are known. */
  later(bytes: number, statement: Statement, patch: Patch): void {
    this.#fixups.push({ section: this.#current, offset: this.#current.length, patch, statement })
    this.#current.append(new Uint8Array(bytes))
  }

  align(bytes: number, fill: number | undefined): void {
    const section = this.#current
    section.alignment = Math.max(section.alignment, bytes)
    let missing = (bytes - (section.length % bytes)) % bytes
    if (fill === undefined && section.name.startsWith('.text')) {
      if (missing & 1) section.append([0])
      if (missing & 2) section.append([0x01, 0x00]) // c.nop
      for (missing >>= 2; missing > 0; missing--) section.append([0x13, 0, 0, 0])
      return
    }
    section.append(new Uint8Array(missing).fill(fill ?? 0))
  }

  /** Lays the sections out from `origin` and fills in every place. */
  link(origin: number): Linked {
    let address = origin
    const ordered = this.#sections.toSorted((a, b) => rankOf(a.name) - rankOf(b.name))
    for (const section of ordered) {
      if (section.length > 0) address = Math.ceil(address / section.alignment) * section.alignment
      section.address = address
      address += section.length
    }
    const bases = new Map<Section, bigint>(ordered.map(section => [section, BigInt(section.address)]))
    const final = (value: Value): Value => absolute((value.base ? bases.get(value.base)! : 0n) + value.offset)
    const resolve = (name: string, within: readonly string[]): Value => {
      if (within.includes(name)) throw new Complaint(`"${name}" is defined by itself`)
      const expression = this.#symbols.get(name)
      if (expression) return value(expression, [...within, name])
      const external = this.#external.get(name)
      if (!external) throw new Complaint(`"${name}" is not defined: add a label, .equ or an entry in options.symbols`)
      return external
    }
    const value = (expression: Expression, within: readonly string[]): Value =>
      evaluate(located(expression, final), name => resolve(name, within))!
    for (const { section, offset, patch, statement } of this.#fixups) {
      try {
        const bytes = patch(expression => value(expression, []).offset, BigInt(section.address + offset))
        section.bytes.set(bytes, offset)
      } catch (error) {
        if (error instanceof Complaint) throw new AssemblyError(statement.line, statement.text, error.message)
        throw error
      }
    }
    const bytes = new Uint8Array(address - origin)
    for (const section of ordered) bytes.set(section.bytes.subarray(0, section.length), section.address - origin)
    return { bytes, symbols: new Map([...this.#symbols.keys()].map(name => [name, resolve(name, []).offset])) }
  }
}

/** The expression with the values in it made absolute. */
function located(expression: Expression, final: (value: Value) => Value): Expression {
  switch (expression.kind) {
    case 'value':
      return { kind: 'value', value: final(expression.value) }
    case 'symbol':
      return expression
    case 'unary':
      return { ...expression, operand: located(expression.operand, final) }
    default: {
      const { left, right } = expression
      return { ...expression, left: located(left, final), right: located(right, final) }
    }
  }
}
