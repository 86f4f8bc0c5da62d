/** Memory with poor locality: random read-modify-writes over far more 4 KiB pages than any TLB holds. */
import { guestImage } from '../image.ts'
import { paging, WINDOW } from '../paging.ts'
import type { Workload } from '../workload.ts'

const PAGES = 4096
const ACCESSES = 60_000

const SOURCE = `
start:
    call paging_on
    # touch every page, so that what is measured is walking, not populating
    li s0, ${WINDOW}
    li s1, ${PAGES}
    li t1, 4096
1:  sd s1, 0(s0)
    add s0, s0, t1
    addi s1, s1, -1
    bnez s1, 1b
    mark.start
    li s0, ${WINDOW}
    li s1, ${ACCESSES}
    li s2, 88172645463325252
    li s3, ${PAGES * 4096 - 8}
1:  slli t0, s2, 13
    xor s2, s2, t0
    srli t0, s2, 7
    xor s2, s2, t0
    slli t0, s2, 17
    xor s2, s2, t0
    and t0, s2, s3
    andi t0, t0, -8
    add t0, t0, s0
    ld t1, 0(t0)
    add t1, t1, s2
    sd t1, 0(t0)
    addi s1, s1, -1
    bnez s1, 1b
    mark.end
    shutdown
${paging(PAGES)}
`

export const memory: Workload = {
  name: 'memory',
  does: `${ACCESSES} random read-modify-writes over ${(PAGES * 4096) / 2 ** 20} MiB of 4 KiB pages`,
  disk: false,
  network: false,
  image: () => guestImage(SOURCE),
}
