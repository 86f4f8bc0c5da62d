/**
 * Software's variables as they are at first: of registered state, what for a program in memory its data section is. Whoever
 * has it begin anew copies that, and pays for it.
 */
/** What software registers: a record, or an array of numbers. */
type Variables = { [field: string]: number | boolean } | ArrayBufferView

export interface InitialData {
  readonly records: readonly Record<string, number | boolean>[]
  /** By record: its fields, and what they are at first. */
  readonly fields: readonly (readonly string[])[]
  readonly values: readonly (readonly (number | boolean)[])[]
  readonly arrays: readonly Float64Array[]
  readonly contents: readonly Float64Array[]
}

/** What the variables are now. Set-up. */
export function initialData(state: Readonly<Record<string, Variables>>): InitialData {
  const parts = Object.values(state)
  // Arrays of any kind are the same to who copies them.
  const arrays = parts.filter(part => ArrayBuffer.isView(part)) as unknown as Float64Array[]
  const records = parts.filter(part => !ArrayBuffer.isView(part)) as Record<string, number | boolean>[]
  return {
    records,
    fields: records.map(record => Object.keys(record)),
    values: records.map(record => Object.values(record)),
    arrays,
    contents: arrays.map(array => array.slice()),
  }
}

/** Makes them so again. */
export function loadData({ records, fields, values, arrays, contents }: InitialData): void {
  for (let array = 0; array < arrays.length; array++) {
    const to = arrays[array]
    const from = contents[array]
    for (let index = 0; index < to.length; index++) to[index] = from[index]
  }
  for (let record = 0; record < records.length; record++) {
    const to = records[record]
    const names = fields[record]
    const from = values[record]
    for (let index = 0; index < names.length; index++) to[names[index]] = from[index]
  }
}
