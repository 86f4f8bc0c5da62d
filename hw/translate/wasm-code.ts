/** The body of one WebAssembly function: its locals and its instructions, appended in order. */
import { Bytes, type Body, type ValueType } from './wasm-encoder.ts'

/** Opcodes without immediates, by the specification's names with the dot and underscores as camel case. */
export const OPCODES = {
  unreachable: 0x00,
  return: 0x0f,
  drop: 0x1a,
  select: 0x1b,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtS: 0x4a,
  i32GtU: 0x4b,
  i32LeS: 0x4c,
  i32LeU: 0x4d,
  i32GeS: 0x4e,
  i32GeU: 0x4f,
  i64Eqz: 0x50,
  i64Eq: 0x51,
  i64Ne: 0x52,
  i64LtS: 0x53,
  i64LtU: 0x54,
  i64GtS: 0x55,
  i64GtU: 0x56,
  i64LeS: 0x57,
  i64LeU: 0x58,
  i64GeS: 0x59,
  i64GeU: 0x5a,
  f32Eq: 0x5b,
  f32Ne: 0x5c,
  f32Lt: 0x5d,
  f32Gt: 0x5e,
  f32Le: 0x5f,
  f32Ge: 0x60,
  f64Eq: 0x61,
  f64Ne: 0x62,
  f64Lt: 0x63,
  f64Gt: 0x64,
  f64Le: 0x65,
  f64Ge: 0x66,
  i32Clz: 0x67,
  i32Ctz: 0x68,
  i32Popcnt: 0x69,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32DivS: 0x6d,
  i32DivU: 0x6e,
  i32RemS: 0x6f,
  i32RemU: 0x70,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i32ShrS: 0x75,
  i32ShrU: 0x76,
  i64Clz: 0x79,
  i64Ctz: 0x7a,
  i64Popcnt: 0x7b,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64DivS: 0x7f,
  i64DivU: 0x80,
  i64RemS: 0x81,
  i64RemU: 0x82,
  i64And: 0x83,
  i64Or: 0x84,
  i64Xor: 0x85,
  i64Shl: 0x86,
  i64ShrS: 0x87,
  i64ShrU: 0x88,
  i64Rotl: 0x89,
  i64Rotr: 0x8a,
  f32Sqrt: 0x91,
  f32Add: 0x92,
  f32Sub: 0x93,
  f32Mul: 0x94,
  f32Div: 0x95,
  f64Trunc: 0x9d,
  f64Nearest: 0x9e,
  f64Sqrt: 0x9f,
  f64Add: 0xa0,
  f64Sub: 0xa1,
  f64Mul: 0xa2,
  f64Div: 0xa3,
  i32WrapI64: 0xa7,
  i64ExtendI32S: 0xac,
  i64ExtendI32U: 0xad,
  i64TruncF64S: 0xb0,
  i64TruncF64U: 0xb1,
  f32ConvertI64S: 0xb4,
  f32ConvertI64U: 0xb5,
  f32DemoteF64: 0xb6,
  f64ConvertI64S: 0xb9,
  f64ConvertI64U: 0xba,
  f64PromoteF32: 0xbb,
  i32ReinterpretF32: 0xbc,
  i64ReinterpretF64: 0xbd,
  f32ReinterpretI32: 0xbe,
  f64ReinterpretI64: 0xbf,
  i64Extend8S: 0xc2,
  i64Extend16S: 0xc3,
  i64Extend32S: 0xc4,
} as const
export type Opcode = keyof typeof OPCODES

const LOADS = {
  i32Load: 0x28,
  i64Load: 0x29,
  f32Load: 0x2a,
  f64Load: 0x2b,
  i32Load8U: 0x2d,
  i32Load16U: 0x2f,
  i64Load8S: 0x30,
  i64Load8U: 0x31,
  i64Load16S: 0x32,
  i64Load16U: 0x33,
  i64Load32S: 0x34,
  i64Load32U: 0x35,
  i32Store: 0x36,
  i64Store: 0x37,
  f64Store: 0x39,
  i32Store8: 0x3a,
  i32Store16: 0x3b,
  i64Store8: 0x3c,
  i64Store16: 0x3d,
  i64Store32: 0x3e,
} as const
export type MemoryOpcode = keyof typeof LOADS

