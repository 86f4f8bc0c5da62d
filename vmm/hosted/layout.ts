/**
 * Where the host's kernel keeps what, and what a VMM process's address space looks like. Physical, from where the
 * firmware enters the kernel:
 *
 *   0x8020_0000  image: trap entry and exit, world switch, doors
 *      + 64 KiB  text of the VMM processes, 4 KiB each
 *      +128 KiB  frames of vCPUs, 1 KiB each
 *      +256 KiB  frames of tasks, 1 KiB each
 *      +448 KiB  frames of harts: what an interrupt finds in them while they are in the kernel
 *      +480 KiB  tables of the kernel (TABLES)
 *      +  1 MiB  DMA memory of the drivers
 *      +3.5 MiB  buffers of packets
 *      +  4 MiB  G-stage roots, 16 KiB each, then pages of 4 KiB: page tables, process data
 *      + 16 MiB  end; everything above, up to the end of RAM, is free memory, page cache first
 *
 * Virtual: the kernel has the lower 128 GiB, each address where it is physically (a direct map of 1 GiB pages, global);
 * a process has what is above, its guest's RAM at 0x30_0000_0000.
 */
import { layout } from '../../hw/spec/layout.ts'
import { frame } from '../core/frame.ts'
import { ROOT_BYTES } from '../core/g-stage.ts'

const KIB = 1024
const MIB = 2 ** 20
export const KERNEL_BASE = 0x8020_0000
export const KERNEL_BYTES = 16 * MIB
export const TEXT_BYTES = 4096
const TEXTS = KERNEL_BASE + 64 * KIB
const VCPU_FRAMES = KERNEL_BASE + 128 * KIB
const TASK_FRAMES = KERNEL_BASE + 256 * KIB
export const HART_FRAMES = KERNEL_BASE + 448 * KIB
/** Where the kernel's tables begin: each subsystem lays out its own. */
export const TABLES = {
  /** The page cache's hash heads and page descriptors. */
  cacheIndex: KERNEL_BASE + 512 * KIB,
  /** Address spaces, the groups that pay for memory, areas of address spaces (memory/). */
  spaces: KERNEL_BASE + 584 * KIB,
  memoryGroups: KERNEL_BASE + 588 * KIB,
  areas: KERNEL_BASE + 592 * KIB,
  /** What is open, what each process has open, who may use what (objects/). */
  openFiles: KERNEL_BASE + 608 * KIB,
  descriptorTables: KERNEL_BASE + 620 * KIB,
  rules: KERNEL_BASE + 626 * KIB,
  /** Lists of records that nobody has; sockets; what devices have of memory; the lock of what waits for the card. */
  slabs: KERNEL_BASE + 627 * KIB,
  sockets: KERNEL_BASE + 629 * KIB,
  deviceMemory: KERNEL_BASE + 631 * KIB,
  cardLock: KERNEL_BASE + 631 * KIB + 64,
  /** The disk's tags, and what it was asked for. */
  tags: KERNEL_BASE + 631 * KIB + 512,
  diskAccounts: KERNEL_BASE + 636 * KIB,
  /** Text for whoever reads /proc. */
  text: KERNEL_BASE + 632 * KIB,
  /** Inodes of files that are open, and a path on its way in. */
  inodes: KERNEL_BASE + 640 * KIB,
  path: KERNEL_BASE + 652 * KIB,
  /** Fences that vCPUs owe (memory/guest-fences.ts). */
  guestFences: KERNEL_BASE + 648 * KIB,
  /** The block layer's requests. */
  requests: KERNEL_BASE + 656 * KIB,
  /** Where pages are put in order before they are written. */
  sorting: KERNEL_BASE + 832 * KIB,
  /** What is kept of programs (programs/program-frames.ts). */
  programs: KERNEL_BASE + 896 * KIB,
  /** Packets' headers, the bridge's forwarding table, the host's own routes and neighbours (network/). */
  packets: KERNEL_BASE + 912 * KIB,
  forwarding: KERNEL_BASE + 928 * KIB,
  neighbours: KERNEL_BASE + 936 * KIB,
  /** What the scheduler keeps of threads, and of processes on the whole machine (scheduling/entity.ts). */
  entities: KERNEL_BASE + 944 * KIB,
  groups: KERNEL_BASE + 992 * KIB,
  /** The machine's time and the harts' (scheduling/time-keeping.ts). */
  times: KERNEL_BASE + 904 * KIB,
  /** What each hart keeps of the pages that it gives (page-structs.ts). */
  hartPages: KERNEL_BASE + 880 * KIB,
  freePages: KERNEL_BASE + 940 * KIB,
  /** What each hart counts. */
  counters: KERNEL_BASE + 872 * KIB,
  /** Periods of read-copy-update; guests' I/O buses; events (sync/, hypervisor/). */
  sync: KERNEL_BASE + 480 * KIB,
  buses: KERNEL_BASE + 484 * KIB,
  events: KERNEL_BASE + 907 * KIB,
  /** What is counted of vCPUs. */
  vcpus: KERNEL_BASE + 1004 * KIB,
  /** Which machine has which VMID (hypervisor/vmids.ts). */
  vmids: KERNEL_BASE + 1012 * KIB,
  /** What harts have counted for groups of memory (memory/group-counts.ts). */
  groupCounts: KERNEL_BASE + 1014 * KIB,
  /** Interrupt lines. */
  interrupts: KERNEL_BASE + 503 * KIB,
} as const
const DMA = KERNEL_BASE + MIB
/** What lies below is the kernel's own: no device reaches it. */
export const DEVICE_MEMORY = DMA
/** Packets' buffers. */
export const PACKET_DATA = KERNEL_BASE + 3 * MIB + 512 * KIB
const DMA_SHARE = 512 * KIB
const ROOTS = KERNEL_BASE + 4 * MIB
export const MOST_PROCESSES = (VCPU_FRAMES - TEXTS) / TEXT_BYTES
export const MOST_VCPUS = (TASK_FRAMES - VCPU_FRAMES) / frame.size
/** Of one guest: a mask of its threads takes 32 bits, and four are for consoles, devices and notifications. */
export const MOST_VCPUS_OF_A_GUEST = 28

