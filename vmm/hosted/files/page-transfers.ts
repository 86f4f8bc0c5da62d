/**
 * Requests through the page cache: their pages are found, taken and read, and when all are there, copied to or from the
 * process, in its own address space.
 */
import { maskOf } from '../../../hw/spec/csr.ts'
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { sstatus } from '../../../hw/spec/csrs/supervisor.ts'
import { CACHE_PAGE, NO_PAGE, type PageCache, READING, VALID } from '../page-cache.ts'
import type { Process } from '../process.ts'
import { DISK_DONE, DISK_FAILED, DISK_MOST_SECTORS, DISK_READ, DISK_STARTED } from '../system-calls.ts'
import type { Journal } from './journal.ts'
import type { PageReader } from './page-reader.ts'
import type { WriteBack } from './write-back.ts'

const SECTOR = 512
const PAGE_SECTORS = CACHE_PAGE / SECTOR
/** Pages that a request may touch. */
const SPAN = DISK_MOST_SECTORS / PAGE_SECTORS + 1
/** sstatus.SUM: the kernel may reach the pages of the process. */
const SUM = maskOf(sstatus, 'SUM')

export class PageTransfers {
  readonly state: Record<string, StateRecord>
  /** By request: what is asked, how many of its pages it has, and which. */
  readonly #operation: Int32Array
  readonly #sector: Float64Array
  readonly #count: Int32Array
  readonly #address: Float64Array
  readonly #gathered: Int32Array
  readonly #pages: Int32Array
  readonly #cache: PageCache
  readonly #reader: PageReader
  readonly #writeBack: WriteBack
  readonly #journal: Journal

  constructor(requests: number, cache: PageCache, reader: PageReader, writeBack: WriteBack, journal: Journal) {
    this.#cache = cache
    this.#reader = reader
    this.#writeBack = writeBack
    this.#journal = journal
    this.#operation = new Int32Array(requests)
    this.#sector = new Float64Array(requests)
    this.#count = new Int32Array(requests)
    this.#address = new Float64Array(requests)
    this.#gathered = new Int32Array(requests)
    this.#pages = new Int32Array(requests * SPAN)
    this.state = {
      operation: this.#operation,
      sector: this.#sector,
      count: this.#count,
      address: this.#address,
      gathered: this.#gathered,
      pages: this.#pages,
    }
  }

  /** A new request. */
  ask(request: number, operation: number, sector: number, count: number, address: number): void {
    this.#operation[request] = operation
    this.#sector[request] = sector
    this.#count[request] = count
    this.#address[request] = address
    this.#gathered[request] = 0
  }

  /** Finds or takes the pages of a request and starts reading those that it needs. False: the cache has none to give now. */
  gather(port: HartPort, file: number, request: number): boolean {
    const sector = this.#sector[request]
    const first = Math.floor(sector / PAGE_SECTORS)
    const pages = Math.ceil((sector + this.#count[request]) / PAGE_SECTORS) - first
    const isRead = this.#operation[request] === DISK_READ
    for (let index = this.#gathered[request]; index < pages; index++) {
      const needed = this.#needsContents(request, first + index)
      const page = this.#reader.get(port, file, first + index, pages - index, isRead, needed)
      if (page === NO_PAGE) {
        this.#writeBack.writeAll(port)
        return false
      }
      this.#pages[request * SPAN + index] = page
      this.#gathered[request] = index + 1
    }
    this.#reader.done(port, file, isRead, first + pages)
    return true
  }

  /** True unless the request writes the whole page. */
  #needsContents(request: number, page: number): boolean {
    if (this.#operation[request] === DISK_READ) return true
    const sector = this.#sector[request]
    return page * PAGE_SECTORS < sector || (page + 1) * PAGE_SECTORS > sector + this.#count[request]
  }

  /** Copies between the pages and the process, once all are there: a DISK_ result, DISK_STARTED as long as some are being read. */
  transfer(port: HartPort, process: Process, request: number): number {
    const cache = this.#cache
    const { file } = process.record
    const count = this.#gathered[request]
    const first = Math.floor(this.#sector[request] / PAGE_SECTORS)
    for (let index = 0; index < count; index++) {
      const flags = cache.flags(port, this.#pages[request * SPAN + index])
      if ((flags & READING) !== 0) return DISK_STARTED
      if ((flags & VALID) === 0 && this.#needsContents(request, first + index)) return DISK_FAILED
    }
    const isRead = this.#operation[request] === DISK_READ
    let address = this.#address[request]
    let offset = (this.#sector[request] % PAGE_SECTORS) * SECTOR
    let left = this.#count[request] * SECTOR
    for (let index = 0; index < count; index++) {
      const page = this.#pages[request * SPAN + index]
      const bytes = Math.min(CACHE_PAGE - offset, left)
      if (!this.#copy(port, process, address, cache.addressOf(page) + offset, bytes, isRead)) return DISK_FAILED
      if (!isRead) this.#writeBack.soil(port, file, page)
      address += bytes
      left -= bytes
      offset = 0
    }
    if (!isRead) this.#journal.touch(port, file)
    return DISK_DONE
  }

  /** Between the process's memory and a page. False if the process cannot be given the memory. */
  #copy(port: HartPort, process: Process, address: number, page: number, bytes: number, toProcess: boolean): boolean {
    const { space } = process
    if (!space.populateRange(port, address, bytes, toProcess)) return false
    port.account('host kernel', 'page cache', 'copy')
    port.set(sstatus, SUM)
    if (toProcess) port.copy(address, page, bytes)
    else port.copy(page, address, bytes)
    port.clear(sstatus, SUM)
    port.account('host kernel', 'page cache', 'computing')
    return true
  }

  /** It needs its pages no longer. */
  letGo(port: HartPort, request: number): void {
    for (let index = 0; index < this.#gathered[request]; index++)
      this.#cache.release(port, this.#pages[request * SPAN + index])
  }
}
