/**
 * What a server and the VMM say to each other. A server has one system call, by `ecall`: what it has to tell, and then it
 * waits. Messages lie in a page that both see: from the VMM in its lower half, from the server in the upper.
 *
 *   call:   a0 = when it wants to be woken (ticks of time, -1: never)   a1 = FLAG_…   a2 = answers in the page   a3 = what it knows
 *   return: a0 = BIT_…, what has happened                                a1 = messages in the page
 */
import { layout } from '../../../../hw/spec/layout.ts'

/** What has happened: bits. */
export const BIT_INTERRUPT = 1
export const BIT_TIME = 2

/** How its device is: bits. */
export const FLAG_READY = 1
export const FLAG_FAILED = 2
/** Its interrupt is not to come through. */
export const FLAG_MASKED = 4
/** From here on: the most sectors in a request. */
export const MAXIMUM_SHIFT = 16

/** To the server. `what`: tag and operation. */
export const message = layout(32, 'our own', {
  what: { at: 0, bytes: 4 },
  count: { at: 4, bytes: 4 },
  sector: { at: 8, bytes: 8 },
  address: { at: 16, bytes: 8 },
})
/** From the server: one word, and the bytes of a frame. */
export const answer = layout(8, 'our own', {
  what: { at: 0, bytes: 4 },
  bytes: { at: 4, bytes: 4 },
})
export const MOST_MESSAGES = 16
export const MOST_ANSWERS = 32
export const ANSWERS_AT = 0x800

/** In `what`: a tag, and above it the operation or the result. */
export const TAG_SHIFT = 16
export const TAG_MASK = 0xffff
/** Operations of a disk, and of a card. */
export const READ = 0
export const WRITE = 1
export const FLUSH = 2
export const TRANSMIT = 0
export const PROVIDE = 1
/** Results of a disk's request; a card's answers say which operation they answer. */
export const DONE = 0
export const ERROR = 1
/** Not now: the driver does not take it. */
export const REFUSED = 2

/** A server's own addresses. */
export const SERVER_TEXT = 0x10_0000
export const SERVER_MESSAGES = 0x11_0000
export const SERVER_MEMORY = 0x20_0000
export const SERVER_REGISTERS = 0x4000_0000