export class Code implements Body {
  readonly #parameters: number
  readonly #locals: ValueType[] = []
  readonly #free: { readonly type: ValueType; readonly index: number }[] = []
  #taken: { readonly type: ValueType; readonly index: number }[] = []
  readonly #code = new Bytes(256)

  constructor(parameters: number) {
    this.#parameters = parameters
  }

  /** A new local variable's index. */
  local(type: ValueType): number {
    return this.#parameters + this.#locals.push(type) - 1
  }

  /** A local variable until the next {@link release}: so that many handlers in one function share a few. */
  temporary(type: ValueType): number {
    const at = this.#free.findIndex(free => free.type === type)
    const found = at < 0 ? { type, index: this.local(type) } : this.#free.splice(at, 1)[0]
    this.#taken.push(found)
    return found.index
  }

  release(): void {
    this.#free.push(...this.#taken)
    this.#taken = []
  }

  op(...opcodes: readonly Opcode[]): this {
    for (const opcode of opcodes) this.#code.byte(OPCODES[opcode])
    return this
  }

  i32(value: number): this {
    this.#code.byte(0x41)
    this.#code.signed(value)
    return this
  }

  i64(value: bigint): this {
    this.#code.byte(0x42)
    this.#code.signed64(value)
    return this
  }

  f64(value: number): this {
    this.#code.byte(0x44)
    for (const byte of new Uint8Array(new Float64Array([value]).buffer)) this.#code.byte(byte)
    return this
  }

  get(local: number): this {
    return this.#indexed(0x20, local)
  }

  set(local: number): this {
    return this.#indexed(0x21, local)
  }

  tee(local: number): this {
    return this.#indexed(0x22, local)
  }

  /** A load or store; the address (and value) are on the stack. Alignment is always hinted as 1 byte. */
  memory(opcode: MemoryOpcode, offset = 0): this {
    this.#code.byte(LOADS[opcode])
    this.#code.byte(0)
    this.#code.unsigned(offset)
    return this
  }

  block(): this {
    return this.#structured(0x02)
  }

  loop(): this {
    return this.#structured(0x03)
  }

  if(result?: ValueType): this {
    this.#code.byte(0x04)
    this.#code.byte(result ?? 0x40)
    return this
  }

  else(): this {
    this.#code.byte(0x05)
    return this
  }

  end(): this {
    this.#code.byte(0x0b)
    return this
  }

  br(depth: number): this {
    return this.#indexed(0x0c, depth)
  }

  brIf(depth: number): this {
    return this.#indexed(0x0d, depth)
  }

  brTable(depths: readonly number[], otherwise: number): this {
    this.#code.byte(0x0e)
    this.#code.unsigned(depths.length)
    for (const depth of depths) this.#code.unsigned(depth)
    this.#code.unsigned(otherwise)
    return this
  }

  call(functionIndex: number): this {
    return this.#indexed(0x10, functionIndex)
  }

  /** Calls through table 0; the element's index is on top of the stack. */
  callIndirect(type: number): this {
    this.#indexed(0x11, type)
    this.#code.unsigned(0)
    return this
  }

  encode(): Bytes {
    const out = new Bytes(this.#code.length + 32)
    const groups: { count: number; readonly type: ValueType }[] = []
    for (const type of this.#locals) {
      const last = groups.at(-1)
      if (last?.type === type) last.count++
      else groups.push({ count: 1, type })
    }
    out.unsigned(groups.length)
    for (const { count, type } of groups) {
      out.unsigned(count)
      out.byte(type)
    }
    out.append(this.#code)
    out.byte(0x0b)
    return out
  }

  #indexed(opcode: number, index: number): this {
    this.#code.byte(opcode)
    this.#code.unsigned(index)
    return this
  }

  #structured(opcode: number): this {
    this.#code.byte(opcode)
    this.#code.byte(0x40)
    return this
  }
}
