/**
 * What each hart's first-level caches hold, a byte a line, in linear memory behind RAM: the caches' model keeps it, and
 * executors look there instead of comparing tags. A line's number counts from the first region of memory; behind the last
 * lies room that is no memory: the text of TypeScript software (hw/hart/port/text.ts), which only the caches know.
 *
 * Beside it, again for each hart, a byte for each line of predecoded code: 1 if it may be executed without asking.
 */
import { RECORD_SCALE } from '../translate/record.ts'

/** In the data cache: may be read; may be written, and has been; no other cache has it; and in the instruction cache. */
export const READABLE = 1
export const WRITABLE = 2
export const SOLE = 4
export const FETCHABLE = 8

/** Bytes of text for all software of a machine. */
export const TEXT_BYTES = 2 ** 22

export class LineTables {
  readonly lineBytes: number
  readonly shift: number
  /** From the address of a record to its line of code. */
  readonly recordShift: number
  /** Line number of the first byte of text. */
  readonly textLine: number
  /** Lines that have a number, and bytes of a hart's tables. */
  readonly lines: number
  readonly bytes: number
  /** Host offset of the first byte that has a line, of the tables, and of predecoded code. */
  readonly firstHost: number
  readonly tablesHost: number
  readonly codeHost: number

  /** Regions lie in [`firstHost`, `endHost`), both aligned to pages; the tables begin behind them. */
  constructor(lineBytes: number, firstHost: number, endHost: number, codeHost: number, codeBytes: number) {
    this.lineBytes = lineBytes
    this.shift = Math.log2(lineBytes)
    this.recordShift = Math.log2(lineBytes * RECORD_SCALE)
    this.firstHost = firstHost
    this.tablesHost = endHost
    this.codeHost = codeHost
    this.textLine = (endHost - firstHost) / lineBytes
    this.lines = this.textLine + TEXT_BYTES / lineBytes
    this.bytes = this.lines + codeBytes / (lineBytes * RECORD_SCALE)
  }

  /** The number of the line at a host offset. */
  lineOf(host: number): number {
    return (host - this.firstHost) >>> this.shift
  }

  hostOf(line: number): number {
    return this.firstHost + line * this.lineBytes
  }

  /** Host offset of a hart's table. */
  tableOf(hart: number): number {
    return this.tablesHost + hart * this.bytes
  }

  /** Host offset of the byte for the line of code that the record at `record` belongs to. */
  codeByteOf(hart: number, record: number): number {
    return this.tableOf(hart) + this.lines + ((record - this.codeHost) >>> this.recordShift)
  }
}
