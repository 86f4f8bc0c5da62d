/**
 * What each process has open, by numbers of its own, and which system calls it may make. Threads of a process share its
 * table: a call holds what it uses, unless nobody could close it meanwhile.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'
import { useOpen } from './open-files.ts'

export const descriptorTable = layout(0x100, 'our own', {
  /** Threads that go by it. */
  sharers: { at: 0x00, bytes: 4 },
  /** What kind of process it is, and which of its kind (security.ts); how often it was refused something. */
  domain: { at: 0x04, bytes: 4 },
  identity: { at: 0x08, bytes: 4 },
  refused: { at: 0x0c, bytes: 4 },
  /** A bit for each system call that it may make. */
  calls: { at: 0x10, bytes: 4 },
  /** Where the open file's record lies, by number; 0 for none. */
  entries: { at: 0x30, bytes: 4 },
})
const CALLS = 256
export const MOST_DESCRIPTORS = 48
const BITS = 32
/** Of a file that is held for a call; records are aligned. */
const HELD = 1

export function descriptorTableAt(space: number): number {
  return TABLES.descriptorTables + space * descriptorTable.size
}

/** A process with nothing open, which may make no calls. */
export function createDescriptorTable(port: HartPort, table: number, domain: number, identity: number): void {
  port.fill(table, 0, descriptorTable.size)
  port.store32(table + descriptorTable.sharers.at, 1)
  port.store32(table + descriptorTable.domain.at, domain)
  port.store32(table + descriptorTable.identity.at, identity)
}

export function permit(port: HartPort, table: number, call: number): void {
  const word = table + descriptorTable.calls.at + (call >>> 5) * 4
  port.store32(word, port.load32(word) | (1 << (call & (BITS - 1))))
}

/** True if the process may make this call. */
export function isPermitted(port: HartPort, table: number, call: number): boolean {
  if (call >= CALLS) return false
  return (port.load32(table + descriptorTable.calls.at + (call >>> 5) * 4) & (1 << (call & (BITS - 1)))) !== 0
}

/** Puts an open file behind a number. */
export function install(port: HartPort, table: number, number: number, file: number): void {
  port.store32(table + descriptorTable.entries.at + number * 4, file)
}

/** The lowest number from `first` on that has nothing, or -1. */
export function freeNumber(port: HartPort, table: number, first: number): number {
  for (let number = first; number < MOST_DESCRIPTORS; number++)
    if (port.load32(table + descriptorTable.entries.at + number * 4) === 0) return number
  return -1
}

/** What is behind a number, for a call that lets go of it afterwards; 0 if there is nothing. */
export function lookUp(port: HartPort, table: number, number: number): number {
  if (number >= MOST_DESCRIPTORS) return 0
  const entry = table + descriptorTable.entries.at + number * 4
  const file = port.load32(entry)
  if (file === 0 || port.load32(table + descriptorTable.sharers.at) === 1) return file
  useOpen(port, file, 1)
  // Another thread may have closed it meanwhile.
  if (port.load32(entry) === file) return file + HELD
  useOpen(port, file, -1)
  return 0
}

/** Where the record of what was looked up lies. */
export function recordOf(found: number): number {
  return found - (found % 2)
}

/** The call is over. */
export function letGo(port: HartPort, found: number): void {
  if (found % 2 === HELD) useOpen(port, found - HELD, -1)
}

/** Closes a number; false if there was nothing. */
export function close(port: HartPort, table: number, number: number): boolean {
  if (number >= MOST_DESCRIPTORS) return false
  const entry = table + descriptorTable.entries.at + number * 4
  const file = port.load32(entry)
  if (file === 0) return false
  port.store32(entry, 0)
  useOpen(port, file, -1)
  return true
}

/** A process is over: it has nothing open. */
export function closeAll(port: HartPort, table: number): void {
  for (let number = 0; number < MOST_DESCRIPTORS; number++) close(port, table, number)
}

/** A new process has open what another has, and may do the same. */
export function inherit(port: HartPort, table: number, from: number): void {
  port.copy(table, from, descriptorTable.size)
  port.store32(table + descriptorTable.sharers.at, 1)
  port.store32(table + descriptorTable.refused.at, 0)
  for (let number = 0; number < MOST_DESCRIPTORS; number++) {
    const file = port.load32(table + descriptorTable.entries.at + number * 4)
    if (file !== 0) useOpen(port, file, 1)
  }
}
