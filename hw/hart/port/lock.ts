/**
 * Locks between harts that take turns: one that ran ahead may have taken a lock and released it, at times that another
 * has yet to come to. So a lock remembers the cycle at which it became free.
 *
 *   0  word    1 while it is held
 *   8  double  the cycle at which it became free last
 */
import type { PortHost } from './host.ts'

export const LOCK_BYTES = 16

/** -1 if somebody holds it; otherwise it is the caller's, after so many cycles of waiting until it is free. */
export function takeLock(port: PortHost, host: number, address: number, now: number): number {
  const { words, doubles } = port.memory
  check(host, address)
  port.priceRun(host, LOCK_BYTES, true)
  if (words[host >> 2] !== 0) return -1
  words[host >> 2] = 1
  port.memory.written(host, LOCK_BYTES)
  const wait = Math.max(0, doubles[(host >> 3) + 1] - now)
  if (wait > 0) port.charge(wait, 'waiting')
  return wait
}

export function releaseLock(port: PortHost, host: number, address: number, now: number): void {
  const { words, doubles } = port.memory
  check(host, address)
  port.priceRun(host, LOCK_BYTES, true)
  if (words[host >> 2] === 0) throw new Error(`the lock at 0x${address.toString(16)} is released, but nobody holds it`)
  words[host >> 2] = 0
  doubles[(host >> 3) + 1] = now
  port.memory.written(host, LOCK_BYTES)
}

function check(host: number, address: number): void {
  if (host < 0 || address % LOCK_BYTES !== 0)
    throw new Error(`a lock at 0x${address.toString(16)} is not 16 aligned bytes of plain RAM`)
}
