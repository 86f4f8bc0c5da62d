/**
 * One of many guests on a machine: it fills its memory, then again and again sleeps until something is to be done (a
 * timer stands for whoever asks), and does it: some arithmetic and some accesses all over its memory. One alone leaves
 * most of a hart idle; so many of them fill it.
 */
import { guestImage } from '../image.ts'
import { LARGE_PAGE, paging, SMALL_PAGE, WINDOW } from '../paging.ts'
import type { Workload } from '../workload.ts'

const REQUESTS = 100
/** Timer ticks from one request's arrival to the next's: 100 ns each. */
const TICKS = 1000
const ROUNDS = 1800
/** Of memory: a power of two, filled before the start. */
export const TENANT_BYTES = 8 * 2 ** 20
/** sie.STIE. */
const STIE = 0x20

const SOURCE = `
start:
    call paging_on
    li s0, ${WINDOW}
    li s1, ${TENANT_BYTES / SMALL_PAGE}
    li t1, ${SMALL_PAGE}
1:  sd s1, 0(s0)
    add s0, s0, t1
    addi s1, s1, -1
    bnez s1, 1b
    # asleep with interrupts off: wfi ends when one is pending
    li t0, ${STIE}
    csrw sie, t0
    li s0, ${WINDOW}
    li s2, 88172645463325252
    li s3, ${TENANT_BYTES - 8}
    li s4, ${REQUESTS}
    rdtime s5
    mark.start
request:
    li t0, ${TICKS}
    add s5, s5, t0
    # who is late does not sleep
2:  rdtime t0
    bgeu t0, s5, 3f
    csrw stimecmp, s5
    wfi
    j 2b
3:  li s1, ${ROUNDS}
4:  slli t0, s2, 13
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
    bnez s1, 4b
    addi s4, s4, -1
    bnez s4, request
    mark.end
    shutdown
${paging(TENANT_BYTES / LARGE_PAGE, LARGE_PAGE)}
`

export const tenant: Workload = {
  name: 'tenant',
  does: `${REQUESTS} requests, one every ${TICKS / 10} µs, each ${ROUNDS} random accesses to ${TENANT_BYTES / 2 ** 20} MiB; asleep in between`,
  disk: false,
  network: false,
  operations: REQUESTS,
  unit: 'cycles per request',
  image: () => guestImage(SOURCE),
}
