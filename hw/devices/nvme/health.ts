/** What the log pages report: NVMe 1.4 5.14.1. */
import type { Plain, Saved } from '../../bus/chip.ts'
import { LOG, STATUS } from '../../spec/devices/nvme.ts'
import { errorLogEntry, smartLog } from '../../spec/layouts/nvme.ts'
import { ERROR_LOG_ENTRIES } from './identify.ts'

type LoggedError = {
  readonly count: number
  readonly queue: number
  readonly cid: number
  readonly status: number
  readonly lba: number
  readonly nsid: number
}

type Counts = {
  sectorsRead: number
  sectorsWritten: number
  reads: number
  writes: number
  mediaErrors: number
  errors: number
  powerCycles: number
  unsafeShutdowns: number
}

/** Kelvin: the drive's one sensor reads 40 °C. */
export const TEMPERATURE = 313

export class Health implements Saved {
  #counts: Counts = {
    sectorsRead: 0,
    sectorsWritten: 0,
    reads: 0,
    writes: 0,
    mediaErrors: 0,
    errors: 0,
    powerCycles: 1,
    unsafeShutdowns: 0,
  }
  #errors: LoggedError[] = []

  read(sectors: number): void {
    this.#counts.reads++
    this.#counts.sectorsRead += sectors
  }

  wrote(sectors: number): void {
    this.#counts.writes++
    this.#counts.sectorsWritten += sectors
  }

  powerLost(): void {
    this.#counts.unsafeShutdowns++
    this.#counts.powerCycles++
  }

  error(queue: number, cid: number, status: number, lba: number, nsid: number): void {
    this.#counts.errors++
    if (status === STATUS.UNRECOVERED_READ_ERROR || status === STATUS.WRITE_FAULT) this.#counts.mediaErrors++
    this.#errors = [{ count: this.#counts.errors, queue, cid, status, lba, nsid }, ...this.#errors].slice(
      0,
      ERROR_LOG_ENTRIES,
    )
  }

  /** The whole page, or nothing for a page that there is not. */
  page(id: number, firmware: string, temperatureOut: boolean): Uint8Array | undefined {
    if (id === LOG.SMART) return this.#smart(temperatureOut)
    if (id === LOG.ERROR) return this.#errorPage()
    if (id !== LOG.FIRMWARE_SLOT) return undefined
    const page = new Uint8Array(512)
    page[0] = 1
    for (let i = 0; i < 8; i++) page[8 + i] = firmware.padEnd(8).charCodeAt(i)
    return page
  }

  #smart(temperatureOut: boolean): Uint8Array {
    const page = new Uint8Array(smartLog.size)
    const view = new DataView(page.buffer)
    const counts = this.#counts
    view.setUint8(
      smartLog.CRITICAL_WARNING.at,
      temperatureOut ? 1 << smartLog.CRITICAL_WARNING.fields.TEMPERATURE.low : 0,
    )
    view.setUint16(smartLog.TEMPERATURE.at, TEMPERATURE, true)
    view.setUint8(smartLog.AVAILABLE_SPARE.at, 100)
    view.setUint8(smartLog.AVAILABLE_SPARE_THRESHOLD.at, 10)
    const put = (member: { readonly at: number }, value: number) => {
      view.setUint32(member.at, value >>> 0, true)
      view.setUint32(member.at + 4, Math.floor(value / 2 ** 32), true)
    }
    put(smartLog.DATA_UNITS_READ, Math.ceil(counts.sectorsRead / 1000))
    put(smartLog.DATA_UNITS_WRITTEN, Math.ceil(counts.sectorsWritten / 1000))
    put(smartLog.HOST_READ_COMMANDS, counts.reads)
    put(smartLog.HOST_WRITE_COMMANDS, counts.writes)
    put(smartLog.POWER_CYCLES, counts.powerCycles)
    put(smartLog.UNSAFE_SHUTDOWNS, counts.unsafeShutdowns)
    put(smartLog.MEDIA_ERRORS, counts.mediaErrors)
    put(smartLog.ERROR_LOG_ENTRIES, counts.errors)
    return page
  }

  #errorPage(): Uint8Array {
    const page = new Uint8Array(errorLogEntry.size * ERROR_LOG_ENTRIES)
    const view = new DataView(page.buffer)
    this.#errors.forEach((error, index) => {
      const at = index * errorLogEntry.size
      view.setUint32(at + errorLogEntry.ERROR_COUNT.at, error.count, true)
      view.setUint16(at + errorLogEntry.SQID.at, error.queue, true)
      view.setUint16(at + errorLogEntry.CID.at, error.cid, true)
      view.setUint16(at + errorLogEntry.STATUS.at, error.status << 1, true)
      view.setUint16(at + errorLogEntry.LOCATION.at, 0xffff, true)
      view.setUint32(at + errorLogEntry.LBA.at, error.lba >>> 0, true)
      view.setUint32(at + errorLogEntry.LBA.at + 4, Math.floor(error.lba / 2 ** 32), true)
      view.setUint32(at + errorLogEntry.NSID.at, error.nsid, true)
    })
    return page
  }

  save(): Plain {
    return { counts: { ...this.#counts }, errors: this.#errors.map(error => ({ ...error })) }
  }

  restore(state: Plain): void {
    const saved = state as { counts: Counts; errors: readonly LoggedError[] }
    this.#counts = { ...saved.counts }
    this.#errors = saved.errors.map(error => ({ ...error }))
  }
}
