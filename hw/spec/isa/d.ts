/** D, double-precision floating point. */
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

const SIGN = 1n << 63n
const sign: Unary = (m, a) => m.and(a, m.constant(SIGN))
const magnitude: Unary = (m, a) => m.and(a, m.constant(SIGN - 1n))

const injectSign =
  (signOf: Binary): Meaning =>
  (m, i) => {
    m.requireFloat()
    const a = m.f(i.rs1)
    const b = m.f(i.rs2)
    m.setF(i.rd, m.or(magnitude(m, a), signOf(m, a, b)))
  }
const fsgnj = injectSign((m, _, b) => sign(m, b))
const fsgnjn = injectSign((m, _, b) => sign(m, m.xor(b, m.constant(SIGN))))
const fsgnjx = injectSign((m, a, b) => sign(m, m.xor(a, b)))

const load: Meaning = (m, i) => {
  m.requireFloat()
  m.setF(i.rd, m.load(m.add(m.x(i.rs1), i.imm), 8, 'unsigned'))
}

// biome-ignore format: a table
export const d = [
  instruction('fld', '............ ..... 011 ..... 0000111', 'fd, imm.i(rs1)', rule('fld_op'), load),
  instruction('fsd', '....... ..... ..... 011 ..... 0100111', 'fs2, imm.s(rs1)', rule('fsd_op'), floatStore(8)),

  instruction('fmadd.d', '..... 01 ..... ..... ... ..... 1000011', 'fd, fs1, fs2, fs3, rm', rule('fmadd-d_op'),
    fused('fmadd', 'd')),
  instruction('fmsub.d', '..... 01 ..... ..... ... ..... 1000111', 'fd, fs1, fs2, fs3, rm', rule('fmsub-d_op'),
    fused('fmsub', 'd')),
  instruction('fnmsub.d', '..... 01 ..... ..... ... ..... 1001011', 'fd, fs1, fs2, fs3, rm', rule('fnmsub-d_op'),
    fused('fnmsub', 'd')),
  instruction('fnmadd.d', '..... 01 ..... ..... ... ..... 1001111', 'fd, fs1, fs2, fs3, rm', rule('fnmadd-d_op'),
    fused('fnmadd', 'd')),
  instruction('fadd.d', '0000001 ..... ..... ... ..... 1010011', 'fd, fs1, fs2, rm', rule('fadd-d_op'),
    binary('add', 'd')),
  instruction('fsub.d', '0000101 ..... ..... ... ..... 1010011', 'fd, fs1, fs2, rm', rule('fsub-d_op'),
    binary('sub', 'd')),
  instruction('fmul.d', '0001001 ..... ..... ... ..... 1010011', 'fd, fs1, fs2, rm', rule('fmul-d_op'),
    binary('mul', 'd')),
  instruction('fdiv.d', '0001101 ..... ..... ... ..... 1010011', 'fd, fs1, fs2, rm', rule('fdiv-d_op'),
    binary('div', 'd')),
  instruction('fsqrt.d', '0101101 00000 ..... ... ..... 1010011', 'fd, fs1, rm', rule('fsqrt-d_op'),
    unary('sqrt', 'd')),

  instruction('fsgnj.d', '0010001 ..... ..... 000 ..... 1010011', 'fd, fs1, fs2', rule('fsgnj-d_op'), fsgnj),
  instruction('fsgnjn.d', '0010001 ..... ..... 001 ..... 1010011', 'fd, fs1, fs2', rule('fsgnjn-d_op'), fsgnjn),
  instruction('fsgnjx.d', '0010001 ..... ..... 010 ..... 1010011', 'fd, fs1, fs2', rule('fsgnjx-d_op'), fsgnjx),
  instruction('fmin.d', '0010101 ..... ..... 000 ..... 1010011', 'fd, fs1, fs2', rule('fmin-s_op'), minmax('min', 'd')),
  instruction('fmax.d', '0010101 ..... ..... 001 ..... 1010011', 'fd, fs1, fs2', rule('fmax-s_op'), minmax('max', 'd')),
  instruction('feq.d', '1010001 ..... ..... 010 ..... 1010011', 'rd, fs1, fs2', rule('feq-d_op'), compare('eq', 'd')),
  instruction('flt.d', '1010001 ..... ..... 001 ..... 1010011', 'rd, fs1, fs2', rule('flt-d_op'), compare('lt', 'd')),
  instruction('fle.d', '1010001 ..... ..... 000 ..... 1010011', 'rd, fs1, fs2', rule('fle-d_op'), compare('le', 'd')),
  instruction('fclass.d', '1110001 00000 ..... 001 ..... 1010011', 'rd, fs1', rule('fclass-d_op'), classify('d')),

  instruction('fcvt.w.d', '1100001 00000 ..... ... ..... 1010011', 'rd, fs1, rm', rule('fcvt-w-d_op'),
    toInteger('to-w', 'd')),
  instruction('fcvt.wu.d', '1100001 00001 ..... ... ..... 1010011', 'rd, fs1, rm', rule('fcvt-wu-d_op'),
    toInteger('to-wu', 'd')),
  instruction('fcvt.l.d', '1100001 00010 ..... ... ..... 1010011', 'rd, fs1, rm', rule('fcvt-l-d_op'),
    toInteger('to-l', 'd')),
  instruction('fcvt.lu.d', '1100001 00011 ..... ... ..... 1010011', 'rd, fs1, rm', rule('fcvt-lu-d_op'),
    toInteger('to-lu', 'd')),
  instruction('fcvt.d.w', '1101001 00000 ..... ... ..... 1010011', 'fd, rs1, rm', rule('fcvt-d-w_op'),
    fromInteger('from-w', 'd')),
  instruction('fcvt.d.wu', '1101001 00001 ..... ... ..... 1010011', 'fd, rs1, rm', rule('fcvt-d-wu_op'),
    fromInteger('from-wu', 'd')),
  instruction('fcvt.d.l', '1101001 00010 ..... ... ..... 1010011', 'fd, rs1, rm', rule('fcvt-d-l_op'),
    fromInteger('from-l', 'd')),
  instruction('fcvt.d.lu', '1101001 00011 ..... ... ..... 1010011', 'fd, rs1, rm', rule('fcvt-d-lu_op'),
    fromInteger('from-lu', 'd')),
  instruction('fcvt.s.d', '0100000 00001 ..... ... ..... 1010011', 'fd, fs1, rm', rule('fcvt-s-d_op'),
    unary('to-s', 'd')),
  instruction('fcvt.d.s', '0100001 00000 ..... ... ..... 1010011', 'fd, fs1, rm', rule('fcvt-d-s_op'),
    unary('to-d', 's')),
  instruction('fmv.x.d', '1110001 00000 ..... 000 ..... 1010011', 'rd, fs1', rule('fmv-x-d_op'), (m, i) => {
    m.requireFloat()
    m.setX(i.rd, m.f(i.rs1))
  }),
  instruction('fmv.d.x', '1111001 00000 ..... 000 ..... 1010011', 'fd, rs1', rule('fmv-d-x_op'), (m, i) => {
    m.requireFloat()
    m.setF(i.rd, m.x(i.rs1))
  }),
]
