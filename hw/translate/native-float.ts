/**
 * Floating point by WebAssembly's own instructions, where they give what the manual asks for: rounding to nearest even
 * with NX already set, operands that are numbers, and a result so ordinary that it raises no flag but NX. Everything
 * else is left to the hart's soft float, whose results these must equal.
 */
import { FCSR } from '../hart/slots.ts'
import { FLOAT } from '../hart/state.ts'
import type { FloatFormat, FloatOperation } from '../spec/isa/semantics.ts'
import type { Code, Opcode } from './wasm-code.ts'
import { F32, F64, I32, I64 } from './wasm-encoder.ts'

/** Locals: operands as raw i64, the rounding-mode field as i32, and where the result goes as i64. */
export interface FloatLocals {
  readonly a: number
  readonly b: number
  readonly rounding: number
  readonly result: number
}

const NX = 1
const FRM_SHIFT = 5
const DYNAMIC = 7
const TOWARDS_ZERO = 1

/** By format: bits of a number, of its fraction, largest exponent, and the opcodes' names. */
const FORMATS = {
  s: { type: F32, fraction: 23n, infinite: 0xff, prefix: 'f32' },
  d: { type: F64, fraction: 52n, infinite: 0x7ff, prefix: 'f64' },
} as const

const ARITHMETIC: Partial<Record<FloatOperation, 'Add' | 'Sub' | 'Mul' | 'Div' | 'Sqrt'>> = {
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  sqrt: 'Sqrt',
}
const COMPARISONS: Partial<Record<FloatOperation, 'Eq' | 'Lt' | 'Le'>> = { eq: 'Eq', lt: 'Lt', le: 'Le' }
/** Results in range, exclusive: between them truncation is defined and no flag but NX is raised. */
const TO_INTEGER: Partial<
  Record<
    FloatOperation,
    { readonly above: number; readonly below: number; readonly opcode: Opcode; readonly word: boolean }
  >
> = {
  'to-w': { above: -(2 ** 31) - 1, below: 2 ** 31, opcode: 'i64TruncF64S', word: true },
  'to-wu': { above: -1, below: 2 ** 32, opcode: 'i64TruncF64S', word: true },
  'to-l': { above: -(2 ** 63), below: 2 ** 63, opcode: 'i64TruncF64S', word: false },
  'to-lu': { above: -1, below: 2 ** 64, opcode: 'i64TruncF64U', word: false },
}
const FROM_INTEGER: Partial<Record<FloatOperation, { readonly extend: Opcode | undefined; readonly sign: 'S' | 'U' }>> =
  {
    'from-w': { extend: 'i64ExtendI32S', sign: 'S' },
    'from-wu': { extend: 'i64ExtendI32U', sign: 'U' },
    'from-l': { extend: undefined, sign: 'S' },
    'from-lu': { extend: undefined, sign: 'U' },
  }

/** Within a block: leaves it with the result, or goes on behind if this case is not for it. */
export function emitNativeFloat(
  code: Code,
  { operation, format }: { operation: FloatOperation; format: FloatFormat },
  locals: FloatLocals,
): void {
  const native = new NativeFloat(code, format, locals)
  const arithmetic = ARITHMETIC[operation]
  const comparison = COMPARISONS[operation]
  const toInteger = TO_INTEGER[operation]
  const fromInteger = FROM_INTEGER[operation]
  code.block()
  if (arithmetic) native.arithmetic(arithmetic)
  else if (comparison) native.compare(comparison)
  else if (operation === 'min' || operation === 'max') native.choose(operation)
  else if (toInteger) native.toInteger(toInteger)
  else if (fromInteger) native.fromInteger(fromInteger)
  else if (operation === 'to-s') native.narrow()
  else if (operation === 'to-d') native.widen()
  else code.br(0)
  code.end()
}

class NativeFloat {
  readonly #code: Code
  readonly #locals: FloatLocals
  readonly #format: FloatFormat

