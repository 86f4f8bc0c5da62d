/**
 * Software's variables as they are at first: of registered state, what for a program in memory its data section is. That
 * is nothing that code does: whoever has it begin anew clears its memory, and pays for that.
 */
import type { StateRecord } from '../hw/port.ts'

export interface InitialData {
  readonly records: readonly Record<string, number | boolean>[]
  readonly values: readonly Readonly<Record<string, number | boolean>>[]
  readonly arrays: readonly Float64Array[]
  readonly contents: readonly Float64Array[]
}

/** What the variables are now. Set-up. */
export function initialData(state: Readonly<Record<string, StateRecord>>): InitialData {
  const parts = Object.values(state)
  // Arrays of any kind are the same to who copies them.
  const arrays = parts.filter(part => ArrayBuffer.isView(part)) as unknown as Float64Array[]
  const records = parts.filter(part => !ArrayBuffer.isView(part)) as Record<string, number | boolean>[]
  return {
    records,
    values: records.map(record => ({ ...record })),
    arrays,
    contents: arrays.map(array => array.slice()),
  }
}

/** Makes them so again. */
export function loadData({ records, values, arrays, contents }: InitialData): void {
  arrays.forEach((array, index) => array.set(contents[index]))
  records.forEach((record, index) => Object.assign(record, values[index]))
}
