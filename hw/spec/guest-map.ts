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
/** Network cards on cables to other guests: the first one's window, the others follow, with the sources behind its own. */
export const GUEST_CABLES = { base: 0x1000_4000, bytes: 0x1000, source: 4, most: 5 } as const
/** Sources of the guest's PLIC, or of its APLIC. */
export const GUEST_SOURCES = 31

/** What a guest has that drives devices of its own, at the board's addresses; INTA is `source`, the other wires follow. */
export const GUEST_PCIE = {
  ecam: { base: 0x3000_0000, bytes: 0x10_0000 },
  memory32: { base: 0x4000_0000, bytes: 0x4000_0000 },
  memory64: { base: 0x4_0000_0000, bytes: 0x4_0000_0000 },
  source: 16,
} as const

/** In place of the PLIC, for a guest that takes messages: an interrupt file a vCPU, a page each, and an APLIC for wires. */
export const GUEST_AIA = {
  aplic: { base: 0xd00_0000, bytes: 0x8000 },
  imsic: { base: 0x2800_0000 },
} as const

/** Doorbell pages of rings: of a guest's disk and network card in a driver domain, and of such a domain itself. */
export const GUEST_RINGS = {
  disk: { base: 0x1000_9000, bytes: 0x1000, source: 12 },
  network: { base: 0x1000_a000, bytes: 0x1000, source: 13 },
  backend: { base: 0x1000_b000, bytes: 0x1000, source: 14 },
} as const
