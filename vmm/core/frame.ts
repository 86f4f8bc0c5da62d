/**
 * A vCPU's frame in RAM: what the world switch saves and restores. The general registers change at each exit, the
 * rest only when another vCPU comes to the hart.
 */
import { layout } from '../../hw/spec/layout.ts'

/** Offsets are used by the assembly of world-switch.ts and by vcpu-state.ts. `x` is x0..x31; x0's slot is unused. */
export const frame = layout(0x400, 'our own', {
  x: { at: 0x000, bytes: 8 },
  sepc: { at: 0x100, bytes: 8 },
  sstatus: { at: 0x108, bytes: 8 },
  hstatus: { at: 0x110, bytes: 8 },
  vsstatus: { at: 0x118, bytes: 8 },
  vsie: { at: 0x120, bytes: 8 },
  vstvec: { at: 0x128, bytes: 8 },
  vsscratch: { at: 0x130, bytes: 8 },
  vsepc: { at: 0x138, bytes: 8 },
  vscause: { at: 0x140, bytes: 8 },
  vstval: { at: 0x148, bytes: 8 },
  vsatp: { at: 0x150, bytes: 8 },
  vstimecmp: { at: 0x158, bytes: 8 },
  hvip: { at: 0x160, bytes: 8 },
  hgatp: { at: 0x168, bytes: 8 },
  htimedelta: { at: 0x170, bytes: 8 },
  scounteren: { at: 0x178, bytes: 8 },
  fcsr: { at: 0x180, bytes: 8 },
  senvcfg: { at: 0x188, bytes: 8 },
  /** On machines with interrupt files. */
  vsiselect: { at: 0x190, bytes: 8 },
  /** Locks: of the vCPU's interrupts; and, in the frame of a machine's first vCPU, of its memory and of its devices. */
  lock: { at: 0x1a0, bytes: 8 },
  memoryLock: { at: 0x1b0, bytes: 8 },
  deviceLock: { at: 0x1c0, bytes: 8 },
  f: { at: 0x200, bytes: 8 },
})

/** Address of a general register's slot. */
export function slotOf(base: number, register: number): number {
  return base + register * 8
}
