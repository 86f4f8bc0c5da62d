/** What numbers of a table stand for: found and held, given up, charged. */
import type { HandleObject, HandleTable } from './handles.ts'

export function getObject(table: HandleTable, number: number): HandleObject | undefined {
  if (number >= 32 || (table.used & (1 << number)) === 0) return undefined
  const object = table.objects[number]
  if (object.closing) return undefined
  object.users += 1
  return object
}

export function putObject(table: HandleTable, object: HandleObject): void {
  object.users -= 1
  if (object.closing && object.users === 0) {
    table.used &= ~(1 << object.number)
    table.freed += 1
  }
}

export function may(table: HandleTable, caller: number, object: HandleObject, operation: number): boolean {
  if (caller === object.owner) return true
  if ((table.rights[caller] & (1 << (object.kind * 8 + operation))) !== 0) return true
  table.refused += 1
  return false
}

export function charge(object: HandleObject, kind: number, amount: number, now: number): void {
  let passed = now - object.last
  object.spent[kind] += amount
  object.last = now
  while (passed > 0 && object.average > 0) {
    object.average -= (object.average + 7) >> 3
    passed -= 1
  }
  object.average += amount
}

export function firstFree(table: HandleTable): number {
  for (let index = 0; index < 32; index++) if ((table.used & (1 << index)) === 0) return index
  return -1
}

export function resetObject(object: HandleObject, owner: number, kind: number, now: number): void {
  object.kind = kind
  object.owner = owner
  object.users = 0
  object.closing = false
  object.total = 0
  object.wraps = 0
  object.due = 0
  object.head = 0
  object.tail = 0
  object.last = now
  object.average = 0
}
