/** H: a hypervisor's loads and stores of guest memory, and its fences. */
import { rule } from '../sources.ts'
import { instruction, type Meaning } from './language.ts'

const load =
  (bytes: 1 | 2 | 4 | 8, sign: 'signed' | 'unsigned'): Meaning =>
  (m, i) =>
    m.setX(i.rd, m.guestLoad(m.x(i.rs1), bytes, sign, false))
/** HLVX needs execute permission in place of read permission. */
const loadExecutable =
  (bytes: 2 | 4): Meaning =>
  (m, i) =>
    m.setX(i.rd, m.guestLoad(m.x(i.rs1), bytes, 'unsigned', true))
const store =
  (bytes: 1 | 2 | 4 | 8): Meaning =>
  (m, i) =>
    m.guestStore(m.x(i.rs1), bytes, m.x(i.rs2))

// biome-ignore format: a table
export const h = [
  instruction('hlv.b', '0110000 00000 ..... 100 ..... 1110011', 'rd, (rs1)', rule('hlsv_op'), load(1, 'signed')),
  instruction('hlv.bu', '0110000 00001 ..... 100 ..... 1110011', 'rd, (rs1)', rule('hlsv_u_op'), load(1, 'unsigned')),
  instruction('hlv.h', '0110010 00000 ..... 100 ..... 1110011', 'rd, (rs1)', rule('hlsv_op'), load(2, 'signed')),
  instruction('hlv.hu', '0110010 00001 ..... 100 ..... 1110011', 'rd, (rs1)', rule('hlsv_u_op'), load(2, 'unsigned')),
  instruction('hlv.w', '0110100 00000 ..... 100 ..... 1110011', 'rd, (rs1)', rule('hlsv_op'), load(4, 'signed')),
  instruction('hlv.wu', '0110100 00001 ..... 100 ..... 1110011', 'rd, (rs1)', rule('hlsv_u_op'), load(4, 'unsigned')),
  instruction('hlv.d', '0110110 00000 ..... 100 ..... 1110011', 'rd, (rs1)', rule('hlsv_op'), load(8, 'signed')),
  instruction('hlvx.hu', '0110010 00011 ..... 100 ..... 1110011', 'rd, (rs1)', rule('hlsv_u_op'), loadExecutable(2)),
  instruction('hlvx.wu', '0110100 00011 ..... 100 ..... 1110011', 'rd, (rs1)', rule('hlvx-wu_valid32'),
    loadExecutable(4)),
  instruction('hsv.b', '0110001 ..... ..... 100 00000 1110011', 'rs2, (rs1)', rule('hlsv_op'), store(1)),
  instruction('hsv.h', '0110011 ..... ..... 100 00000 1110011', 'rs2, (rs1)', rule('hlsv_op'), store(2)),
  instruction('hsv.w', '0110101 ..... ..... 100 00000 1110011', 'rs2, (rs1)', rule('hlsv_op'), store(4)),
  instruction('hsv.d', '0110111 ..... ..... 100 00000 1110011', 'rs2, (rs1)', rule('hlsv_op'), store(8)),

  instruction('hfence.vvma', '0010001 ..... ..... 000 00000 1110011', 'rs1, rs2', rule('hfence-vvma_hfence-gvma_op'),
    (m, i) => m.perform('hfence.vvma', m.x(i.rs1), m.x(i.rs2))),
  instruction('hfence.gvma', '0110001 ..... ..... 000 00000 1110011', 'rs1, rs2', rule('hfence-gvma_op'),
    (m, i) => m.perform('hfence.gvma', m.x(i.rs1), m.x(i.rs2))),
]
