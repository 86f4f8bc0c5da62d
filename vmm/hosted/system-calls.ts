/**
 * The kernel's system calls, made with their number in a7, arguments in a0 to a3, the result in a0 (and a1); and the
 * page that a thread and the hypervisor module share for a vCPU.
 */
import { layout } from '../../hw/spec/layout.ts'

/** run(vcpu): runs the guest until something needs the VMM; the run page says what. */
export const SYS_RUN = 1
/** interrupt(vcpu, level): raises or lowers the guest's external interrupt. If the kernel has the guest's interrupt controller: interrupt(source, level). */
export const SYS_INTERRUPT = 2
/** wait(): sleeps until something has happened that is the thread's business; a0 says what (EVENT_…), a1 more. */
export const SYS_WAIT = 3
/** disk(tag + operation × 256, sector, count, address): starts reading, writing or flushing; DISK_… */
export const SYS_DISK = 4
/** write(address, bytes): to the console. */
export const SYS_WRITE = 5
/** send(slot, bytes): a frame from a slot of the sending ring, which is free when the call returns. */
export const SYS_SEND = 6
/** exit(code, crashed): ends the process with all its threads. */
export const SYS_EXIT = 7
/** lockWait(): sleeps as long as the process's lock is LOCK_CONTENDED. lockWake(): wakes one that does. */
export const SYS_LOCK_WAIT = 8
export const SYS_LOCK_WAKE = 9
/** watch(address, value, event): what the guest writes there is a doorbell, which adds to an event. -1: it stays the process's. */
export const SYS_WATCH = 10
/** readEvent(event): what has been added to it; it is 0 then. */
export const SYS_READ_EVENT = 11
/** expect(event, thread): the event is one that this thread of the process's waits for. */
export const SYS_EXPECT = 12
/** addEvent(event, count): adds to it. */
export const SYS_ADD_EVENT = 13

/** The word of the lock: free; held; held, and somebody may sleep for it. */
export const LOCK_FREE = 0
export const LOCK_HELD = 1
export const LOCK_CONTENDED = 2

/** A request of the disk's has ended: a1 is its tag, plus DISK_ERROR if it failed. */
export const EVENT_DISK = 1
/** A byte for the console: a1. */
export const EVENT_CONSOLE = 2
/** A frame: a1 is its slot, plus its bytes × 256. */
export const EVENT_RECEIVED = 3
/** An event is not 0: a1 is its number. */
export const EVENT_ADDED = 4

/** Operations of SYS_DISK. */
export const DISK_READ = 0
export const DISK_WRITE = 1
export const DISK_FLUSH = 2
/** Results: an event follows; done already; failed. */
export const DISK_STARTED = 0
export const DISK_DONE = 1
export const DISK_FAILED = 2
export const DISK_ERROR = 0x100
/** A request's tag is less. All processes together cannot hold more pages than the cache has. */
export const DISK_TAGS = 14
/** The most sectors of a request: 32 KiB. */
export const DISK_MOST_SECTORS = 64

/** Why SYS_RUN has returned. */
export const EXIT_DEVICE = 1
export const EXIT_ENDED = 2
/** Of a monitor in a world of its own: nothing is to be done; memory at `address` is to be touched; `text` is to be printed. */
export const EXIT_AGAIN = 3
export const EXIT_MEMORY = 4
export const EXIT_CONSOLE = 5

/** The run page. A device access: where, how wide, and its data, both ways. An end: code and whether it was a crash. */
export const runPage = layout(0x800, 'our own', {
  reason: { at: 0x00, bytes: 4 },
  bytes: { at: 0x04, bytes: 4 },
  address: { at: 0x08, bytes: 8 },
  write: { at: 0x10, bytes: 4 },
  low: { at: 0x14, bytes: 4 },
  high: { at: 0x18, bytes: 4 },
  code: { at: 0x1c, bytes: 4 },
  crashed: { at: 0x20, bytes: 4 },
  text: { at: 0x400, bytes: 1 },
})

/** s1, in which a thread finds its number: that of its vCPU, or behind them for the I/O thread. */
export const THREAD_REGISTER = 9
