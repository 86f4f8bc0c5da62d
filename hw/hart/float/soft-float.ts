/** The reference for every floating-point instruction: IEEE 754-2019 binary32 and binary64 as the F and D extensions want them. */
import type { FloatFormat, FloatOperation } from '../../spec/isa/semantics.ts'
import { add, divide, multiply, multiplyAdd, squareRoot } from './arithmetic.ts'
import { classify, equal, extreme, less } from './compare.ts'
import { convert, fromInteger, toInteger } from './convert.ts'
import { FORMATS, type Exceptions } from './format.ts'

const BOX = 0xffff_ffff_0000_0000n

/** The value of a register read as format `s`: an improper box counts as the canonical NaN. */
function unbox(register: bigint): bigint {
  return (register & BOX) === BOX ? register & 0xffff_ffffn : FORMATS.s.canonicalNan
}

export class SoftFloat implements Exceptions {
  /** fflags raised by the last operation. */
  flags = 0

  /**
   * Executes on raw 64-bit register values (signed or not) and returns raw 64 bits, unsigned. `format` is that of the
   * floating-point operands (of the result, for conversions from integers); `to-s` always takes format d and `to-d`
   * always format s, whatever is given. Integer results are sign-extended from their width. `rm` is a resolved
   * rounding mode, 0 to 4.
   */
  execute(operation: FloatOperation, format: FloatFormat, a: bigint, b: bigint, c: bigint, rm: number): bigint {
    this.flags = 0
    const ua = BigInt.asUintN(64, a)
    switch (operation) {
      case 'to-s':
        return BOX | convert(FORMATS.d, FORMATS.s, this, ua, rm)
      case 'to-d':
        return convert(FORMATS.s, FORMATS.d, this, unbox(ua), rm)
      case 'from-w':
        return this.#box(format, fromInteger(FORMATS[format], this, BigInt.asIntN(32, a), rm))
      case 'from-wu':
        return this.#box(format, fromInteger(FORMATS[format], this, BigInt.asUintN(32, a), rm))
      case 'from-l':
        return this.#box(format, fromInteger(FORMATS[format], this, BigInt.asIntN(64, a), rm))
      case 'from-lu':
        return this.#box(format, fromInteger(FORMATS[format], this, ua, rm))
    }
    const single = format === 's'
    const ub = BigInt.asUintN(64, b)
    const uc = BigInt.asUintN(64, c)
    return this.#operate(
      operation,
      format,
      single ? unbox(ua) : ua,
      single ? unbox(ub) : ub,
      single ? unbox(uc) : uc,
      rm,
    )
  }

  #operate(
    operation: Exclude<FloatOperation, 'to-s' | 'to-d' | `from-${string}`>,
    format: FloatFormat,
    a: bigint,
    b: bigint,
    c: bigint,
    rm: number,
  ): bigint {
    const f = FORMATS[format]
    const { sign } = f
    switch (operation) {
      case 'add':
        return this.#box(format, add(f, this, a, b, rm))
      case 'sub':
        return this.#box(format, add(f, this, a, b ^ sign, rm))
      case 'mul':
        return this.#box(format, multiply(f, this, a, b, rm))
      case 'div':
        return this.#box(format, divide(f, this, a, b, rm))
      case 'sqrt':
        return this.#box(format, squareRoot(f, this, a, rm))
      case 'fmadd':
        return this.#box(format, multiplyAdd(f, this, a, b, c, rm))
      case 'fmsub':
        return this.#box(format, multiplyAdd(f, this, a, b, c ^ sign, rm))
      case 'fnmsub':
        return this.#box(format, multiplyAdd(f, this, a ^ sign, b, c, rm))
      case 'fnmadd':
        return this.#box(format, multiplyAdd(f, this, a ^ sign, b, c ^ sign, rm))
      case 'min':
        return this.#box(format, extreme(f, this, a, b, 'min'))
      case 'max':
        return this.#box(format, extreme(f, this, a, b, 'max'))
      case 'eq':
        return equal(f, this, a, b)
      case 'lt':
        return less(f, this, a, b, false)
      case 'le':
        return less(f, this, a, b, true)
      case 'classify':
        return classify(f, a)
      case 'to-w':
        return BigInt.asUintN(64, toInteger(f, this, a, 32, true, rm))
      case 'to-wu':
        return BigInt.asUintN(64, BigInt.asIntN(32, toInteger(f, this, a, 32, false, rm)))
      case 'to-l':
        return BigInt.asUintN(64, toInteger(f, this, a, 64, true, rm))
      case 'to-lu':
        return toInteger(f, this, a, 64, false, rm)
    }
  }

  #box(format: FloatFormat, bits: bigint): bigint {
    return format === 's' ? BOX | bits : bits
  }
}
