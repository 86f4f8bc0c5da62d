/** Text on its way to a reader: names and numbers, line by line, in a page of the kernel's. */
import type { HartPort } from '../../../hw/port.ts'
import { TABLES } from '../layout.ts'

export const ROOM = 4096
const SPACE = 0x20
const NEW_LINE = 0x0a
const ZERO = 0x30

/** A name as it is written. Set-up. */
export function ascii(name: string): Uint8Array {
  return Uint8Array.from(name, letter => letter.charCodeAt(0))
}

export class Text {
  /** Bytes so far. */
  readonly record = { bytes: 0 }

  begin(): void {
    this.record.bytes = 0
  }

  #put(port: HartPort, byte: number): void {
    const { record } = this
    if (record.bytes === ROOM) return
    port.store8(TABLES.text + record.bytes, byte)
    record.bytes++
  }

  name(port: HartPort, name: Uint8Array): void {
    for (let index = 0; index < name.length; index++) this.#put(port, name[index])
  }

  /** A space, then the number. */
  number(port: HartPort, value: number): void {
    this.#put(port, SPACE)
    let unit = 1
    while (Math.floor(value / unit) >= 10) unit *= 10
    let left = value
    while (unit >= 1) {
      const digit = Math.floor(left / unit)
      this.#put(port, ZERO + digit)
      left -= digit * unit
      unit = Math.floor(unit / 10)
    }
  }

  line(port: HartPort): void {
    this.#put(port, NEW_LINE)
  }

  /** A line of a name and a number. */
  pair(port: HartPort, name: Uint8Array, value: number): void {
    this.name(port, name)
    this.number(port, value)
    this.line(port)
  }
}
