/** Takes memory, 2 MiB at a time, until it gets no more: for studies of how much there is to be had. It ends by a crash. */
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { LARGE_PAGE } from '../paging.ts'
import { guestImage } from '../image.ts'

/** Its image: translation is off, so the address at which it crashes is a physical one of the guest's. */
export function gluttonImage(): Program {
  return guestImage(`
start:
    la t0, start
    li t1, ${LARGE_PAGE}
1:  sd t1, 0(t0)
    add t0, t0, t1
    j 1b
`)
}
