/**
 * Who may use what, whatever numbers a process has: by the domain that it is of, what may be done with each kind of open
 * file; and what belongs to one VMM process is that one's only, so that a process that has been taken over by its guest
 * reaches no other guest's.
 */
import type { HartPort } from '../../../hw/port.ts'
import { TABLES } from '../layout.ts'
import { descriptorTable } from './descriptor-tables.ts'
import {
  CONSOLE,
  DISK_FILE,
  EVENT_QUEUE,
  GUEST_DISK,
  KINDS,
  openFile,
  PIPE_READER,
  PIPE_WRITER,
  PROC_FILE,
  TAP,
  UDP_SOCKET,
  VIRTUAL_CPU,
  VIRTUAL_MACHINE,
} from './open-files.ts'

/** What a call wants to do. */
export const TO_READ = 1
export const TO_WRITE = 2
export const TO_CONTROL = 4

/** Domains. */
export const VMM_DOMAIN = 0
export const PROGRAM_DOMAIN = 1
/** Of a file that anybody of its domain may use. */
export const ANYBODY = 0

/** Domain, kind, what may be done. */
const RULES: readonly (readonly [number, number, number])[] = [
  [VMM_DOMAIN, VIRTUAL_CPU, TO_CONTROL],
  [VMM_DOMAIN, VIRTUAL_MACHINE, TO_CONTROL],
  [VMM_DOMAIN, GUEST_DISK, TO_READ | TO_WRITE],
  [VMM_DOMAIN, TAP, TO_READ | TO_WRITE],
  [VMM_DOMAIN, CONSOLE, TO_WRITE],
  [VMM_DOMAIN, EVENT_QUEUE, TO_READ | TO_WRITE | TO_CONTROL],
  [PROGRAM_DOMAIN, PIPE_READER, TO_READ],
  [PROGRAM_DOMAIN, PIPE_WRITER, TO_WRITE],
  [PROGRAM_DOMAIN, DISK_FILE, TO_READ | TO_WRITE],
  [PROGRAM_DOMAIN, UDP_SOCKET, TO_WRITE],
  [PROGRAM_DOMAIN, PROC_FILE, TO_READ],
]

function ruleAt(domain: number, kind: number): number {
  return TABLES.rules + (domain * KINDS + kind) * 4
}

/** Loads the rules. */
export function createSecurity(port: HartPort): void {
  port.fill(TABLES.rules, 0, 2 * KINDS * 4)
  for (let index = 0; index < RULES.length; index++) {
    const rule = RULES[index]
    port.store32(ruleAt(rule[0], rule[1]), rule[2])
  }
}

/** True if the process with this table may do so with this open file; what is refused is counted. */
export function mayUse(port: HartPort, table: number, file: number, what: number): boolean {
  const allowed = port.load32(
    ruleAt(port.load32(table + descriptorTable.domain.at), port.load32(file + openFile.kind.at)),
  )
  const owner = port.load32(file + openFile.owner.at)
  if ((allowed & what) !== 0 && (owner === ANYBODY || owner === port.load32(table + descriptorTable.identity.at)))
    return true
  const refused = table + descriptorTable.refused.at
  port.store32(refused, port.load32(refused) + 1)
  return false
}
