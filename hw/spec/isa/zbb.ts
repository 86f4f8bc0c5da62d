/** Zbb, basic bit manipulation. */
import { rule } from '../sources.ts'
import { instruction } from './language.ts'
import { immediate, invert, low5, register, registers, type Binary, type Unary } from './meanings.ts'

const rolw: Binary = (m, a, b) => {
  const word = m.zext(a, 32)
  const amount = low5(m, b)
  return m.sext(m.or(m.shl(word, amount), m.shr(word, m.sub(m.constant(32n), amount))), 32)
}
const rorw: Binary = (m, a, b) => {
  const word = m.zext(a, 32)
  const amount = low5(m, b)
  return m.sext(m.or(m.shr(word, amount), m.shl(word, m.sub(m.constant(32n), amount))), 32)
}

/** 0xff for every byte that is not zero: its bits are gathered in bit 0, then multiplied out. */
const orCombine: Unary = (m, a) => {
  let gathered = a
  for (const amount of [4n, 2n, 1n]) gathered = m.or(gathered, m.shr(gathered, m.constant(amount)))
  return m.mul(m.and(gathered, m.constant(0x0101_0101_0101_0101n)), m.constant(0xffn))
}

/** Swaps neighbouring bytes, then halves, then words. */
const reverseBytes: Unary = (m, a) => {
  let value = a
  for (const [amount, mask] of [
    [8n, 0x00ff_00ff_00ff_00ffn],
    [16n, 0x0000_ffff_0000_ffffn],
  ] as const) {
    const low = m.shl(m.and(value, m.constant(mask)), m.constant(amount))
    value = m.or(low, m.and(m.shr(value, m.constant(amount)), m.constant(mask)))
  }
  return m.rol(value, m.constant(32n))
}

// biome-ignore format: a table
export const zbb = [
  instruction('andn', '0100000 ..... ..... 111 ..... 0110011', 'rd, rs1, rs2', rule('andn_op'),
    registers((m, a, b) => m.and(a, invert(m, b)))),
  instruction('orn', '0100000 ..... ..... 110 ..... 0110011', 'rd, rs1, rs2', rule('orn_op'),
    registers((m, a, b) => m.or(a, invert(m, b)))),
  instruction('xnor', '0100000 ..... ..... 100 ..... 0110011', 'rd, rs1, rs2', rule('xnor_op'),
    registers((m, a, b) => invert(m, m.xor(a, b)))),
  instruction('max', '0000101 ..... ..... 110 ..... 0110011', 'rd, rs1, rs2', rule('max_op'),
    registers((m, a, b) => m.select(m.lt(a, b), b, a))),
  instruction('maxu', '0000101 ..... ..... 111 ..... 0110011', 'rd, rs1, rs2', rule('maxu_op'),
    registers((m, a, b) => m.select(m.ltu(a, b), b, a))),
  instruction('min', '0000101 ..... ..... 100 ..... 0110011', 'rd, rs1, rs2', rule('min_op'),
    registers((m, a, b) => m.select(m.lt(a, b), a, b))),
  instruction('minu', '0000101 ..... ..... 101 ..... 0110011', 'rd, rs1, rs2', rule('minu_op'),
    registers((m, a, b) => m.select(m.ltu(a, b), a, b))),

  instruction('clz', '0110000 00000 ..... 001 ..... 0010011', 'rd, rs1', rule('clz_op'),
    register((m, a) => m.clz(a, 64))),
  instruction('ctz', '0110000 00001 ..... 001 ..... 0010011', 'rd, rs1', rule('ctz_op'),
    register((m, a) => m.ctz(a, 64))),
  instruction('cpop', '0110000 00010 ..... 001 ..... 0010011', 'rd, rs1', rule('cpop_op'),
    register((m, a) => m.popcount(a, 64))),
  instruction('clzw', '0110000 00000 ..... 001 ..... 0011011', 'rd, rs1', rule('clzw_op'),
    register((m, a) => m.clz(a, 32))),
  instruction('ctzw', '0110000 00001 ..... 001 ..... 0011011', 'rd, rs1', rule('ctzw_op'),
    register((m, a) => m.ctz(a, 32))),
  instruction('cpopw', '0110000 00010 ..... 001 ..... 0011011', 'rd, rs1', rule('cpopw_op'),
    register((m, a) => m.popcount(a, 32))),
  instruction('sext.b', '0110000 00100 ..... 001 ..... 0010011', 'rd, rs1', rule('sext_b_op'),
    register((m, a) => m.sext(a, 8))),
  instruction('sext.h', '0110000 00101 ..... 001 ..... 0010011', 'rd, rs1', rule('sext_h_op'),
    register((m, a) => m.sext(a, 16))),
  instruction('zext.h', '0000100 00000 ..... 100 ..... 0111011', 'rd, rs1', rule('zext_h_op'),
    register((m, a) => m.zext(a, 16))),
  instruction('orc.b', '0010100 00111 ..... 101 ..... 0010011', 'rd, rs1', rule('orc_b_op'), register(orCombine)),
  instruction('rev8', '0110101 11000 ..... 101 ..... 0010011', 'rd, rs1', rule('rev8_op'), register(reverseBytes)),

  instruction('rol', '0110000 ..... ..... 001 ..... 0110011', 'rd, rs1, rs2', rule('rol_op'),
    registers((m, a, b) => m.rol(a, b))),
  instruction('ror', '0110000 ..... ..... 101 ..... 0110011', 'rd, rs1, rs2', rule('ror_op'),
    registers((m, a, b) => m.ror(a, b))),
  instruction('rori', '011000 ...... ..... 101 ..... 0010011', 'rd, rs1, shamt', rule('rori_op'),
    immediate((m, a, b) => m.ror(a, b))),
  instruction('rolw', '0110000 ..... ..... 001 ..... 0111011', 'rd, rs1, rs2', rule('rolw_op'), registers(rolw)),
  instruction('rorw', '0110000 ..... ..... 101 ..... 0111011', 'rd, rs1, rs2', rule('rorw_op'), registers(rorw)),
  instruction('roriw', '0110000 ..... ..... 101 ..... 0011011', 'rd, rs1, shamt5', rule('roriw_op'), immediate(rorw)),
]
