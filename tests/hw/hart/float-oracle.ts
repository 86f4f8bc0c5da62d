/** Runs floating-point operations as instructions of a hart: QEMU's, as the oracle of soft-float, or ours. */
import type { FloatFormat, FloatOperation } from '../../../hw/spec/isa/semantics.ts'
import { assembleImage, type Run } from '../../conformance/tools.ts'

export interface FloatCase {
  readonly operation: FloatOperation
  readonly format: FloatFormat
  readonly a: bigint
  readonly b: bigint
  readonly c: bigint
  readonly rm: number
}

export interface FloatResult {
  readonly value: bigint
  readonly flags: number
}

const ARITHMETIC: readonly FloatOperation[] = [
  'add',
  'sub',
  'mul',
  'div',
  'sqrt',
  'fmadd',
  'fmsub',
  'fnmadd',
  'fnmsub',
  'min',
  'max',
  'eq',
  'lt',
  'le',
  'classify',
]
const INTEGERS = ['w', 'wu', 'l', 'lu'] as const

/** Each operation's instruction: operands in f0, f1, f2 (integers in t0), result stored from f3 or t1. */
export function instructionOf(operation: FloatOperation, format: FloatFormat): string {
  switch (operation) {
    case 'to-s':
      return 'fcvt.s.d f3, f0'
    case 'to-d':
      return 'fcvt.d.s f3, f0'
    case 'sqrt':
      return `fsqrt.${format} f3, f0`
    case 'classify':
      return `fclass.${format} t1, f0`
    case 'fmadd':
    case 'fmsub':
    case 'fnmadd':
    case 'fnmsub':
      return `${operation}.${format} f3, f0, f1, f2`
    case 'eq':
    case 'lt':
    case 'le':
      return `f${operation}.${format} t1, f0, f1`
    case 'to-w':
    case 'to-wu':
    case 'to-l':
    case 'to-lu':
      return `fcvt.${operation.slice(3)}.${format} t1, f0`
    case 'from-w':
    case 'from-wu':
    case 'from-l':
    case 'from-lu':
      return `fcvt.${format}.${operation.slice(5)} f3, t0`
    default:
      return `f${operation}.${format} f3, f0, f1`
  }
}

/** Every operation in every format. */
export const KINDS: readonly { readonly operation: FloatOperation; readonly format: FloatFormat }[] = [
  ...(['s', 'd'] as const).flatMap(format => [
    ...ARITHMETIC.map(operation => ({ operation, format })),
    ...INTEGERS.flatMap(integer => [
      { operation: `to-${integer}` as const, format },
      { operation: `from-${integer}` as const, format },
    ]),
  ]),
  { operation: 'to-s', format: 'd' },
  { operation: 'to-d', format: 's' },
]

const CASES_AT = 0x10_0000
const CASE_BYTES = 40

/** The values and flags that the hart of `machine` gets, starting from `flags`. */
export function floatOn(machine: (run: Run) => Uint8Array, cases: readonly FloatCase[], flags = 0): FloatResult[] {
  const stubs = KINDS.map(({ operation, format }, index) => {
    const text = instructionOf(operation, format)
    const result = text.includes('f3,') ? '  fmv.x.d t1, f3\n' : ''
    return `stub${index}:\n  ${text}\n${result}  ret\n`
  })
  const code = assembleImage(`
    .globl _start
    _start:
      li t0, 0x6000
      csrs mstatus, t0
      la s0, _start
      li t0, ${CASES_AT}
      add s0, s0, t0
      li s1, ${cases.length}
    next:
      ld t0, 8(s0)
      fld f0, 8(s0)
      fld f1, 16(s0)
      fld f2, 24(s0)
      lhu t2, 2(s0)
      fsrm t2
      csrwi fflags, ${flags}
      lhu t2, 0(s0)
      la t3, table
      slli t2, t2, 3
      add t3, t3, t2
      ld t3, 0(t3)
      jalr t3
      frflags t2
      sd t1, 8(s0)
      sd t2, 16(s0)
      addi s0, s0, ${CASE_BYTES}
      addi s1, s1, -1
      bnez s1, next
      li t0, 0x100000
      li t1, 0x5555
      sw t1, 0(t0)
    stop:
      j stop
    ${stubs.join('')}
    .balign 8
    table: .dword ${KINDS.map((_, index) => `stub${index}`).join(', ')}
  `)
  const bytes = cases.length * CASE_BYTES
  const image = new Uint8Array(CASES_AT + bytes)
  image.set(code)
  const view = new DataView(image.buffer)
  cases.forEach(({ operation, format, a, b, c, rm }, index) => {
    const at = CASES_AT + index * CASE_BYTES
    view.setUint16(
      at,
      KINDS.findIndex(kind => kind.operation === operation && kind.format === format),
      true,
    )
    view.setUint16(at + 2, rm, true)
    view.setBigUint64(at + 8, a, true)
    view.setBigUint64(at + 16, b, true)
    view.setBigUint64(at + 24, c, true)
  })
  const result = machine({ image, resultAt: CASES_AT, resultBytes: bytes })
  const results = new DataView(result.buffer)
  return cases.map((_, index) => ({
    value: results.getBigUint64(index * CASE_BYTES + 8, true),
    flags: Number(results.getBigUint64(index * CASE_BYTES + 16, true)),
  }))
}
