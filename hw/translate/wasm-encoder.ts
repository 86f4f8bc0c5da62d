/**
 * A WebAssembly module, written byte by byte: as much of the binary format as the translators use. One imported
 * memory, imported functions, one table of typed function references, mutable globals, exported functions.
 */

export const I32 = 0x7f
export const I64 = 0x7e
export const F32 = 0x7d
export const F64 = 0x7c
export type ValueType = typeof I32 | typeof I64 | typeof F32 | typeof F64

/** Growing bytes with the format's integer encodings. */
export class Bytes {
  #bytes: Uint8Array
  length = 0

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity)
  }

  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#grow(1)
    this.#bytes[this.length++] = value
  }

  /** Unsigned LEB128 of a number below 2^32. */
  unsigned(value: number): void {
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.byte(rest)
  }

  /** Signed LEB128 of a 32-bit number. */
  signed(value: number): void {
    let rest = value | 0
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>= 7
    }
    this.byte(rest & 0x7f)
  }

  /** Signed LEB128 of a 64-bit value. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value)
    while (rest < -64n || rest > 63n) {
      this.byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.byte(Number(rest & 0x7fn))
  }

  name(text: string): void {
    this.unsigned(text.length)
    for (let at = 0; at < text.length; at++) this.byte(text.charCodeAt(at))
  }

  append(other: Bytes): void {
    if (this.length + other.length > this.#bytes.length) this.#grow(other.length)
    this.#bytes.set(other.#bytes.subarray(0, other.length), this.length)
    this.length += other.length
  }

  /** What was written so far: a view, not a copy. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  #grow(by: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + by))
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}

interface FunctionType {
  readonly parameters: readonly ValueType[]
  readonly results: readonly ValueType[]
}

/** Anything that has encoded its locals and instructions (see Code). */
export interface Body {
  encode(): Bytes
}

/** Collects a module; functions are numbered in the order in which they are imported and then declared. */
export class ModuleEncoder {
  #types: FunctionType[] = []
  #imports: { readonly name: string; readonly type: number }[] = []
  #functions: { readonly type: number; body: Body | undefined }[] = []
  #exports: { readonly name: string; readonly index: number }[] = []
  #table: { readonly type: number; readonly elements: number[] } | undefined

  /** Index of a function type. */
  type(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const same = (a: readonly ValueType[], b: readonly ValueType[]) =>
      a.length === b.length && a.every((t, at) => t === b[at])
    const found = this.#types.findIndex(known => same(known.parameters, parameters) && same(known.results, results))
    return found >= 0 ? found : this.#types.push({ parameters, results }) - 1
  }

  /** A function imported from module `env`. All imports come before the first declaration. */
  importFunction(name: string, type: number): number {
    if (this.#functions.length > 0) throw new Error(`import ${name} after a function was declared`)
    return this.#imports.push({ name, type }) - 1
  }

  /** Declares a function whose body may follow later, so that functions can call each other. */
  declare(type: number): number {
    return this.#imports.length + this.#functions.push({ type, body: undefined }) - 1
  }

  define(index: number, body: Body): void {
    const declared = this.#functions[index - this.#imports.length]
    if (!declared) throw new Error(`function ${index} was not declared`)
    declared.body = body
  }

  export(name: string, index: number): void {
    this.#exports.push({ name, index })
  }

  /**
   * The module's table 0: non-null references to functions of one type, so that an indirect call checks no signature;
   * where WebAssembly has no such tables yet (Node before 22), of any functions.
   */
  table(type: number, elements: readonly number[]): void {
    this.#table = { type, elements: [...elements] }
  }

  /** The module's bytes. It imports `env.memory` of the given size (in 64 KiB pages). */
  encode(memoryPages: number, typedTable: boolean = TYPED_TABLES): Uint8Array {
    const out = new Bytes(1 << 16)
    for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) out.byte(byte)
    section(out, 1, this.#types, (to, { parameters, results }) => {
      to.byte(0x60)
      to.unsigned(parameters.length)
      for (const type of parameters) to.byte(type)
      to.unsigned(results.length)
      for (const type of results) to.byte(type)
    })
    const memory = { name: 'memory', type: -1 }
    section(out, 2, [memory, ...this.#imports], (to, { name, type }) => {
      to.name('env')
      to.name(name)
      if (type < 0) {
        to.byte(0x02)
        to.byte(0x01)
        to.unsigned(memoryPages)
        to.unsigned(memoryPages)
      } else {
        to.byte(0x00)
        to.unsigned(type)
      }
    })
    section(out, 3, this.#functions, (to, { type }) => to.unsigned(type))
    const table = this.#table
    if (table) {
      section(out, 4, [table], (to, { type, elements }) => {
        if (typedTable) {
          to.byte(0x40)
          to.byte(0x00)
          to.byte(0x64)
          to.signed(type)
        } else to.byte(FUNCTION_REFERENCE)
        to.byte(0x01)
        to.unsigned(elements.length)
        to.unsigned(elements.length)
        if (typedTable) referenceTo(to, elements[0] ?? 0)
      })
    }
    section(out, 7, this.#exports, (to, { name, index }) => {
      to.name(name)
      to.byte(0x00)
      to.unsigned(index)
    })
    if (table) {
      section(out, 9, [table], (to, { type, elements }) => {
        to.byte(0x06)
        to.unsigned(0)
        to.byte(0x41)
        to.signed(0)
        to.byte(0x0b)
        if (typedTable) {
          to.byte(0x64)
          to.signed(type)
        } else to.byte(FUNCTION_REFERENCE)
        to.unsigned(elements.length)
        for (const element of elements) referenceTo(to, element)
      })
    }
    section(out, 10, this.#functions, (to, { body }) => {
      if (!body) throw new Error('a declared function has no body')
      const encoded = body.encode()
      to.unsigned(encoded.length)
      to.append(encoded)
    })
    return out.view().slice()
  }
}

const FUNCTION_REFERENCE = 0x70
/** Whether this computer's WebAssembly has tables of one function type. */
const TYPED_TABLES = typedTablesWork()

function typedTablesWork(): boolean {
  const module = new ModuleEncoder()
  const only = module.declare(module.type([], []))
  const body = new Bytes(2)
  body.byte(0x00)
  body.byte(0x0b)
  module.define(only, { encode: () => body })
  module.table(0, [only])
  return WebAssembly.validate(module.encode(1, true))
}

/** A constant expression that refers to a function. */
function referenceTo(to: Bytes, functionIndex: number): void {
  to.byte(0xd2)
  to.unsigned(functionIndex)
  to.byte(0x0b)
}

function section<T>(out: Bytes, id: number, items: readonly T[], write: (to: Bytes, item: T) => void): void {
  if (items.length === 0) return
  const content = new Bytes(1 << 12)
  content.unsigned(items.length)
  for (const item of items) write(content, item)
  out.byte(id)
  out.unsigned(content.length)
  out.append(content)
}
