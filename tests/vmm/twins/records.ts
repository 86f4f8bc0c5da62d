/** The twin's records in memory, as C structures: offsets; and its locks. */
import { frame } from '../../../vmm/core/frame.ts'

export const X = frame.x.at

/** struct vcpu */
export const vcpu = { frame: 0, status: 8, raised: 16, lowered: 20, fence: 24 } as const
/** struct vm */
export const vm = { behind: 0, deviceLock: 4, ramBase: 8, ramBytes: 16, windows: 24, count: 32 } as const
/** struct window */
export const window = { base: 0, bytes: 8, chip: 16, size: 24 } as const
/** struct chip: its operations, then the chip's own. */
export const chip = { read: 0, write: 8 } as const
export const uart = { divisor: 16, ier: 20, lcr: 24, mcr: 28, scr: 32 } as const
/** struct pending_access */
export const pending = {
  write: 0,
  bytes: 4,
  signed: 8,
  register: 12,
  length: 16,
  window: 20,
  address: 24,
  size: 32,
} as const

/** spin_lock, spin_unlock: the lock's address in t0. */
export const ACQUIRE = `
7:  lr.w.aq t1, (t0)
    bnez t1, 7b
    li t2, 1
    sc.w t1, t2, (t0)
    bnez t1, 7b`
export const RELEASE = `
    fence rw, w
    sw zero, 0(t0)`

/** Outcomes of an exit. */
export const HANDLED = 0
export const DEVICE = 1
export const INTERRUPT = 2
/** scause. */
export const ECALL_FROM_VS = 10
export const FETCH_GUEST_PAGE = 20
export const LOAD_GUEST_PAGE = 21
export const STORE_GUEST_PAGE = 23
