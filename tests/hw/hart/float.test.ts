import { describe, expect, it } from 'vitest'
import { SoftFloat } from '../../../hw/hart/float/soft-float.ts'
import type { FloatFormat, FloatOperation } from '../../../hw/spec/isa/semantics.ts'
import { runOnOurs } from '../../conformance/ours.ts'
import { missingTools, QEMU, runInQemu } from '../../conformance/tools.ts'
import { floatOn, instructionOf, KINDS, type FloatCase, type FloatResult } from './float-oracle.ts'

const NX = 1,
  UF = 2,
  OF = 4,
  DZ = 8,
  NV = 16
const BOX = 0xffff_ffff_0000_0000n
const s = (bits: number) => BOX | BigInt(bits >>> 0)
const d = (value: number) => new BigUint64Array(new Float64Array([value]).buffer)[0] ?? 0n

function execute(operation: FloatOperation, format: FloatFormat, a: bigint, b = 0n, c = 0n, rm = 0): [bigint, number] {
  const float = new SoftFloat()
  return [float.execute(operation, format, a, b, c, rm), float.flags]
}

describe('soft-float', () => {
  it('counts an improperly boxed single as the canonical NaN, and boxes its results', () => {
    expect(execute('add', 's', 0x3f80_0000n, s(0x3f80_0000))).toEqual([s(0x7fc0_0000), 0])
    expect(execute('add', 's', s(0x3f80_0000), s(0x3f80_0000))).toEqual([s(0x4000_0000), 0])
    expect(execute('to-d', 's', 0x3f80_0000n)).toEqual([0x7ff8_0000_0000_0000n, 0])
  })

  it('answers every NaN with the canonical NaN; only signaling ones are invalid', () => {
    expect(execute('add', 'd', 0x7ff8_dead_0000_0000n, d(1))).toEqual([0x7ff8_0000_0000_0000n, 0])
    expect(execute('mul', 'd', d(1), 0xfff0_0000_0000_0001n)).toEqual([0x7ff8_0000_0000_0000n, NV])
    expect(execute('fmadd', 'd', d(Infinity), 0n, 0x7ff8_0000_0000_0000n)).toEqual([0x7ff8_0000_0000_0000n, NV])
  })

  it('detects tininess after rounding', () => {
    expect(execute('mul', 's', s(0x0080_0000), s(0x3f7f_ffff))).toEqual([s(0x0080_0000), UF | NX])
    expect(execute('fmadd', 's', s(0x0080_0000), s(0x3f80_0000), s(0x8000_0001))).toEqual([s(0x007f_ffff), 0])
    // In 24 bits without a bound on the exponent, the first rounds to the smallest normal number: not tiny.
    expect(execute('to-s', 'd', 0x380f_ffff_f800_0000n)).toEqual([s(0x0080_0000), NX])
    expect(execute('to-s', 'd', 0x380f_ffff_e800_0000n)).toEqual([s(0x0080_0000), UF | NX])
  })

  it('overflows to infinity or to the largest number, as the rounding mode says', () => {
    const largest = 0x7fef_ffff_ffff_ffffn
    const results = [0, 1, 2, 3, 4].map(rm => execute('add', 'd', largest, largest, 0n, rm)[0])
    expect(results).toEqual([d(Infinity), largest, largest, d(Infinity), d(Infinity)])
    expect(execute('add', 'd', largest, largest)[1]).toBe(OF | NX)
    expect(execute('div', 'd', d(1), d(-0))).toEqual([d(-Infinity), DZ])
  })

  it('takes a number over a NaN in min and max, and -0 as less than +0', () => {
    expect(execute('min', 'd', 0x7ff0_0000_0000_0001n, d(3))).toEqual([d(3), NV])
    expect(execute('max', 'd', d(3), 0x7ff8_0000_0000_0000n)).toEqual([d(3), 0])
    expect(execute('min', 'd', d(0), d(-0))[0]).toBe(d(-0))
    expect(execute('max', 'd', d(-0), d(0))[0]).toBe(d(0))
  })

  it('saturates conversions to integers as invalid, not inexact, and sign-extends words', () => {
    expect(execute('to-w', 'd', d(2 ** 31))).toEqual([0x7fff_ffffn, NV])
    expect(execute('to-wu', 'd', d(2 ** 33))).toEqual([0xffff_ffff_ffff_ffffn, NV])
    expect(execute('to-lu', 'd', d(-0.75), 0n, 0n, 1)).toEqual([0n, NX])
    expect(execute('to-lu', 'd', d(-0.75))).toEqual([0n, NV])
    expect(execute('to-l', 's', s(0x7fc0_0000))).toEqual([0x7fff_ffff_ffff_ffffn, NV])
    expect(execute('to-w', 'd', d(-2147483648.5), 0n, 0n, 4)).toEqual([0xffff_ffff_8000_0000n, NV])
  })
})

