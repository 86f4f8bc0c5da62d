/**
 * What a guest lets a driver domain have: a table in the guest's own memory, of which it tells its VMM. Only the VMM acts on
 * it, and looks at each entry whenever the domain wants to use it.
 */
import { layout } from '../layout.ts'

export const GRANT_TABLE_PAGES = 2

export const grant = layout(8, 'our own', {
  /** `USED` is the VMM's: the page is mapped in the domain. */
  flags: { at: 0, bytes: 2, fields: { PERMIT: 0, READ_ONLY: 1, USED: 2 } },
  /** Number of the guest's page. */
  page: { at: 4, bytes: 4 },
})
export const GRANT_PERMIT = 1
export const GRANT_READ_ONLY = 2
export const GRANT_USED = 4
export const GRANTS = (GRANT_TABLE_PAGES * 4096) / grant.size

/** What a domain asks the VMM to do with a grant; so many in a call at the most. */
export const grantOperation = layout(32, 'our own', {
  /** Whose grant. */
  channel: { at: 0, bytes: 4 },
  grant: { at: 4, bytes: 4 },
  /** The page in the domain's grant window; of a copy, the address in the domain's memory. */
  at: { at: 8, bytes: 8 },
  /** 1: the granted page is written to. */
  write: { at: 16, bytes: 4 },
  /** Of a copy. */
  offset: { at: 20, bytes: 4 },
  bytes: { at: 24, bytes: 4 },
  /** What came of it: GRANT_DONE or GRANT_REFUSED. */
  status: { at: 28, bytes: 4 },
})
export const MOST_OPERATIONS = 16
export const GRANT_DONE = 0
export const GRANT_REFUSED = 1

/** Guest physical addresses of a domain at which it can have granted pages. */
export const GRANT_WINDOW = { base: 0x20_0000_0000, bytes: 0x400_0000 } as const
