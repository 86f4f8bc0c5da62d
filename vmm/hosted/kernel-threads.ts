/** The kernel's own threads: write-back, the journal, soft interrupts that are too many, and what a kernel does at rest. */
import type { HartPort } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { foldCounters } from './accounting.ts'
import type { Journal } from './files/journal.ts'
import type { WriteBack } from './files/write-back.ts'
import { KernelThread, type Work } from './kernel-thread.ts'
import type { ForwardingTable } from './network/forwarding-table.ts'
import type { Scheduler } from './scheduler.ts'
import type { SmallPages } from './small-pages.ts'
import type { SoftInterrupts } from './soft-interrupts.ts'
import type { ReadCopyUpdate } from './sync/read-copy-update.ts'
import { READY } from './task.ts'

/** Policy, Linux's: each hart's counters are folded every second; the watchdog looks every 4 s whether each hart still schedules. */
const FOLDING = 10_000_000
const WATCHING = 40_000_000
/** Policy: stations that have not been heard of are looked for every 30 s. */
const AGEING = 300_000_000

export interface KernelWork {
  readonly harts: number
  /** By hart: nothing of the kernel's that can be left out is done there. */
  readonly quiet: readonly boolean[]
  readonly soft: SoftInterrupts
  readonly writeBack: WriteBack
  readonly journal: Journal
  readonly table: ForwardingTable
  readonly rcu: ReadCopyUpdate
  readonly small: SmallPages
}

export interface KernelThreads {
  readonly all: readonly KernelThread[]
  readonly flusher: KernelThread
  readonly committer: KernelThread
  /** Takes pages back where few are free. */
  readonly reclaimer: KernelThread
  /** Counts the periods of read-copy-update. */
  readonly periods: KernelThread
  /** By hart. */
  readonly softThreads: readonly KernelThread[]
}

/** Makes them, numbered from `first` on. */
export function kernelThreads(
  first: number,
  { harts, quiet, soft, writeBack, journal, table, rcu, small }: KernelWork,
): KernelThreads {
  const all: KernelThread[] = []
  const add = (name: string, work: Work, pin?: number, state?: number): KernelThread => {
    const thread = new KernelThread(name, first + all.length, work, pin, state)
    all.push(thread)
    return thread
  }
  const flusher = add('flusher', port => writeBack.elapsed(port))
  const committer = add('journal', port => journal.advance(port))
  const reclaimer = add('reclaim', port => small.work(port))
  const periods = add('grace periods', port => rcu.work(port))
  add('bridge', port => {
    table.age(port)
    return port.read(time) + AGEING
  })
  const softThreads: KernelThread[] = []
  for (let hart = 0; hart < harts; hart++) {
    softThreads.push(
      add(
        'soft interrupts',
        port => {
          soft.run(port)
          return soft.pending[port.hart] === 0 ? soft.calm(port) : 0
        },
        hart,
      ),
    )
    if (quiet[hart]) continue
    add(
      'counters',
      port => {
        foldCounters(port, hart)
        return port.read(time) + FOLDING
      },
      hart,
      READY,
    )
    add('watchdog', port => port.read(time) + WATCHING, hart, READY)
  }
  return { all, flusher, committer, reclaimer, periods, softThreads }
}

/** Sees to it that a thread of the kernel's runs at `due` (ticks), or earlier if it was to run earlier. */
export function callThread(port: HartPort, scheduler: Scheduler, thread: KernelThread, due: number): void {
  if (due <= port.read(time)) return scheduler.wake(port, thread)
  if (due < thread.record.due) scheduler.rearm(port, thread, due)
}