/**
 * A task's user registers while the kernel runs, its floating-point registers while somebody else has them, its address
 * space for satp, and the kernel's thread pointer. Of a hart: the kernel's registers while it handles an interrupt.
 */
export const taskFrame = layout(0x400, 'our own', {
  x: { at: 0x000, bytes: 8 },
  sepc: { at: 0x100, bytes: 8 },
  sstatus: { at: 0x108, bytes: 8 },
  satp: { at: 0x110, bytes: 8 },
  kernelPointer: { at: 0x118, bytes: 8 },
  stval: { at: 0x120, bytes: 8 },
  scause: { at: 0x128, bytes: 8 },
  fcsr: { at: 0x130, bytes: 8 },
  f: { at: 0x200, bytes: 8 },
})

/** In a vCPU's frame, behind what the guest has: what the kernel has while the guest runs, registers from ra on (guest-switch.ts). */
export const hostContext = layout(0x400, 'our own', {
  x: { at: 0x300, bytes: 8 },
  sstatus: { at: 0x3c0, bytes: 8 },
  hstatus: { at: 0x3c8, bytes: 8 },
  scounteren: { at: 0x3d0, bytes: 8 },
  senvcfg: { at: 0x3d8, bytes: 8 },
  stvec: { at: 0x3e0, bytes: 8 },
  sscratch: { at: 0x3e8, bytes: 8 },
})

/** There too: who runs the vCPU, by words that harts change at the same time. */
export const vcpuControl = layout(0x400, 'our own', {
  /** 1 while a thread is in `run`. */
  lock: { at: 0x190, bytes: 4 },
  /** MODE_: whether the hart is in the guest, so that it has to be interrupted to see what is new. */
  mode: { at: 0x198, bytes: 4 },
  /** Who is told when the thread loses its hart: links to the next (scheduling/preemption-notes.ts). */
  note: { at: 0x1d0, bytes: 8 },
})
export const MODE_OUTSIDE = 0
export const MODE_GUEST = 1
/** In the guest, and somebody has interrupted it already. */
export const MODE_LEAVING = 2
/** Watching for what may come: a change of the word is seen. */
export const MODE_WATCHING = 3

export function textOf(process: number): number {
  return TEXTS + process * TEXT_BYTES
}

export function vcpuFrameOf(vcpu: number): number {
  return VCPU_FRAMES + vcpu * frame.size
}

/** The number of the vCPU whose frame this is, over all machines. */
export function vcpuOf(frameAddress: number): number {
  return (frameAddress - VCPU_FRAMES) / frame.size
}

/** Index -1 is the frame of the idle loop: only its satp is used. */
export function taskFrameOf(task: number): number {
  return TASK_FRAMES + (task + 1) * taskFrame.size
}

export function hartFrameOf(hart: number): number {
  return HART_FRAMES + hart * taskFrame.size
}

/** The nth driver's DMA memory; the direct map gives the kernel the same addresses as the device. */
export function dmaRegion(index: number): { base: number; device: number; bytes: number } {
  const base = DMA + index * DMA_SHARE
  return { base, device: base, bytes: DMA_SHARE }
}

export function rootOf(vm: number): number {
  return ROOTS + vm * ROOT_BYTES
}

/** Where the pool of 4 KiB pages begins, with so many roots before it, and where it ends. */
export function pagePool(vms: number): { base: number; end: number } {
  return { base: rootOf(vms), end: KERNEL_BASE + KERNEL_BYTES }
}

// A process's own addresses.
export const USER_TEXT = 0x20_0000_0000
/** The word that a thread holds while it is in the VMM's devices. */
export const USER_LOCK = 0x20_0020_0000
/** A page a vCPU, shared with the kernel: see run-page.ts. */
const USER_RUN = USER_LOCK + 0x1000
/** Bytes on their way to the console. */
export const USER_CONSOLE = USER_LOCK + 0x3_0000
/** Slots of 2 KiB for frames of the network, shared with the kernel: to be sent, then received. */
export const USER_RINGS = USER_LOCK + 0x4_0000
/** Where a program is put that is no VMM. */
export const USER_PROGRAM = 0x20_1000_0000
export const USER_RAM = 0x30_0000_0000

export function userRunPage(vcpu: number): number {
  return USER_RUN + vcpu * 4096
}

export const RING_SLOTS = 16
export const SLOT_BYTES = 2048
/** Bytes of both rings. */
export const RING_BYTES = 2 * RING_SLOTS * SLOT_BYTES
