/** F, single-precision floating point, in registers of 64 bits: values are NaN-boxed. */
import { rule } from '../sources.ts'
import {
  binary,
  classify,
  compare,
  floatStore,
  fromInteger,
  fused,
  minmax,
  toInteger,
  unary,
} from './float-meanings.ts'
import { instruction, type Meaning } from './language.ts'
import type { Binary, Unary } from './meanings.ts'

const box: Unary = (m, a) => m.or(a, m.constant(0xffff_ffff_0000_0000n))
/** The low 32 bits of a well-boxed value, else the canonical NaN. */
const unbox: Unary = (m, a) => {
  const boxed = m.eq(m.sar(a, m.constant(32n)), m.constant(-1n))
  return m.select(boxed, m.zext(a, 32), m.constant(0x7fc0_0000n))
}
const sign: Unary = (m, a) => m.and(a, m.constant(0x8000_0000n))
const magnitude: Unary = (m, a) => m.and(a, m.constant(0x7fff_ffffn))

const injectSign =
  (signOf: Binary): Meaning =>
  (m, i) => {
    m.requireFloat()
    const a = unbox(m, m.f(i.rs1))
    const b = unbox(m, m.f(i.rs2))
    m.setF(i.rd, box(m, m.or(magnitude(m, a), signOf(m, a, b))))
  }
const fsgnj = injectSign((m, _, b) => sign(m, b))
const fsgnjn = injectSign((m, _, b) => sign(m, m.xor(b, m.constant(0x8000_0000n))))
const fsgnjx = injectSign((m, a, b) => sign(m, m.xor(a, b)))

const load: Meaning = (m, i) => {
  m.requireFloat()
  m.setF(i.rd, box(m, m.load(m.add(m.x(i.rs1), i.imm), 4, 'unsigned')))
}

// biome-ignore format: a table
export const f = [
  instruction('flw', '............ ..... 010 ..... 0000111', 'fd, imm.i(rs1)', rule('flw_op'), load),
  instruction('fsw', '....... ..... ..... 010 ..... 0100111', 'fs2, imm.s(rs1)', rule('fsw_op'), floatStore(4)),

  instruction('fmadd.s', '..... 00 ..... ..... ... ..... 1000011', 'fd, fs1, fs2, fs3, rm', rule('fmadd-s_op'),
    fused('fmadd', 's')),
  instruction('fmsub.s', '..... 00 ..... ..... ... ..... 1000111', 'fd, fs1, fs2, fs3, rm', rule('fmsub-s_op'),
    fused('fmsub', 's')),
  instruction('fnmsub.s', '..... 00 ..... ..... ... ..... 1001011', 'fd, fs1, fs2, fs3, rm', rule('fnmsub-s_op'),
    fused('fnmsub', 's')),
  instruction('fnmadd.s', '..... 00 ..... ..... ... ..... 1001111', 'fd, fs1, fs2, fs3, rm', rule('fnmadd-s_op'),
    fused('fnmadd', 's')),
  instruction('fadd.s', '0000000 ..... ..... ... ..... 1010011', 'fd, fs1, fs2, rm', rule('fadd-s_op'),
    binary('add', 's')),
  instruction('fsub.s', '0000100 ..... ..... ... ..... 1010011', 'fd, fs1, fs2, rm', rule('fsub-s_op'),
    binary('sub', 's')),
  instruction('fmul.s', '0001000 ..... ..... ... ..... 1010011', 'fd, fs1, fs2, rm', rule('fmul-s_op'),
    binary('mul', 's')),
  instruction('fdiv.s', '0001100 ..... ..... ... ..... 1010011', 'fd, fs1, fs2, rm', rule('fdiv-s_op'),
    binary('div', 's')),
  instruction('fsqrt.s', '0101100 00000 ..... ... ..... 1010011', 'fd, fs1, rm', rule('fsqrt-s_op'),
    unary('sqrt', 's')),

  instruction('fsgnj.s', '0010000 ..... ..... 000 ..... 1010011', 'fd, fs1, fs2', rule('fsgnj-s_op'), fsgnj),
  instruction('fsgnjn.s', '0010000 ..... ..... 001 ..... 1010011', 'fd, fs1, fs2', rule('fsgnjn-s_op'), fsgnjn),
  instruction('fsgnjx.s', '0010000 ..... ..... 010 ..... 1010011', 'fd, fs1, fs2', rule('fsgnjx-s_op'), fsgnjx),
  instruction('fmin.s', '0010100 ..... ..... 000 ..... 1010011', 'fd, fs1, fs2', rule('fmin-s_op'), minmax('min', 's')),
  instruction('fmax.s', '0010100 ..... ..... 001 ..... 1010011', 'fd, fs1, fs2', rule('fmax-s_op'), minmax('max', 's')),
  instruction('feq.s', '1010000 ..... ..... 010 ..... 1010011', 'rd, fs1, fs2', rule('feq-s_op'), compare('eq', 's')),
  instruction('flt.s', '1010000 ..... ..... 001 ..... 1010011', 'rd, fs1, fs2', rule('flt-s_op'), compare('lt', 's')),
  instruction('fle.s', '1010000 ..... ..... 000 ..... 1010011', 'rd, fs1, fs2', rule('fle-s_op'), compare('le', 's')),
  instruction('fclass.s', '1110000 00000 ..... 001 ..... 1010011', 'rd, fs1', rule('fclass-s_op'), classify('s')),

  instruction('fcvt.w.s', '1100000 00000 ..... ... ..... 1010011', 'rd, fs1, rm', rule('fcvt-w-s_op'),
    toInteger('to-w', 's')),
  instruction('fcvt.wu.s', '1100000 00001 ..... ... ..... 1010011', 'rd, fs1, rm', rule('fcvt-wu-s_op'),
    toInteger('to-wu', 's')),
  instruction('fcvt.l.s', '1100000 00010 ..... ... ..... 1010011', 'rd, fs1, rm', rule('fcvt-l-s_op'),
    toInteger('to-l', 's')),
  instruction('fcvt.lu.s', '1100000 00011 ..... ... ..... 1010011', 'rd, fs1, rm', rule('fcvt-lu-s_op'),
    toInteger('to-lu', 's')),
  instruction('fcvt.s.w', '1101000 00000 ..... ... ..... 1010011', 'fd, rs1, rm', rule('fcvt-s-w_op'),
    fromInteger('from-w', 's')),
  instruction('fcvt.s.wu', '1101000 00001 ..... ... ..... 1010011', 'fd, rs1, rm', rule('fcvt-s-wu_op'),
    fromInteger('from-wu', 's')),
  instruction('fcvt.s.l', '1101000 00010 ..... ... ..... 1010011', 'fd, rs1, rm', rule('fcvt-s-l_op'),
    fromInteger('from-l', 's')),
  instruction('fcvt.s.lu', '1101000 00011 ..... ... ..... 1010011', 'fd, rs1, rm', rule('fcvt-s-lu_op'),
    fromInteger('from-lu', 's')),
  instruction('fmv.x.w', '1110000 00000 ..... 000 ..... 1010011', 'rd, fs1', rule('fmv-x-w_op'), (m, i) => {
    m.requireFloat()
    m.setX(i.rd, m.sext(m.f(i.rs1), 32)) // raw bits: the box is not looked at
  }),
  instruction('fmv.w.x', '1111000 00000 ..... 000 ..... 1010011', 'fd, rs1', rule('fmv-w-x_op'), (m, i) => {
    m.requireFloat()
    m.setF(i.rd, box(m, m.zext(m.x(i.rs1), 32)))
  }),
]
