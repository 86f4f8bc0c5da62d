/**
 * Files under /proc: what the kernel has counted, written down when somebody reads it. Nothing of them lies anywhere: each
 * read makes the text anew and takes its part of it.
 */
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { TABLES } from '../layout.ts'
import { ascii, type Text } from './text.ts'

/** A file's name, and how its text is made. */
export interface ProcFile {
  readonly name: Uint8Array
  readonly write: (port: HartPort, text: Text) => void
}

const DIRECTORY = ascii('/proc/')
export const NO_PROC_FILE = -1

export class ProcFiles {
  readonly state: Record<string, StateRecord>
  readonly #files: readonly ProcFile[]
  readonly #text: Text

  constructor(files: readonly ProcFile[], text: Text) {
    this.#files = files
    this.#text = text
    this.state = { 'proc text': text.record }
  }

  /** The number of the file whose path of so many bytes has been copied in, or NO_PROC_FILE. */
  named(port: HartPort, length: number): number {
    if (!isAt(port, TABLES.path, DIRECTORY)) return NO_PROC_FILE
    for (let number = 0; number < this.#files.length; number++) {
      const { name } = this.#files[number]
      if (length === DIRECTORY.length + name.length && isAt(port, TABLES.path + DIRECTORY.length, name)) return number
    }
    return NO_PROC_FILE
  }

  /** Makes a file's text in the kernel's page; its bytes. */
  write(port: HartPort, number: number): number {
    const text = this.#text
    text.begin()
    this.#files[number].write(port, text)
    return text.record.bytes
  }
}

/** True if these bytes lie there. */
function isAt(port: HartPort, address: number, bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if (port.load8(address + index) !== bytes[index]) return false
  return true
}
