/**
 * Memory with poor locality: random read-modify-writes over a working set. `memory` is far larger than what any TLB
 * reaches; the variants go from one that the first level reaches to that, with either size of the guest's own pages.
 */
import { guestImage } from '../image.ts'
import { LARGE_PAGE, type PageBytes, paging, SMALL_PAGE, WINDOW } from '../paging.ts'
import type { Workload } from '../workload.ts'

const ACCESSES = 60_000
const KIB = 1024
const MIB = 2 ** 20

interface WorkingSet {
  /** A power of two, at most 32 MiB. */
  readonly bytes: number
  readonly pageBytes: PageBytes
}

function source({ bytes, pageBytes }: WorkingSet): string {
  return `
start:
    call paging_on
    # touch every page, so that what is measured is walking, not populating
    li s0, ${WINDOW}
    li s1, ${bytes / SMALL_PAGE}
    li t1, ${SMALL_PAGE}
1:  sd s1, 0(s0)
    add s0, s0, t1
    addi s1, s1, -1
    bnez s1, 1b
    mark.start
    li s0, ${WINDOW}
    li s1, ${ACCESSES}
    li s2, 88172645463325252
    li s3, ${bytes - 8}
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
${paging(Math.ceil(bytes / pageBytes), pageBytes)}
`
}

function memoryWorkload(name: string, set: WorkingSet): Workload {
  return {
    name,
    does: `${ACCESSES} random read-modify-writes over ${sizeOf(set.bytes)} of ${sizeOf(set.pageBytes)} pages`,
    disk: false,
    network: false,
    operations: ACCESSES,
    unit: 'cycles per access',
    image: () => guestImage(source(set)),
  }
}

function sizeOf(bytes: number): string {
  return bytes < MIB ? `${bytes / KIB} KiB` : `${bytes / MIB} MiB`
}

export const memory = memoryWorkload('memory', { bytes: 16 * MIB, pageBytes: SMALL_PAGE })

/** TLB reach: names end in the working set's size. */
export const memoryVariants: readonly Workload[] = ([SMALL_PAGE, LARGE_PAGE] as const).flatMap(pageBytes =>
  [128 * KIB, MIB, 4 * MIB, 16 * MIB, 32 * MIB].map(bytes =>
    memoryWorkload(`memory-${sizeOf(pageBytes)}-${sizeOf(bytes)}`.replaceAll(/ (.)iB/g, '$1').toLowerCase(), {
      bytes,
      pageBytes,
    }),
  ),
)
