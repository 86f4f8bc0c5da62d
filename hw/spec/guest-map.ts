/** The address map that a guest sees, a part of board `virt`'s: what both VMMs emulate and the guest's device tree says. */
export const GUEST_RAM = 0x8000_0000
/** Where the kernel is put and entered. */
export const GUEST_KERNEL = 0x8020_0000

/** Register windows and their interrupt sources. */
export const GUEST_MAP = {
  finisher: { base: 0x10_0000, bytes: 0x1000, source: 0 },
  plic: { base: 0xc00_0000, bytes: 0x60_0000, source: 0 },
  uart: { base: 0x1000_0000, bytes: 0x100, source: 10 },
  disk: { base: 0x1000_1000, bytes: 0x1000, source: 1 },
  network: { base: 0x1000_2000, bytes: 0x1000, source: 2 },
  console: { base: 0x1000_3000, bytes: 0x1000, source: 3 },
} as const
/** Sources of the guest's PLIC. */
export const GUEST_SOURCES = 31
