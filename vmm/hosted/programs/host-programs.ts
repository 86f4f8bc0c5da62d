/** Programs of the host that are no VMM, with the system calls that they make. Set-up. */
import type { StateRecord } from '../../../hw/port.ts'
import type { DirectRequests } from '../files/direct-requests.ts'
import type { Storage } from '../files/storage.ts'
import type { Packets } from '../network/packets.ts'
import type { InterruptLines } from '../interrupts/lines.ts'
import type { LocalStack } from '../network/local-stack.ts'
import { kernelFiles } from '../proc/kernel-files.ts'
import { ProcFiles } from '../proc/proc-files.ts'
import { Text } from '../proc/text.ts'
import type { Scheduler } from '../scheduler.ts'
import type { DividedMemory } from '../plan-memory.ts'
import { daemons } from './daemons.ts'
import type { ProgramImage } from './elf.ts'
import { Futexes } from './futexes.ts'
import { Pipes } from './pipes.ts'
import { ProgramCalls } from './program-calls.ts'
import { ProgramFiles } from './program-files.ts'
import { MOST_SPACES, MOST_THREADS } from './program-frames.ts'
import { ProgramSpace } from './program-space.ts'
import { ProgramThread } from './program-thread.ts'
import { Programs } from './programs.ts'
import { Sockets } from './sockets.ts'

export interface HostPrograms {
  readonly programs: Programs
  readonly calls: ProgramCalls
  readonly files: ProgramFiles
  readonly state: Readonly<Record<string, StateRecord>>
}

export interface ProgramParts {
  readonly images: readonly ProgramImage[]
  readonly threads: readonly ProgramThread[]
  /** The first number of a space of theirs; the first of a request of theirs past the page cache. */
  readonly firstSpace: number
  readonly firstRequest: number
  readonly scheduler: Scheduler
  readonly storage: Storage
  readonly direct: DirectRequests
  readonly stack: LocalStack
  readonly memory: DividedMemory
  readonly harts: number
  readonly packets: Packets
  readonly lines: InterruptLines
  readonly vcpus: number
}

/** Room for their threads, numbered from `first` on, on one hart, and side by side in one group. */
export function programThreads(first: number, pin: number, group: number): readonly ProgramThread[] {
  return Array.from({ length: MOST_THREADS }, (_, number) => new ProgramThread(first + number, number, pin, group))
}

export function makePrograms(parts: ProgramParts): HostPrograms {
  const { images, threads, firstSpace, firstRequest, scheduler, storage, direct, stack, memory, harts } = parts
  const { packets, lines, vcpus } = parts
  const spaces = Array.from({ length: MOST_SPACES }, (_, index) => new ProgramSpace(index, firstSpace + index, memory))
  const programs = new Programs([...daemons(), ...images], threads, spaces, scheduler)
  const told = new ProcFiles(
    kernelFiles({
      harts,
      processes: firstSpace,
      threads: scheduler.tasks.length,
      pages: memory.pages,
      free: memory.free,
      queues: scheduler.queues.pages,
      deviceMemory: memory.devices,
      packets,
      lines,
      vcpus,
      groups: scheduler.tasks.reduce((most, { group }) => Math.max(most, group + 1), 0),
    }),
    new Text(),
  )
  const pipes = new Pipes(threads, scheduler, memory.small)
  const files = new ProgramFiles(storage, direct, firstRequest, threads, scheduler)
  const calls = new ProgramCalls(programs, scheduler, pipes, new Futexes(scheduler), files, new Sockets(stack), told)
  return { programs, calls, files, state: { ...programs.state, ...files.state, ...told.state, pipes: pipes.record } }
}