const CORNERS_D = [
  0n,
  1n,
  0x000f_ffff_ffff_ffffn,
  0x0010_0000_0000_0000n,
  0x0010_0000_0000_0001n,
  0x3ca0_0000_0000_0000n,
  0x3cb0_0000_0000_0001n,
  0x36a0_0000_0000_0000n,
  0x3810_0000_0000_0000n,
  0x380f_ffff_ffff_ffffn,
  0x47ef_ffff_e000_0000n,
  0x47ef_ffff_f000_0000n,
  0x3fe0_0000_0000_0000n,
  0x3fef_ffff_ffff_ffffn,
  0x3ff0_0000_0000_0000n,
  0x3ff0_0000_0000_0001n,
  0x3ff8_0000_0000_0000n,
  0x4004_0000_0000_0000n,
  0x41df_ffff_ffc0_0000n,
  0x41e0_0000_0000_0000n,
  0x41ef_ffff_ffe0_0000n,
  0x41f0_0000_0000_0000n,
  0x43df_ffff_ffff_ffffn,
  0x43e0_0000_0000_0000n,
  0x43ef_ffff_ffff_ffffn,
  0x43f0_0000_0000_0000n,
  0x7fef_ffff_ffff_ffffn,
  0x7ff0_0000_0000_0000n,
  0x7ff0_0000_0000_0001n,
  0x7ff8_0000_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
]
const CORNERS_S = [
  0, 1, 0x007f_ffff, 0x0080_0000, 0x0080_0001, 0x3300_0000, 0x3380_0001, 0x3f00_0000, 0x3f7f_ffff, 0x3f80_0000,
  0x3f80_0001, 0x3fc0_0000, 0x4020_0000, 0x4eff_ffff, 0x4f00_0000, 0x4f7f_ffff, 0x4f80_0000, 0x5eff_ffff, 0x5f00_0000,
  0x5f7f_ffff, 0x5f80_0000, 0x7f7f_ffff, 0x7f80_0000, 0x7f80_0001, 0x7fc0_0000, 0x7fff_ffff,
]

/** xorshift64: reproducible operands. */
function generator(seed: bigint): () => bigint {
  let state = seed
  return () => {
    state ^= BigInt.asUintN(64, state << 13n)
    state ^= state >> 7n
    state ^= BigInt.asUintN(64, state << 17n)
    return state
  }
}

function operand(format: FloatFormat, next: () => bigint): bigint {
  const choice = next()
  const negative = (choice & 1n) === 1n
  const kind = Number((choice >> 1n) & 7n)
  const random = next()
  if (format === 'd') {
    const sign = negative ? 1n << 63n : 0n
    const corner = CORNERS_D[Number(random % BigInt(CORNERS_D.length))] ?? 0n
    if (kind < 3) return sign | corner
    if (kind < 5) return (sign | corner) ^ (next() & 3n)
    // Exponents near each other make sums cancel and round.
    if (kind < 7) return sign | ((1015n + (next() & 15n)) << 52n) | (random & 0xf_ffff_ffff_ffffn)
    return random
  }
  const sign = negative ? 0x8000_0000 : 0
  const corner = CORNERS_S[Number(random % BigInt(CORNERS_S.length))] ?? 0
  if (kind < 3) return s(sign | corner)
  if (kind < 5) return s(sign | (corner ^ Number(next() & 3n)))
  if (kind < 7) return s(sign | ((119 + Number(next() & 15n)) << 23) | Number(random & 0x7f_ffffn))
  return (random & 0xffff_ffffn) | ((choice & 0x70n) === 0n ? 0n : BOX)
}

function generate(count: number, seed: bigint): FloatCase[] {
  const next = generator(seed)
  return Array.from({ length: count }, (_, index) => {
    const { operation, format } = KINDS[index % KINDS.length] ?? { operation: 'add', format: 'd' }
    const integer = operation.startsWith('from-')
    const a = integer ? BigInt.asUintN(64, BigInt.asIntN(64, next()) >> (next() & 63n)) : operand(format, next)
    return { operation, format, a, b: operand(format, next), c: operand(format, next), rm: Number(next() % 5n) }
  })
}

/** Where a hart's results are not soft-float's; its flags began as `before`. */
function departures(cases: readonly FloatCase[], results: readonly FloatResult[], before = 0): string[] {
  const float = new SoftFloat()
  const hex = (bits: bigint) => bits.toString(16).padStart(16, '0')
  return cases.flatMap(({ operation, format, a, b, c, rm }, index) => {
    const value = float.execute(operation, format, a, b, c, rm)
    const flags = float.flags | before
    const got = results[index]
    if (got?.value === value && got.flags === flags) return []
    const operands = `rm ${rm} of ${hex(a)} ${hex(b)} ${hex(c)}`
    return [
      `${instructionOf(operation, format)} ${operands}: ${hex(value)} flags ${flags}, the hart ${got ? hex(got.value) : '?'} flags ${got?.flags}`,
    ]
  })
}

const count = Number(process.env['BAREHART_FLOAT_CASES'] ?? 60_000)
const seed = BigInt(process.env['BAREHART_FLOAT_SEED'] ?? 0x9e37_79b9_7f4a_7c15n)

describe('soft-float and tier 0', () => {
  it('agree, also where tier 0 computes natively: rounding to nearest with NX set', { timeout: 120_000 }, () => {
    const cases = generate(count / 2, seed).map(one => ({ ...one, rm: one.rm > 1 ? 0 : one.rm }))
    expect(
      departures(
        cases,
        floatOn(run => runOnOurs('tier0', run), cases, NX),
        NX,
      ).slice(0, 10),
    ).toEqual([])
  })
})

const missing = missingTools(QEMU)
describe.skipIf(missing.length > 0)(
  `soft-float against ${QEMU}${missing.length > 0 ? ` (missing: ${missing.join(', ')})` : ''}`,
  () => {
    it(`agrees in value and flags on ${count} generated cases`, { timeout: 120_000 }, () => {
      const cases = generate(count, seed)
      expect(
        departures(
          cases,
          floatOn(run => runInQemu(run, 'rv64'), cases),
        ).slice(0, 10),
      ).toEqual([])
    })
  },
)
