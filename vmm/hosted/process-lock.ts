/** The lock around a VMM process's devices: a word of its memory; who finds it held sleeps in the kernel until it is free. */
import type { HartPort } from '../../hw/port.ts'
import { A7 } from '../../hw/spec/sbi.ts'
import { USER_LOCK } from './layout.ts'
import { LOCK_CONTENDED, LOCK_FREE, LOCK_HELD, SYS_LOCK_WAIT } from './system-calls.ts'

export class ProcessLock {
  /** By thread: whether it waits for the lock, the results of its system call put by. */
  readonly waiting: Int32Array

  constructor(threads: number) {
    this.waiting = new Int32Array(threads)
  }

  /** True if the thread has the lock now. Else the entry is over: it sleeps until the lock is free, and comes again at `back`. */
  take(port: HartPort, thread: number, back: number): boolean {
    const waited = this.waiting[thread] !== 0
    if (!waited && port.swap32If(USER_LOCK, LOCK_FREE, LOCK_HELD) === LOCK_FREE) return true
    if (port.swap32(USER_LOCK, LOCK_CONTENDED) === LOCK_FREE) {
      this.waiting[thread] = 0
      return true
    }
    this.waiting[thread] = 1
    port.setX(A7, SYS_LOCK_WAIT)
    port.ecall(back)
    return false
  }

  /** Gives it up. True if somebody may sleep for it, and has to be woken. */
  release(port: HartPort): boolean {
    return port.swap32(USER_LOCK, LOCK_FREE) === LOCK_CONTENDED
  }
}
