/**
 * Copies of a software's registered state. One is taken at the start of each entry, so it has to be quick: the fields
 * of a record are named in a function generated for it (keyed access costs five times as much), and typed arrays are
 * block copies.
 */
import type { Plain } from '../../bus/chip.ts'
import type { SoftwareState, StateRecord } from '../../port.ts'

type Fields = { [field: string]: number | boolean }
type Numbers = Int32Array | Uint32Array | Uint8Array | Float64Array
type Read = (records: readonly Fields[], into: Float64Array) => void

/** All records' fields, in order, and a copy of each array. */
export interface StateCopy {
  readonly fields: Float64Array
  readonly arrays: readonly Numbers[]
}

function isArray(record: StateRecord): record is Numbers {
  return ArrayBuffer.isView(record)
}

export class StateCopier {
  readonly #names: readonly string[]
  readonly #records: readonly Fields[]
  readonly #arrays: readonly Numbers[]
  readonly #keys: readonly (readonly string[])[]
  readonly #booleans: readonly (readonly boolean[])[]
  readonly #read: Read
  readonly #count: number

  /** Throws if a record holds anything but numbers and booleans. */
  constructor(software: string, state: SoftwareState) {
    this.#names = Object.keys(state)
    const values = Object.values(state)
    this.#records = values.filter((record): record is Fields => !isArray(record))
    this.#arrays = values.filter(isArray)
    this.#keys = this.#records.map(record => Object.keys(record))
    for (const record of this.#records) {
      for (const [field, value] of Object.entries(record)) {
        if (typeof value === 'number' || typeof value === 'boolean') continue
        throw new TypeError(
          `${software}: state field ${field} is ${typeof value}; only numbers, booleans and numeric arrays are saved`,
        )
      }
    }
    this.#booleans = this.#records.map(record => Object.values(record).map(value => typeof value === 'boolean'))
    this.#count = this.#keys.reduce((sum, keys) => sum + keys.length, 0)
    this.#read = generateRead(this.#keys)
  }

  make(): StateCopy {
    const copy = { fields: new Float64Array(this.#count), arrays: this.#arrays.map(array => array.slice()) }
    this.#read(this.#records, copy.fields)
    return copy
  }

  /** Takes the present state into `copy`, made by this copier. */
  take(copy: StateCopy): void {
    this.#read(this.#records, copy.fields)
    const arrays = this.#arrays
    for (let i = 0; i < arrays.length; i++) copy.arrays[i].set(arrays[i])
  }

  /** Makes the state what `copy` holds. */
  put(copy: StateCopy): void {
    let at = 0
    this.#records.forEach((record, index) => {
      this.#keys[index].forEach((key, field) => {
        const value = copy.fields[at++]
        record[key] = this.#booleans[index][field] ? value !== 0 : value
      })
    })
    this.#arrays.forEach((array, index) => array.set(copy.arrays[index]))
  }

  /** `copy` as it goes into a snapshot. */
  toPlain(copy: StateCopy): Plain {
    return {
      names: this.#names,
      fields: bytesOf(copy.fields).slice(),
      arrays: copy.arrays.map(array => bytesOf(array).slice()),
    }
  }

  /** What `toPlain` gave. Throws if the software's state has another shape now. */
  fromPlain(plain: Plain): StateCopy {
    const { names, fields, arrays } = plain as { names: string[]; fields: Uint8Array; arrays: Uint8Array[] }
    const copy = this.make()
    const fits =
      names.join() === this.#names.join() &&
      fields.length === copy.fields.byteLength &&
      arrays.length === copy.arrays.length &&
      arrays.every((array, index) => array.length === copy.arrays[index].byteLength)
    if (!fits)
      throw new Error(
        `saved state has records ${names.join()}, the software has ${this.#names.join()}, or their sizes differ`,
      )
    bytesOf(copy.fields).set(fields)
    arrays.forEach((array, index) => bytesOf(copy.arrays[index]).set(array))
    return copy
  }
}

function bytesOf(array: Numbers): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

function generateRead(keys: readonly (readonly string[])[]): Read {
  let at = 0
  const lines = keys.flatMap((names, index) => [
    `const r${index} = records[${index}]`,
    ...names.map(name => `into[${at++}] = +r${index}[${JSON.stringify(name)}]`),
  ])
  // Five times as fast as keyed access; the text is made of field names alone, quoted.
  // oxlint-disable-next-line typescript/no-implied-eval
  return new Function('records', 'into', lines.join('\n')) as Read
}
