/** The programs that are measured: endless loops over memory from `data` on, which the harness maps. */

export interface Kernel {
  readonly name: string
  readonly what: string
  readonly source: string
}

export const KERNELS: readonly Kernel[] = [
  {
    name: 'list',
    what: 'walk of a linked list of 20,000 nodes',
    source: `
      li s0, DATA
      li t0, 20000
      mv t1, s0
    build:
      addi t2, t1, 16
      sd t2, 0(t1)
      sd t0, 8(t1)
      mv t1, t2
      addi t0, t0, -1
      bnez t0, build
      sd zero, -16(t1)
    again:
      mv a0, s0
      li a1, 0
    walk:
      ld a2, 8(a0)
      ld a0, 0(a0)
      add a1, a1, a2
      bnez a0, walk
      j again`,
  },
  {
    name: 'sort',
    what: 'recursive quicksort of 20,000 pseudo-random numbers',
    source: `
      li sp, STACK
    again:
      li a0, DATA
      li t0, 20000
      li t3, 1103515245
      mv t2, a0
    random:
      mulw t1, t1, t3
      addiw t1, t1, 1234
      srli t4, t1, 8
      sd t4, 0(t2)
      addi t2, t2, 8
      addi t0, t0, -1
      bnez t0, random
      addi a1, t2, -8
      call quicksort
      j again
    quicksort:
      bgeu a0, a1, sorted
      addi sp, sp, -32
      sd ra, 0(sp)
      sd s0, 8(sp)
      sd s1, 16(sp)
      mv t0, a0
      mv t1, a1
      add t2, a0, a1
      srli t2, t2, 1
      andi t2, t2, -8
      ld t2, 0(t2)
    up:
      ld t3, 0(t0)
      bgeu t3, t2, down
      addi t0, t0, 8
      j up
    down:
      ld t4, 0(t1)
      bgeu t2, t4, swap
      addi t1, t1, -8
      j down
    swap:
      bltu t1, t0, split
      sd t4, 0(t0)
      sd t3, 0(t1)
      addi t0, t0, 8
      addi t1, t1, -8
      bgeu t1, t0, up
    split:
      mv s0, t0
      mv s1, a1
      mv a1, t1
      call quicksort
      mv a0, s0
      mv a1, s1
      call quicksort
      ld ra, 0(sp)
      ld s0, 8(sp)
      ld s1, 16(sp)
      addi sp, sp, 32
    sorted:
      ret`,
  },
  {
    name: 'copy',
    what: 'copy of 64 KiB, 32 bytes a round',
    source: `
    again:
      li a0, DATA
      li a1, DATA + 0x20000
      li a2, 2048
    round:
      ld t0, 0(a1)
      ld t1, 8(a1)
      ld t2, 16(a1)
      ld t3, 24(a1)
      sd t0, 0(a0)
      sd t1, 8(a0)
      sd t2, 16(a0)
      sd t3, 24(a0)
      addi a1, a1, 32
      addi a0, a0, 32
      addi a2, a2, -1
      bnez a2, round
      j again`,
  },
  {
    name: 'random',
    what: 'read-modify-write at random in 32 MiB: nearly every access misses the modelled TLB',
    source: `
      li s0, DATA
      li s1, 0x1fffff8
      li t0, 0x123456789
    again:
      slli t1, t0, 13
      xor t0, t0, t1
      srli t1, t0, 7
      xor t0, t0, t1
      slli t1, t0, 17
      xor t0, t0, t1
      and t1, t0, s1
      add t1, t1, s0
      ld t2, 0(t1)
      add t2, t2, t0
      sd t2, 0(t1)
      j again`,
  },
  {
    name: 'float',
    what: 'dot products of 1,024 doubles',
    source: `
      csrsi fcsr, 1
      li t0, 0x3fb999999999999a
      fmv.d.x fa1, t0
    again:
      li a0, DATA
      li a2, 1024
      fmv.d.x fa0, zero
    round:
      fld fa2, 0(a0)
      fadd.d fa2, fa2, fa1
      fmul.d fa3, fa2, fa1
      fadd.d fa0, fa0, fa3
      fsd fa2, 0(a0)
      addi a0, a0, 8
      addi a2, a2, -1
      bnez a2, round
      j again`,
  },
  {
    name: 'trap',
    what: 'environment calls from S to M-mode, which returns at once',
    source: `
    again:
      addi a0, a0, 1
      csrr a1, sscratch
      csrw sscratch, a0
      csrrsi a2, sstatus, 2
      csrrci a2, sstatus, 2
      ecall
      j again`,
  },
]
