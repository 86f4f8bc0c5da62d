/** Waiting for a word of a program's memory to change: buckets by address, each with a lock and those who wait. */
import { maskOf } from '../../../hw/spec/csr.ts'
import type { HartPort } from '../../../hw/port.ts'
import { sstatus } from '../../../hw/spec/csrs/supervisor.ts'
import type { Scheduler } from '../scheduler.ts'
import { NEVER } from '../task.ts'
import { futexBucket, futexBucketAt, threadAt, threadInfo } from './program-frames.ts'
import type { ProgramThread } from './program-thread.ts'
import type { Programs } from './programs.ts'

const SUM = maskOf(sstatus, 'SUM')
const COMMAND = 127
const WAIT = 0
const WAKE = 1
const AGAIN = -11
const NO_SUCH_CALL = -38

export class Futexes {
  readonly #scheduler: Scheduler

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** The system call. Who waits has its result already when it is woken. */
  call(
    port: HartPort,
    programs: Programs,
    thread: ProgramThread,
    address: number,
    operation: number,
    value: number,
  ): number {
    const command = operation & COMMAND
    const bucket = futexBucketAt(address)
    if (command === WAIT) return this.#wait(port, bucket, thread, address, value)
    if (command === WAKE) return this.#wake(port, bucket, programs, thread, address, value)
    return NO_SUCH_CALL
  }

  #wait(port: HartPort, bucket: number, thread: ProgramThread, address: number, value: number): number {
    port.add32(bucket + futexBucket.waiters.at, 1)
    port.swap32If(bucket + futexBucket.lock.at, 0, 1)
    port.set(sstatus, SUM)
    const word = port.load32(address)
    port.clear(sstatus, SUM)
    if (word === value) {
      port.store64(bucket + futexBucket.address.at + thread.number * 8, address)
      this.#scheduler.sleep(port, thread, NEVER)
    } else port.add32(bucket + futexBucket.waiters.at, -1)
    port.swap32(bucket + futexBucket.lock.at, 0)
    return word === value ? 0 : AGAIN
  }

  #wake(
    port: HartPort,
    bucket: number,
    programs: Programs,
    thread: ProgramThread,
    address: number,
    most: number,
  ): number {
    if (port.load32(bucket + futexBucket.waiters.at) === 0) return 0
    const { threads } = programs
    const space = port.load32(threadAt(thread.number) + threadInfo.space.at)
    let woken = 0
    port.swap32If(bucket + futexBucket.lock.at, 0, 1)
    for (let number = 0; number < threads.length && woken < most; number++) {
      const at = bucket + futexBucket.address.at + number * 8
      if (port.load64(at) !== address || port.load32(threadAt(number) + threadInfo.space.at) !== space) continue
      port.store64(at, 0)
      port.add32(bucket + futexBucket.waiters.at, -1)
      this.#scheduler.wake(port, threads[number])
      woken++
    }
    port.swap32(bucket + futexBucket.lock.at, 0)
    return woken
  }
}
