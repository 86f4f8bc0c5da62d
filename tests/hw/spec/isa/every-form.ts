/** Assembly that uses every pseudo-instruction, directive and kind of operand; lines that need addresses say `symbolic`. */
export const EVERY_FORM = String.raw`
.equ K, 5
.set COUNT, 0
.macro save register, offset=8
  sd \register, \offset(sp)
.endm
.macro loop count:req, register=t0
  li \register, \count
loop_\@: addi \register, \register, -1
  bnez \register, loop_\@  # symbolic
.endm
_start:
  csrr a0, mhartid
  li t0, 0x123456789abcdef0
  li t1, -1
  li t2, 0x80000000
  li a3, 0xffffffff
  li a4, 0x7ffff800
  li a5, 1<<40
  li a6, -0x8000000000000000
  li a7, 0x7fffffff
  li s2, 2047
  li s3, 2048
  li s4, 0xfffff000
  csrw mtvec, t0; csrwi mscratch, 3
  csrs sstatus, t0 # a comment
  csrc hstatus, t0 /* another
    over two lines */
  csrsi 0x340, 1; csrci mscratch, 31
  lui a0, 0x12345
  lui a1, %hi(K) # symbolic
  addi a1, a1, %lo(K) # symbolic
  save ra
  save s0, 16
  save register=s1, offset=24
  la sp, stack # symbolic
1: beqz a0, 1f # symbolic
  bnez a1, 1b # symbolic
  bgtu a0, a1, 2f # symbolic
  blez a0, 1b; bgez a0, 1b; bltz a0, 1b; bgtz a0, 1b # symbolic
  bgt a0, a1, 1b; ble a0, a1, 1b; bleu a0, a1, 1b # symbolic
1: call foo # symbolic
  tail foo # symbolic
  jal foo; jal t0, foo; call t0, foo; jump foo, t1 # symbolic
2: j . # symbolic
  j 2b # symbolic
  .rept 3
  nop
  .endr
  .irp register, s1, s2
  mv \register, a0
  .endr
  .rept 2
  .set COUNT, COUNT + 1
  addi a0, zero, COUNT
  .endr
  .if K == 5
  addi a0, a0, K*2+1
  .else
  addi a0, a0, 1
  .endif
  .if K > 5
  addi a1, a1, 1
  .elseif K > 4
  addi a1, a1, 2
  .else
  addi a1, a1, 3
  .endif
  .ifdef K
  .ifndef MISSING
  not a0, a1
  .endif
  .endif
  neg a0, a1; negw a0, a1; seqz a0, a1; snez a0, a1; sltz a0, a1; sgtz a0, a1; sgt a0, a1, a2; sgtu a0, a1, a2
  addi a0, a0, 1 + 2 << 3 | 1
foo: ret
  amoadd.w.aqrl a0, a1, (a2); amomaxu.d a0, a1, 0(a2)
  lr.d.aq t0, (a0); lr.w t0, (a0)
  sc.w.rl t0, t1, (a0)
  fence; fence rw, w; fence.tso; pause; fence.i
  fadd.s fa0, fa1, fa2; fadd.d fa0, fa1, fa2, rtz
  fcvt.d.w fa0, a0; fcvt.d.s fa0, fa1; fcvt.s.d fa0, fa1; fcvt.w.d a0, fa0, rtz; fcvt.d.l fa0, a0, rup
  fmv.d fa0, fa1; fneg.s fa0, fa1; fabs.d fa0, fa1; fgt.d a0, fa0, fa1; fge.s a0, fa0, fa1; fmv.x.s a0, fa0
  fmadd.d fa0, fa1, fa2, fa3; fsqrt.s fa0, fa1, rdn; fclass.d a0, fa0
  flw fa0, 4(a0); fsd fs11, 8(sp); fld fa0, 16(s0)
  frcsr a0; fscsr a0; fscsr a1, a0; frrm a0; fsrm a0; frflags a0; fsflags a0
  sfence.vma; sfence.vma a0; sfence.vma a0, a1; sinval.vma a0, a1; sfence.w.inval; sfence.inval.ir
  hfence.vvma; hfence.gvma a0, a1; hinval.gvma a0, zero
  jr a0; jalr a0; jalr a0, a1; jalr a0, 4(a1); jalr x0, a1, 8
  lw a0, (a1); lw fp, -4(x2)
  ld a0, counter; sw a0, counter, t0 # symbolic
3: auipc a0, %pcrel_hi(counter) # symbolic
  ld a1, %pcrel_lo(3b)(a0) # symbolic
  loop 3 # symbolic
  loop 4, a5 # symbolic
  unimp # symbolic
  wfi; mret; sret; ecall; ebreak
  sext.w a0, a1; zext.w a2, a3; zext.b a0, a0; sext.b a0, a1; zext.h a0, a1
  rdtime a0; rdcycle a1; rdinstret a2
  prefetch.r 32(a0); cbo.zero (a1); cbo.inval 0(a2)
  hlv.w a0, (a1); hlvx.hu a0, (a1); hsv.d a0, (a1)
  rori a0, a1, 63; roriw a0, a1, 31; bseti a0, a1, 40; slli.uw a0, a1, 3; sh2add a0, a1, a2; orc.b a0, a1
  .balign 16
  .option push
  .option norvc
  addi a0, a0, 1
  .option pop
  .balign 4
  .word foo - _start # symbolic
3:
  .dword stack - 1, 3b # symbolic
  .byte 1, 2, 'a', '\n', -1
  .half 0x1234, K << 8
  .asciz "hi # there; \n\x41\0"
  .ascii "a", "b"
  .p2align 3
counter: .dword 0
  .space 16, 0xff
  .zero 8
  .balign 16
stack:
`
