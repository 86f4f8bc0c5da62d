/** Compute: a CRC over a block that fits the first-level cache, and a 24 × 24 integer matrix product, over and over. */
import { guestImage } from '../image.ts'
import { paging } from '../paging.ts'
import type { Workload } from '../workload.ts'

const ROUNDS = 40
const BLOCK_BYTES = 4096
const SIZE = 24
/** Bit-reversed polynomial of CRC-32 (IEEE 802.3). */
const POLYNOMIAL = 0xedb88320

const SOURCE = `
start:
    call paging_on
    la s0, block
    li s1, ${BLOCK_BYTES}
    li t0, 12345
1:  sb t0, 0(s0)
    slli t1, t0, 13
    xor t0, t0, t1
    srli t1, t0, 7
    xor t0, t0, t1
    addi s0, s0, 1
    addi s1, s1, -1
    bnez s1, 1b
    mark.start
    li s11, ${ROUNDS}
round:
    # CRC, a bit at a time for the first 256 bytes, a nibble's worth of work for the rest
    la s0, block
    li s1, 256
    li a0, -1
    li a1, ${POLYNOMIAL}
1:  lbu t0, 0(s0)
    xor a0, a0, t0
    li t1, 8
2:  andi t2, a0, 1
    neg t2, t2
    and t2, t2, a1
    srliw a0, a0, 1
    xor a0, a0, t2
    addi t1, t1, -1
    bnez t1, 2b
    addi s0, s0, 1
    addi s1, s1, -1
    bnez s1, 1b
    # matrix product c = a * b, 32-bit elements
    la s0, block
    la s1, product
    li s2, 0
3:  li s3, 0
4:  li s4, ${SIZE}
    li a0, 0
    li t4, ${SIZE * 4}
    mul t0, s2, t4
    add t0, t0, s0
    slli t1, s3, 2
    add t1, t1, s0
5:  lw t2, 0(t0)
    lw t3, 0(t1)
    mulw t2, t2, t3
    addw a0, a0, t2
    addi t0, t0, 4
    addi t1, t1, ${SIZE * 4}
    addi s4, s4, -1
    bnez s4, 5b
    sw a0, 0(s1)
    addi s1, s1, 4
    addi s3, s3, 1
    li t5, ${SIZE}
    blt s3, t5, 4b
    addi s2, s2, 1
    blt s2, t5, 3b
    addi s11, s11, -1
    bnez s11, round
    mark.end
    shutdown
${paging(1)}
    .bss
    .balign 64
block:
    .space ${BLOCK_BYTES}
product:
    .space ${SIZE * SIZE * 4}
`

export const compute: Workload = {
  name: 'compute',
  does: `${ROUNDS} rounds of a CRC and a matrix product that fit the cache`,
  disk: false,
  network: false,
  operations: ROUNDS,
  unit: 'cycles per round',
  image: () => guestImage(SOURCE),
}
