/** The threads of a host and who schedules them: those of processes, the kernel's own, those that programs may have. Set-up. */
import type { HostPolicy } from '../../hw/spec/layouts/host-policy.ts'
import { NOWHERE } from '../core/vcpu.ts'
import type { Dedication } from './dedication.ts'
import type { Journal } from './files/journal.ts'
import type { WriteBack } from './files/write-back.ts'
import type { KernelDevices } from './kernel-devices.ts'
import { KernelThread } from './kernel-thread.ts'
import { callThread, type KernelThreads, kernelThreads } from './kernel-threads.ts'
import type { ForwardingTable } from './network/forwarding-table.ts'
import type { Process } from './process.ts'
import { programThreads } from './programs/host-programs.ts'
import type { ProgramThread } from './programs/program-thread.ts'
import { Scheduler } from './scheduler.ts'
import type { SmallPages } from './small-pages.ts'
import { SOFT_SCHED, type SoftInterrupts } from './soft-interrupts.ts'
import { ReadCopyUpdate } from './sync/read-copy-update.ts'
import { ASLEEP, type Task } from './task.ts'

export interface ThreadParts {
  readonly policy: HostPolicy
  readonly processes: readonly Process[]
  readonly tasks: readonly Task[]
  readonly harts: number
  readonly dedication: Dedication
  readonly soft: SoftInterrupts
  readonly writeBack: WriteBack
  readonly journal: Journal
  readonly table: ForwardingTable
  readonly small: SmallPages
  /** By process, once they have been made. */
  readonly backends: readonly KernelDevices[]
}

export interface MadeThreads {
  readonly rcu: ReadCopyUpdate
  readonly threads: KernelThreads
  readonly ofPrograms: readonly ProgramThread[]
  readonly scheduler: Scheduler
}

export function makeThreads(parts: ThreadParts): MadeThreads {
  const { policy, processes, tasks, harts, dedication, soft, writeBack, journal, table, small, backends } = parts
  const rcu: ReadCopyUpdate = new ReadCopyUpdate(
    harts,
    port => scheduler.wake(port, own.periods),
    (port, hart) => scheduler.interrupt(port, hart),
  )
  const own = kernelThreads(tasks.length, {
    harts,
    quiet: dedication.quiet,
    soft,
    writeBack,
    journal,
    table,
    rcu,
    small,
  })
  const workers = (policy.backend === 'kernel' ? processes : []).map((process, index) => {
    const waiter = tasks.length + own.all.length + index
    process.diskWaiter = waiter
    process.networkWaiter = waiter
    return new KernelThread('kernel backend', waiter, port => backends[index].work(port), NOWHERE, ASLEEP, process)
  })
  const threads: KernelThreads = { ...own, all: [...own.all, ...workers] }
  const ofPrograms = programThreads(tasks.length + threads.all.length, dedication.housekeeping, processes.length)
  const scheduler = new Scheduler([...tasks, ...threads.all, ...ofPrograms], harts, dedication, tasks.length)
  writeBack.attach((port, when) => callThread(port, scheduler, threads.flusher, when))
  journal.attachThread((port, when) => callThread(port, scheduler, threads.committer, when))
  soft.attachThread(port => scheduler.wake(port, threads.softThreads[port.hart]))
  soft.attach(SOFT_SCHED, port => scheduler.balance(port))
  return { rcu, threads, ofPrograms, scheduler }
}
