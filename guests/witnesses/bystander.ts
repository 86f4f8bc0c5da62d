/**
 * A guest that has nothing to do with any device: it works on its memory, round after round, and a mark ends each. It
 * comes to an end some rounds after somebody outside of the machine has said so, in its memory. What it says when it switches itself off depends on every word that it has read.
 */
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { GUEST_MAP } from '../../hw/spec/guest-map.ts'
import { guestImage } from '../image.ts'
import { outcomeMark } from './marks.ts'

/** A power of two. */
const BLOCK_BYTES = 0x1_0000

/** Guest number `guest`; rounds over its block, each of about 90,000 instructions: so many from when its word `last` is not 0 any more. */
export function bystander(guest: number, rounds: number): Program {
  return guestImage(`
start:
    la s0, block
    li s1, ${BLOCK_BYTES / 8}
    li t0, 88172645463325252
    mv t1, s0
1:  slli t2, t0, 13
    xor t0, t0, t2
    srli t2, t0, 7
    xor t0, t0, t2
    sd t0, 0(t1)
    addi t1, t1, 8
    addi s1, s1, -1
    bnez s1, 1b
    mark.start
    li s2, ${rounds}
    li s3, 0
    li s4, ${outcomeMark(guest, 'good')}
round:
    mark.begin s4
    mv t1, s0
    li s1, ${BLOCK_BYTES / 8}
2:  ld t0, 0(t1)
    slli t2, s3, 5
    srli t3, s3, 59
    or s3, t2, t3
    xor s3, s3, t0
    add t0, t0, s3
    sd t0, 0(t1)
    addi t1, t1, 8
    addi s1, s1, -1
    bnez s1, 2b
    mark.finish s4
    la t1, last
    ld t0, 0(t1)
    beqz t0, round
    addi s2, s2, -1
    bnez s2, round
    mark.end
    # the sum of its halves, as the code with which it fails: 16 bits
    srli t0, s3, 32
    xor s3, s3, t0
    srli t0, s3, 16
    xor s3, s3, t0
    slliw s3, s3, 16
    li t0, 0x3333
    or s3, s3, t0
    li t1, ${GUEST_MAP.finisher.base}
    sw s3, 0(t1)
1:  j 1b
    .bss
    .balign 4096
block:
    .space ${BLOCK_BYTES}
last:
    .space 8
`)
}
