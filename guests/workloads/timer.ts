/** Timer interrupts: sleeps until each, acknowledges it, and arms the next, 20 µs later. */
import { guestImage } from '../image.ts'
import type { Workload } from '../workload.ts'

const INTERRUPTS = 500
const TICKS = 200
/** sie.STIE, and sstatus.SIE. */
const STIE = 0x20
const SIE = 2

const SOURCE = `
start:
    la t0, handler
    csrw stvec, t0
    li s1, 0
    li t0, -1
    csrw stimecmp, t0
    li t0, ${STIE}
    csrw sie, t0
    csrsi sstatus, ${SIE}
    mark.start
    rdtime t0
    addi t0, t0, ${TICKS}
    csrw stimecmp, t0
    li s0, ${INTERRUPTS}
1:  wfi
    blt s1, s0, 1b
    mark.end
    shutdown
    .balign 4
handler:
    addi s1, s1, 1
    rdtime t0
    addi t0, t0, ${TICKS}
    csrw stimecmp, t0
    sret
`

export const timer: Workload = {
  name: 'timer',
  does: `${INTERRUPTS} timer interrupts, asleep in between`,
  disk: false,
  network: false,
  operations: INTERRUPTS,
  unit: 'cycles per interrupt',
  image: () => guestImage(SOURCE),
}
