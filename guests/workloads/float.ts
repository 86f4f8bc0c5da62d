/**
 * Floating point: heat spreads over a grid of doubles, from its upper edge, one sweep after the other; after each the
 * root of the mean square of what has changed is taken.
 */
import { SBI_SRST } from '../../hw/spec/sbi.ts'
import { guestImage } from '../image.ts'
import { paging } from '../paging.ts'
import type { Workload } from '../workload.ts'

const SWEEPS = 60
const INNER = 64
/** With its edges. */
const SIDE = INNER + 2
const ROW = SIDE * 8
/** sstatus.FS = Initial. */
const FS_INITIAL = 0x2000

const SOURCE = `
start:
    li t0, ${FS_INITIAL}
    csrs sstatus, t0
    call paging_on
    la s0, grid
    li s1, ${SIDE}
    li t0, 100
    fcvt.d.w fa0, t0
1:  fsd fa0, 0(s0)
    addi s0, s0, 8
    addi s1, s1, -1
    bnez s1, 1b
    li t0, 4
    fcvt.d.w fa1, t0
    li t0, ${INNER * INNER}
    fcvt.d.w fa2, t0
    li t0, 1
    fcvt.d.w fs0, t0
    fdiv.d fa1, fs0, fa1
    mark.start
    li s11, ${SWEEPS}
sweep:
    fcvt.d.w fa0, zero
    la s0, grid + ${ROW + 8}
    li s1, ${INNER}
2:  li s2, ${INNER}
3:  fld ft0, -${ROW}(s0)
    fld ft1, ${ROW}(s0)
    fld ft2, -8(s0)
    fld ft3, 8(s0)
    fadd.d ft0, ft0, ft1
    fadd.d ft2, ft2, ft3
    fld ft4, 0(s0)
    fadd.d ft0, ft0, ft2
    fmul.d ft0, ft0, fa1
    fsub.d ft4, ft0, ft4
    fsd ft0, 0(s0)
    fmadd.d fa0, ft4, ft4, fa0
    addi s0, s0, 8
    addi s2, s2, -1
    bnez s2, 3b
    addi s0, s0, 16
    addi s1, s1, -1
    bnez s1, 2b
    fdiv.d fa0, fa0, fa2
    fsqrt.d fa0, fa0
    # each sweep changes less than the first
    flt.d t0, fa0, fs1
    li t1, ${SWEEPS}
    beq s11, t1, 4f
    beqz t0, wrong
    j 5f
4:  fmv.d fs1, fa0
5:  addi s11, s11, -1
    bnez s11, sweep
    mark.end
    shutdown
wrong:
    li a0, 0
    li a1, 1
    sbi ${SBI_SRST}, 0
${paging(1)}
    .bss
    .balign 64
grid:
    .space ${SIDE * ROW}
`

export const float: Workload = {
  name: 'float',
  does: `${SWEEPS} sweeps of heat over ${INNER} × ${INNER} doubles`,
  disk: false,
  network: false,
  operations: SWEEPS,
  unit: 'cycles per sweep',
  image: () => guestImage(SOURCE),
}