  constructor(code: Code, format: FloatFormat, locals: FloatLocals) {
    this.#code = code
    this.#format = format
    this.#locals = locals
  }

  arithmetic(name: 'Add' | 'Sub' | 'Mul' | 'Div' | 'Sqrt'): void {
    const code = this.#code
    const { type, prefix } = FORMATS[this.#format]
    this.#requireMode(0)
    const x = this.#number(this.#locals.a, this.#format)
    const y = name === 'Sqrt' ? undefined : this.#number(this.#locals.b, this.#format)
    const value = code.temporary(type)
    code.get(x)
    if (y !== undefined) code.get(y)
    code.op(`${prefix}${name}`).set(value)
    this.#finish(value, this.#format, () => {
      // Where a zero is exact: a sum always, a product, quotient or root of a zero.
      if (name === 'Add' || name === 'Sub') {
        code.i32(1)
        return
      }
      this.#isZero(x)
      if (name === 'Mul') {
        this.#isZero(y!)
        code.op('i32Or')
      }
    })
  }

  compare(name: 'Eq' | 'Lt' | 'Le'): void {
    const code = this.#code
    const [x, y] = this.#ordered()
    code.get(x).get(y).op(`${FORMATS[this.#format].prefix}${name}`, 'i64ExtendI32U').set(this.#locals.result).br(1)
  }

  choose(operation: 'min' | 'max'): void {
    const code = this.#code
    const { prefix } = FORMATS[this.#format]
    const { a, b, result } = this.#locals
    const [x, y] = this.#ordered()
    // Zeros of different signs are equal, but ordered here.
    code.get(x).get(y).op(`${prefix}Eq`).brIf(0)
    code
      .get(a)
      .get(b)
      .get(x)
      .get(y)
      .op(`${prefix}${operation === 'min' ? 'Lt' : 'Gt'}`, 'select')
      .set(result)
      .br(1)
  }

  toInteger({
    above,
    below,
    opcode,
    word,
  }: {
    readonly above: number
    readonly below: number
    readonly opcode: Opcode
    readonly word: boolean
  }): void {
    const code = this.#code
    const { result } = this.#locals
    const x = this.#wide(this.#locals.a)
    const rounded = code.temporary(F64)
    const mode = this.#mode()
    code.get(mode).i32(TOWARDS_ZERO).op('i32GtU').brIf(0)
    this.#requireInexact()
    code.get(x).op('f64Trunc').get(x).op('f64Nearest').get(mode).op('select').tee(rounded)
    code.f64(above).op('f64Gt').get(rounded).f64(below).op('f64Lt', 'i32And', 'i32Eqz').brIf(0)
    code.get(rounded).op(opcode)
    if (word) code.op('i64Extend32S')
    code.set(result)
    code.get(rounded).get(x).op('f64Ne').if().i32(0).i32(2).memory('i32Store', FLOAT).end()
    code.br(1)
  }

  fromInteger({ extend, sign }: { readonly extend: Opcode | undefined; readonly sign: 'S' | 'U' }): void {
    const code = this.#code
    this.#requireMode(0)
    code.get(this.#locals.a)
    if (extend) code.op('i32WrapI64', extend)
    code.op(`${FORMATS[this.#format].prefix}ConvertI64${sign}`)
    this.#give(this.#format)
  }

  /** d to s. */
  narrow(): void {
    const code = this.#code
    this.#requireMode(0)
    const x = this.#number(this.#locals.a, 'd')
    const value = code.temporary(F32)
    code.get(x).op('f32DemoteF64').set(value)
    this.#finish(value, 's', () => code.get(x).f64(0).op('f64Eq'))
  }

  /** s to d: exact. A reserved rounding mode is illegal all the same. */
  widen(): void {
    const code = this.#code
    this.#requireMode(0)
    const x = this.#number(this.#locals.a, 's')
    code.get(x).get(x).op('f32Ne').brIf(0)
    code.get(x).op('f64PromoteF32')
    this.#give('d')
  }

  /** The rounding mode in force, in a local. */
  #mode(): number {
    const code = this.#code
    const { rounding } = this.#locals
    const mode = code.temporary(I32)
    code
      .i32(0)
      .memory('i32Load', FCSR * 4)
      .i32(FRM_SHIFT)
      .op('i32ShrU')
      .i32(DYNAMIC)
      .op('i32And')
    code.get(rounding).get(rounding).i32(DYNAMIC).op('i32Eq', 'select').set(mode)
    return mode
  }

  /** Goes on only with NX set, and in one rounding mode. */
  #requireMode(mode: number): void {
    this.#code.get(this.#mode()).i32(mode).op('i32Ne').brIf(0)
    this.#requireInexact()
  }

  #requireInexact(): void {
    this.#code
      .i32(0)
      .memory('i32Load', FCSR * 4)
      .i32(NX)
      .op('i32And', 'i32Eqz')
      .brIf(0)
  }

  /** A raw operand as a number in a local; a single must be boxed. */
  #number(raw: number, format: FloatFormat): number {
    const code = this.#code
    const value = code.temporary(FORMATS[format].type)
    if (format === 's') {
      code.get(raw).i64(32n).op('i64ShrS').i64(-1n).op('i64Ne').brIf(0)
      code.get(raw).op('i32WrapI64', 'f32ReinterpretI32').set(value)
    } else {
      code.get(raw).op('f64ReinterpretI64').set(value)
    }
    return value
  }

  /** As `number`, of this format, widened to a double. */
  #wide(raw: number): number {
    const number = this.#number(raw, this.#format)
    if (this.#format === 'd') return number
    const code = this.#code
    const value = code.temporary(F64)
    code.get(number).op('f64PromoteF32').set(value)
    return value
  }

  /** Both operands; goes on only if neither is a NaN. */
  #ordered(): [number, number] {
    const code = this.#code
    const { prefix } = FORMATS[this.#format]
    const [x, y] = [this.#number(this.#locals.a, this.#format), this.#number(this.#locals.b, this.#format)]
    code.get(x).get(x).op(`${prefix}Ne`).get(y).get(y).op(`${prefix}Ne`, 'i32Or').brIf(0)
    return [x, y]
  }

  #isZero(value: number): void {
    const code = this.#code
    code.get(value)
    if (this.#format === 's') code.op('f64PromoteF32')
    code.f64(0).op('f64Eq')
  }

  /**
   * Gives the value if it is finite and at least twice the least normal number (one that was tiny before rounding is
   * smaller), or a zero when `exactZero` pushes 1.
   */
  #finish(value: number, format: FloatFormat, exactZero: () => void): void {
    const code = this.#code
    const { fraction, infinite } = FORMATS[format]
    const raw = code.temporary(I64)
    code.get(value)
    if (format === 's') code.op('i32ReinterpretF32', 'i64ExtendI32U')
    else code.op('i64ReinterpretF64')
    code.tee(raw).i64(fraction).op('i64ShrU', 'i32WrapI64').i32(infinite).op('i32And').i32(2).op('i32Sub')
    code
      .i32(infinite - 2)
      .op('i32GeU')
      .if()
    // Not ordinary. A zero has no bit set but its sign.
    code.get(raw).i64(1n).op('i64Shl')
    if (format === 's') code.i64(0xffff_ffffn).op('i64And')
    code.op('i64Eqz')
    exactZero()
    code.op('i32And', 'i32Eqz').brIf(1).end()
    code.get(value)
    this.#give(format)
  }

  /** Makes the number on the stack the result. */
  #give(format: FloatFormat): void {
    const code = this.#code
    if (format === 's')
      code
        .op('i32ReinterpretF32', 'i64ExtendI32U')
        .i64(-1n << 32n)
        .op('i64Or')
    else code.op('i64ReinterpretF64')
    code.set(this.#locals.result).br(1)
  }
}
