/** Numbers that stand for objects, in the manner of a kernel's open files: who uses one, whether it may, and what for. */
import { charge, firstFree, getObject, may, putObject, resetObject } from './handle-objects.ts'

export const RING = 8
const COUNTER = 0
const ROUND = 1
const TIMER = 2

export interface HandleObject {
  kind: number
  owner: number
  users: number
  closing: boolean
  total: number
  wraps: number
  due: number
  head: number
  tail: number
  readonly number: number
  readonly ring: Int32Array
  readonly spent: Int32Array
  last: number
  average: number
}

export interface HandleTable {
  used: number
  readonly rights: Int32Array
  refused: number
  freed: number
  readonly objects: readonly HandleObject[]
}

type Operation = (object: HandleObject, value: number, now: number) => number

function addTo(object: HandleObject, value: number, now: number): number {
  const before = object.total
  object.total = (before + value) >>> 0
  if (object.total < before) object.wraps += 1
  charge(object, COUNTER, value, now)
  return object.total & 0xff
}

function pushTo(object: HandleObject, value: number, now: number): number {
  const next = (object.head + 1) & (RING - 1)
  if (next === object.tail) {
    object.tail = (object.tail + 1) & (RING - 1)
    object.wraps += 1
  }
  object.ring[object.head] = value
  object.head = next
  charge(object, ROUND, 1, now)
  return (object.head - object.tail) & (RING - 1)
}

function armAt(object: HandleObject, value: number, now: number): number {
  const due = now + (value & 0x3f)
  if (object.due !== 0 && object.due <= now) {
    object.wraps += 1
    object.due = 0
  }
  if (object.due === 0 || due < object.due) object.due = due
  charge(object, TIMER, 1, now)
  return object.due & 0xff
}

const OPERATIONS: readonly Operation[] = [addTo, pushTo, armAt]

/** A caller does something with what a number of its table stands for, if it may. */
export function useHandle(
  table: HandleTable,
  caller: number,
  number: number,
  operation: number,
  value: number,
  now: number,
): number {
  const object = getObject(table, number)
  if (object === undefined) return -9
  if (!may(table, caller, object, operation)) {
    putObject(table, object)
    return -13
  }
  const result = OPERATIONS[object.kind](object, value, now)
  putObject(table, object)
  return result
}

export function openHandle(table: HandleTable, owner: number, kind: number, now: number): number {
  const number = firstFree(table)
  if (number < 0) return -24
  resetObject(table.objects[number], owner, kind, now)
  table.used |= 1 << number
  return number
}

export function closeHandle(table: HandleTable, number: number): void {
  const object = getObject(table, number)
  if (object === undefined) return
  object.closing = true
  putObject(table, object)
}
