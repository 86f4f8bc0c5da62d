/**
 * Locks of what harts share, in RAM. One hart at a time is within a VMM (entry-guard.ts), so nobody finds a lock held by
 * an entry that goes on; but who comes, by the clock, before another has released it waits, and each lock is an lr/sc pair.
 */
import type { HartPort } from '../../hw/port.ts'

export const LOCK_BYTES = 16

export function acquire(port: HartPort, address: number): void {
  if (!port.lock(address)) throw new Error(`the lock at 0x${address.toString(16)} is held by an entry that is not over`)
}

export function release(port: HartPort, address: number): void {
  port.unlock(address)
}
