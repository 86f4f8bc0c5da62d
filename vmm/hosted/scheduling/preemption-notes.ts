/**
 * Who wants to be told when a thread loses its hart: a list a thread, linked through nodes of theirs. The scheduler knows nobody
 * by name: a hypervisor is told so, and takes its vCPU's registers off the hart.
 */
import type { HartPort } from '../../../hw/port.ts'
import { entity, threadEntity } from './entity.ts'

/** Where a thread's list begins. */
function headOf(thread: number): number {
  return threadEntity(thread) + entity.notes.at
}

/** Puts a node, eight bytes in RAM, at the head of a thread's list. */
export function addNote(port: HartPort, thread: number, node: number): void {
  const head = headOf(thread)
  port.store64(node, port.load64(head))
  port.store64(head, node)
}

/** Takes it out again, if it is there. */
export function removeNote(port: HartPort, thread: number, node: number): void {
  let link = headOf(thread)
  for (let at = port.load64(link); at !== 0; at = port.load64(link)) {
    if (at === node) {
      port.store64(link, port.load64(node))
      return
    }
    link = at
  }
}

/** True if somebody is to be told. */
export function hasNotes(port: HartPort, thread: number): boolean {
  return port.load64(headOf(thread)) !== 0
}
