/** Zifencei. The unused fields are reserved and ignored (fence_i_rsv). */
import { rule } from '../sources.ts'
import { instruction } from './language.ts'

// biome-ignore format: a table
export const zifencei = [
  instruction('fence.i', '............ ..... 001 ..... 0001111', '', rule('fence_i_op'),
    (m) => m.perform('fence.i', m.constant(0n), m.constant(0n))),
]
