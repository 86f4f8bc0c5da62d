/** A guest that works for nobody: it walks through memory without end and counts its rounds at NOTES. */
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import { guestImage } from '../image.ts'
import { type ChannelGuest, NOTES } from './channel.ts'

const BUFFER = GUEST_RAM + 0xa0_0000
const LINES = 192
const LINE = 64

/** Three quarters of a first-level data cache: most of it is lost when others have had the hart. */
export function workerGuest(): ChannelGuest {
  return {
    program: guestImage(`
start:
    li s0, ${NOTES}
again:
    li t1, ${BUFFER}
    li t2, ${LINES}
1:  ld t3, 0(t1)
    addi t3, t3, 1
    sd t3, 0(t1)
    addi t1, t1, ${LINE}
    addi t2, t2, -1
    bnez t2, 1b
    ld t0, 0(s0)
    addi t0, t0, 1
    sd t0, 0(s0)
    j again
`),
  }
}
