/** What is open: records in RAM of files, pipes' ends, sockets, virtual machines, each with how many use it. The last one closes it. */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'

export const openFile = layout(0x20, 'our own', {
  /** Descriptors, and calls under way. */
  users: { at: 0x00, bytes: 4 },
  kind: { at: 0x04, bytes: 4 },
  /** Which of its kind, and how it was opened. */
  object: { at: 0x08, bytes: 4 },
  flags: { at: 0x0c, bytes: 4 },
  /** Whose it is (security.ts). */
  owner: { at: 0x10, bytes: 4 },
  /** How far it has been read. */
  position: { at: 0x14, bytes: 4 },
})
export const MOST_OPEN = 384

export const PIPE_READER = 1
export const PIPE_WRITER = 2
export const DISK_FILE = 3
export const UDP_SOCKET = 4
export const VIRTUAL_CPU = 5
export const VIRTUAL_MACHINE = 6
export const GUEST_DISK = 7
export const TAP = 8
export const CONSOLE = 9
export const EVENT_QUEUE = 10
export const PROC_FILE = 11
export const KINDS = 16

function openFileAt(number: number): number {
  return TABLES.openFiles + number * openFile.size
}

/** There is nothing open. */
export function createOpenFiles(port: HartPort): void {
  port.fill(TABLES.openFiles, 0, MOST_OPEN * openFile.size)
}

/** Where a new record lies, with one user; 0 if there is no room. */
export function openNew(port: HartPort, kind: number, object: number, flags: number, owner: number): number {
  let number = 0
  while (number < MOST_OPEN && port.load32(openFileAt(number) + openFile.users.at) !== 0) number++
  if (number === MOST_OPEN) return 0
  const at = openFileAt(number)
  port.store32(at + openFile.users.at, 1)
  port.store32(at + openFile.kind.at, kind)
  port.store32(at + openFile.object.at, object)
  port.store32(at + openFile.flags.at, flags)
  port.store32(at + openFile.owner.at, owner)
  port.store32(at + openFile.position.at, 0)
  return at
}

/** One user more, or (by -1) one less. */
export function useOpen(port: HartPort, at: number, by: number): void {
  port.add32(at + openFile.users.at, by)
}
