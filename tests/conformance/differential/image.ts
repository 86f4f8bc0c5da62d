/** Lays random programs out in memory, with the monitor before them. */
import { assembleImage } from '../tools.ts'
import {
  ARENA_BYTES,
  arenaAt,
  ARENAS,
  CODE,
  DATA,
  ENTRY,
  FCSR,
  G_TABLES,
  INITIAL_F,
  INITIAL_X,
  ORIGIN,
  OWN_TABLE,
  PATTERN,
  PATTERN_BYTES,
  RAM,
  RESUME,
  S_TABLES,
  SETTING_VALUES,
  SETTINGS,
  SLOT_BYTES,
  SLOT_COUNT,
  TABLES_GUEST,
  TEMPLATES,
  VECTORS,
  VS_TABLES,
  type Setting,
} from './arena.ts'
import { MONITOR_PMP, monitorSource } from './monitor.ts'
import { BARE, NAPOT, NOWHERE, SV48, type Program, type Tables } from './program.ts'

const ECALL = 0x73
/** V, R, W, A, D. */
const READ_WRITE = 0xc7n
/** Offset of the entry for ORIGIN in a table of gigabytes. */
const ROOT_ENTRY = (ORIGIN / 2 ** 30) * 8
const MPP: Readonly<Record<Program['mode'], bigint>> = {
  M: 3n << 11n,
  S: 1n << 11n,
  U: 0n,
  VS: (1n << 11n) | (1n << 39n),
  VU: 1n << 39n,
}
const S_TOP = 0x1_2000
const VS_TOP = 0xb000
const G_MIDDLE = 0x1_3000

/** Where code begins for HS (and U), and for the guest (VS and VU). */
export function originsOf(program: Program, index: number): { host: number; guest: number } {
  const bare = arenaAt(index) + CODE
  return {
    host: program.mode === 'M' || program.satp.mode === BARE ? bare : ORIGIN,
    guest: program.vsatp.mode === BARE && program.hgatp.mode === BARE ? bare : ORIGIN,
  }
}

