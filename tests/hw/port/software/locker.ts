/** Holds a lock for a while, on either hart. */
import type { Csr } from '../../../../hw/spec/csr.ts'
import type { HartPort, Software } from '../../../../hw/port.ts'

export interface LockerAddresses {
  readonly lock: number
  readonly log: number
  readonly scratch: number
  readonly again: number
  readonly after: number
}

/** Loads while it is held. */
const WORK = 100

export function locker({ lock, log, scratch, again, after }: LockerAddresses, cycle: Csr): Software {
  function work(port: HartPort): void {
    if (!port.lock(lock)) {
      port.jump(again)
      return
    }
    const at = log + port.hart * 16
    port.store64(at, port.read(cycle))
    for (let i = 0; i < WORK; i++) port.load32(scratch)
    port.store64(at + 8, port.read(cycle))
    port.unlock(lock)
    port.jump(after)
  }

  return { name: 'locker', entries: [work], state: {} }
}
