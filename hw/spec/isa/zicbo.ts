/** Zicbom, Zicboz and Zicbop: cache-block management, zeroing and prefetch hints. */
import { rule } from '../sources.ts'
import { instruction, type Meaning } from './language.ts'

const block =
  (operation: 'zero' | 'clean' | 'flush' | 'inval'): Meaning =>
  (m, i) =>
    m.cacheBlock(m.x(i.rs1), operation)
/** A prefetch never traps (cbp_unperm_noexcep), and no cache state is architectural. */
const prefetch: Meaning = () => {}

// biome-ignore format: a table
export const zicbo = [
  instruction('cbo.inval', '0000000 00000 ..... 010 00000 0001111', '(rs1)', rule('cbo-inval_op'), block('inval')),
  instruction('cbo.clean', '0000000 00001 ..... 010 00000 0001111', '(rs1)', rule('cbo-clean_op'), block('clean')),
  instruction('cbo.flush', '0000000 00010 ..... 010 00000 0001111', '(rs1)', rule('cbo-flush_op'), block('flush')),
  instruction('cbo.zero', '0000000 00100 ..... 010 00000 0001111', '(rs1)', rule('cbo-zero_op'), block('zero')),
  instruction('prefetch.i', '....... 00000 ..... 110 00000 0010011', 'imm.p(rs1)', rule('prefetch-i_op'), prefetch),
  instruction('prefetch.r', '....... 00001 ..... 110 00000 0010011', 'imm.p(rs1)', rule('prefetch-r_op'), prefetch),
  instruction('prefetch.w', '....... 00011 ..... 110 00000 0010011', 'imm.p(rs1)', rule('prefetch-w_op'), prefetch),
]
