/**
 * Each random program runs in an arena of its own: code, data, page tables and log, so that the memory after the run
 * tells everything. A monitor in M-mode (monitor.ts) takes every trap, writes a record and goes on at the next slot.
 *
 *   0x8000_0000  monitor
 *   0x8020_0000  a pattern that superpages show (2 MiB, read only)
 *   0x8040_0000  arenas, one after the other:
 *
 *      0x00000  header: saved registers, settings, initial registers
 *      0x01000  code: slots of 32 bytes; a trap ends a slot     ┐ at ORIGIN when translated,
 *      0x02000  vectors of HS and VS: each word is an ecall     │ else where they lie
 *      0x03000  data, two pages                                 ┘
 *      0x05000  tables of satp: root, level 1, level 0
 *      0x08000  tables of vsatp: root, level 1, level 0 (at guest physical TABLES_GUEST)
 *      0x0c000  tables of hgatp: root (16 KiB), level 1, level 0
 *      0x14000  log of records
 */

export const RAM = 0x8000_0000
export const PATTERN = 0x8020_0000
export const PATTERN_BYTES = 0x20_0000
export const ARENAS = 0x8040_0000
export const ARENA_BYTES = 0x2_0000

export const SAVED_X = 0x000
export const RECORD = 0x100
export const SLOT = 0x108
export const ENTRY = 0x110
export const RESUME = 0x118
export const SLOT_COUNT = 0x120
export const MSTATUS = 0x128
export const FCSR = 0x130
export const SETTING_VALUES = 0x200
export const INITIAL_X = 0x400
export const INITIAL_F = 0x500
export const CODE = 0x1000
/** In the code page, behind all slots: instructions that programs copy over the first one of a slot. */
export const TEMPLATES = 0x700
export const TEMPLATE_COUNT = 16
export const VECTORS = 0x2000
export const DATA = 0x3000
export const DATA_BYTES = 0x2000
export const S_TABLES = 0x5000
export const VS_TABLES = 0x8000
export const G_TABLES = 0xc000
export const LOG = 0x1_4000

export const SLOT_BYTES = 32
/** Slots of a program, the last one's ecall included. */
export const MOST_SLOTS = 40
export const RECORD_BYTES = 0x400
export const RECORD_F = 0x100
export const RECORD_CSRS = 0x200

/**
 * Where code begins when translated; vectors and data follow, then pages of every kind up to ORIGIN + 16 pages. It is
 * the start of a gigabyte in which no machine has anything.
 */
export const ORIGIN = 0x3_0000_0000
/**
 * 64 KiB behind the code a program finds a table's level 0: its own, where it is translated; else the G-stage's, which
 * lies so in the arena.
 */
export const OWN_TABLE = 16
/** Guest physical address of the four pages of vsatp's tables. */
export const TABLES_GUEST = ORIGIN + 0x1_0000

/** CSRs set before a program starts, in this order (mstatus but for MPP and MPV). */
export const SETTINGS = [
  'mstatus',
  'medeleg',
  'mideleg',
  'mcounteren',
  'menvcfg',
  'mie',
  'mip',
  'mcause',
  'mtval',
  'mtval2',
  'mtinst',
  'pmpaddr0',
  'pmpaddr1',
  'pmpcfg0',
  'satp',
  'stvec',
  'scounteren',
  'senvcfg',
  'sscratch',
  'sepc',
  'scause',
  'stval',
  'hstatus',
  'hedeleg',
  'hideleg',
  'hvip',
  'hcounteren',
  'henvcfg',
  'htval',
  'htinst',
  'hgatp',
  'vsstatus',
  'vstvec',
  'vsscratch',
  'vsepc',
  'vscause',
  'vstval',
  'vsatp',
  'stimecmp',
  'vstimecmp',
] as const
export type Setting = (typeof SETTINGS)[number]

/** CSRs in each record, in this order. mstatus is read first: the monitor turns the FPU on. */
export const RECORDED = [
  'mstatus',
  'mcause',
  'mepc',
  'mtval',
  'mtval2',
  'mtinst',
  'fcsr',
  'scause',
  'sepc',
  'stval',
  'sscratch',
  'satp',
  'stvec',
  'scounteren',
  'senvcfg',
  'hstatus',
  'hedeleg',
  'hideleg',
  'hvip',
  'hie',
  'hcounteren',
  'henvcfg',
  'htval',
  'htinst',
  'hgatp',
  'vsstatus',
  'vscause',
  'vsepc',
  'vstval',
  'vsscratch',
  'vsatp',
  'vstvec',
  'vsie',
  'vsip',
  'medeleg',
  'mideleg',
  'mie',
  'mip',
  'mcounteren',
  'menvcfg',
] as const
export type Recorded = (typeof RECORDED)[number]

export function arenaAt(index: number): number {
  return ARENAS + index * ARENA_BYTES
}