/** The arena of the index'th program of an image. */
function placeProgram(program: Program, index: number): Uint8Array {
  const arena = new Uint8Array(ARENA_BYTES)
  const view = new DataView(arena.buffer)
  const base = arenaAt(index)
  const put = (at: number, value: bigint): void => view.setBigUint64(at, BigInt.asUintN(64, value), true)
  const origins = originsOf(program, index)
  const guest = program.mode === 'VS' || program.mode === 'VU'

  const entry = (address: number, flags: bigint): bigint => (BigInt(Math.floor(address / 4096)) << 10n) | flags
  const point = (at: number, to: number): void => put(at, entry(to, 1n))
  /** Level 1 and level 0 of one set of tables. `pageAt` says where a page of the arena, or the pattern, lies for it. */
  const fill = (
    tables: Tables,
    level1: number,
    level0: number,
    level0Address: number,
    pageAt: (page: number) => number,
    pattern: number,
  ): void => {
    point(level1, level0Address)
    put(level1 + 8, entry(pattern, tables.superpage))
    put(level1 + 16, entry(pattern + 0x1000, tables.misaligned))
    put(level1 + 24, entry(level0Address, tables.pointer))
    const leafAt = (page: number): number =>
      page === NAPOT ? pattern + 0x8000 : page === NOWHERE ? 2 ** 49 : pageAt(page)
    tables.leaves.forEach(({ page, flags }, position) => put(level0 + position * 8, entry(leafAt(page), flags)))
  }
  const ownTable = (level0: number, address: number): void => put(level0 + OWN_TABLE * 8, entry(address, READ_WRITE))
  const physicalPage = (page: number): number => base + CODE + page * 0x1000
  const viaG = program.hgatp.mode !== BARE

  fill(program.satp, S_TABLES + 0x1000, S_TABLES + 0x2000, base + S_TABLES + 0x2000, physicalPage, PATTERN)
  ownTable(S_TABLES + 0x2000, base + S_TABLES + 0x2000)
  point(S_TABLES + ROOT_ENTRY, base + S_TABLES + 0x1000)
  point(S_TOP, base + S_TABLES)

  const guestTables = viaG ? TABLES_GUEST : base + VS_TABLES
  fill(
    program.vsatp,
    VS_TABLES + 0x1000,
    VS_TABLES + 0x2000,
    guestTables + 0x2000,
    page => (viaG ? ORIGIN + page * 0x1000 : physicalPage(page < 2 ? page : 2 + (page & 1))),
    viaG ? ORIGIN + 0x20_0000 : PATTERN,
  )
  ownTable(VS_TABLES + 0x2000, guestTables + 0x2000)
  point(VS_TABLES + ROOT_ENTRY, guestTables + 0x1000)
  point(VS_TOP, guestTables)

  const gLevel1 = G_TABLES + 0x4000
  fill(program.hgatp, gLevel1, gLevel1 + 0x1000, base + gLevel1 + 0x1000, physicalPage, PATTERN)
  for (let page = 0; page < 4; page++)
    put(gLevel1 + 0x1000 + (16 + page) * 8, entry(base + VS_TABLES + page * 0x1000, program.tableFlags))
  point(G_MIDDLE + ROOT_ENTRY, base + gLevel1)
  if (program.hgatp.mode === SV48) point(G_TABLES, base + G_MIDDLE)
  else point(G_TABLES + ROOT_ENTRY, base + gLevel1)

  const root = (tables: Tables, address39: number, address48: number): bigint =>
    tables.mode === BARE
      ? 0n
      : (BigInt(tables.mode) << 60n) | BigInt((tables.mode === SV48 ? address48 : address39) / 4096)
  const settings: Partial<Record<Setting, bigint>> = {
    pmpaddr0: BigInt(base / 4) | BigInt(ARENA_BYTES / 8 - 1),
    pmpaddr1: BigInt(PATTERN / 4) | BigInt(PATTERN_BYTES / 8 - 1),
    stimecmp: -1n,
    vstimecmp: -1n,
    ...program.settings,
    pmpcfg0: (program.settings.pmpcfg0 ?? 0x191fn) | MONITOR_PMP,
    satp: root(program.satp, base + S_TABLES, base + S_TOP),
    vsatp: root(program.vsatp, guestTables, guestTables + 0x3000),
    hgatp: root(program.hgatp, base + G_TABLES, base + G_TABLES),
    stvec:
      BigInt((program.satp.mode === BARE ? physicalPage(0) : ORIGIN) + VECTORS - CODE) | (program.settings.stvec ?? 0n),
    vstvec: BigInt(origins.guest + VECTORS - CODE) | (program.settings.vstvec ?? 0n),
  }
  SETTINGS.forEach((name, position) => put(SETTING_VALUES + position * 8, settings[name] ?? 0n))

  put(ENTRY, BigInt(guest ? origins.guest : origins.host))
  put(RESUME, MPP[program.mode])
  put(SLOT_COUNT, BigInt(program.slots.length))
  put(FCSR, BigInt(program.fcsr))
  program.x.forEach((value, register) => {
    const pointer = program.pointers.get(register)
    put(
      INITIAL_X + register * 8,
      pointer ? BigInt(pointer.guest ? origins.guest : origins.host) + pointer.offset : value,
    )
  })
  program.f.forEach((value, register) => put(INITIAL_F + register * 8, value))
  program.slots.forEach((words, slot) => {
    let at = CODE + slot * SLOT_BYTES
    const end = at + SLOT_BYTES
    for (const word of words) {
      if ((word & 3) === 3) {
        view.setUint32(at, word, true)
        at += 4
      } else {
        view.setUint16(at, word, true)
        at += 2
      }
    }
    if (at > end) throw new Error(`slot ${slot} of program ${program.seed} is too long`)
    for (; at < end; at += 2) view.setUint16(at, 1, true)
  })
  program.templates.forEach((word, index) => view.setUint32(CODE + TEMPLATES + index * 4, word, true))
  for (let at = VECTORS; at < DATA; at += 4) view.setUint32(at, ECALL, true)
  arena.set(program.data, DATA)
  return arena
}

/** An image of all of RAM, to be started at its first byte. */
export function buildImage(programs: readonly Program[]): Uint8Array {
  const image = new Uint8Array(ARENAS - RAM + programs.length * ARENA_BYTES)
  image.set(monitor(programs.length))
  for (let at = PATTERN - RAM; at < ARENAS - RAM; at++) image[at] = (at * 7 + (at >> 8)) & 0xfe
  programs.forEach((program, index) => image.set(placeProgram(program, index), arenaAt(index) - RAM))
  return image
}

const monitors = new Map<number, Uint8Array>()

function monitor(count: number): Uint8Array {
  const known = monitors.get(count)
  if (known) return known
  const assembled = assembleImage(monitorSource(count))
  monitors.set(count, assembled)
  return assembled
}
