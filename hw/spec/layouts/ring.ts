/**
 * A ring that a guest shares with a driver domain: requests go one way, answers the other, in three pages of the guest's. Each
 * side counts what it has put in, from 0, modulo 2^32; a slot is a count modulo RING_SLOTS. Pages that a request is about
 * are granted (layouts/grant.ts).
 */
import { layout } from '../layout.ts'

export const RING_SLOTS = 128
export const RING_PAGES = 3

export const ring = layout(64, 'our own', {
  /** Put in by the guest, and by the domain. */
  requests: { at: 0, bytes: 4 },
  answers: { at: 4, bytes: 4 },
  /** 1 while the domain looks at the ring anyway: no event is needed. */
  awake: { at: 8, bytes: 4 },
  /** RING_OPEN. */
  open: { at: 12, bytes: 4 },
})
/** No domain has looked at it yet; one serves it. By the VMM: that one is dead, and it is to be made anew; there will be none. */
export const RING_OPEN = { NOT_YET: 0, SERVED: 1, REPLACED: 2, GONE: 3 } as const
/** Where answers and requests lie. */
export const RING_ANSWERS = 64
export const RING_REQUESTS = 4096

export const MOST_GRANTS = 11
export const ringRequest = layout(64, 'our own', {
  tag: { at: 0, bytes: 2 },
  operation: { at: 2, bytes: 1 },
  grants: { at: 3, bytes: 1 },
  /** Where in the first page the data begins. */
  offset: { at: 4, bytes: 4 },
  sector: { at: 8, bytes: 8 },
  bytes: { at: 16, bytes: 4 },
  /** MOST_GRANTS words. */
  grant: { at: 20, bytes: 4 },
})
export const ringAnswer = layout(8, 'our own', {
  tag: { at: 0, bytes: 2 },
  operation: { at: 2, bytes: 1 },
  status: { at: 3, bytes: 1 },
  bytes: { at: 4, bytes: 4 },
})

/** Of a disk; of a network card. */
export const RING_OPERATION = { READ: 0, WRITE: 1, FLUSH: 2, TRANSMIT: 3, PROVIDE: 4 } as const
export const RING_STATUS = { OK: 0, ERROR: 1 } as const
