/**
 * Requests past the page cache: the pages of the process that the disk is to reach are given and held, each piece of the
 * file is mapped to its sectors, and the disk reads and writes the process's memory. A process that gives memory which
 * the disk cannot reach has its file in the cache from then on.
 */
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import type { AddressSpace } from '../address-space.ts'
import type { UserPages } from '../memory/user-pages.ts'
import type { Process } from '../process.ts'
import { DISK_DONE, DISK_FAILED, DISK_READ, DISK_STARTED } from '../system-calls.ts'
import { BLOCK_READ, BLOCK_WRITE, type BlockLayer, FOR_PROCESS } from './block-layer.ts'
import { type FileSystem, HOLE } from './file-system.ts'

const SECTOR = 512
const PAGE = 4096
const PAGE_SECTORS = PAGE / SECTOR
/** A request's memory lies in so many pieces at most: 32 KiB in pages of 4 KiB, not aligned. */
const MOST_PIECES = 16

export class DirectRequests {
  readonly state: Record<string, StateRecord>
  /** By request: pieces that the disk has, whether one has failed, and how many pieces of memory are held. */
  readonly #pieces: Int32Array
  readonly #failed: Int32Array
  readonly #held: Int32Array
  /** By request and piece of memory: its page. */
  readonly #addresses: Float64Array
  readonly #isOn: boolean
  readonly #tags: number
  readonly #fileSystem: FileSystem
  readonly #blocks: BlockLayer
  readonly #users: UserPages
  #over: (port: HartPort, request: number) => void = () => {}

  /** `isOn`: guests' disks go past the cache. `tags`: requests of a process; behind those of all processes come the programs', one each. */
  constructor(
    isOn: boolean,
    processes: number,
    tags: number,
    programs: number,
    fileSystem: FileSystem,
    blocks: BlockLayer,
    users: UserPages,
  ) {
    const requests = isOn || programs > 0 ? processes * tags + programs : 0
    this.#isOn = isOn
    this.#tags = tags
    this.#fileSystem = fileSystem
    this.#blocks = blocks
    this.#users = users
    this.#pieces = new Int32Array(requests)
    this.#failed = new Int32Array(requests)
    this.#held = new Int32Array(requests)
    this.#addresses = new Float64Array(requests * MOST_PIECES)
    this.state = {
      'direct pieces': this.#pieces,
      'direct failed': this.#failed,
      'direct held': this.#held,
      'direct addresses': this.#addresses,
    }
    blocks.attach(FOR_PROCESS, (port, cookie, _sectors, ok) => this.#completed(port, cookie, ok))
  }

  /** Who hears that a request may be over. Set-up. */
  attach(over: (port: HartPort, request: number) => void): void {
    this.#over = over
  }

  /** True if a request with this memory goes past the cache. */
  takes(process: Process, address: number): boolean {
    if (!this.#isOn || process.record.buffered) return false
    if (address % SECTOR === 0) return true
    process.record.buffered = true
    return false
  }

  /** Holds the memory and sends the pieces. False if the process cannot be given the memory, or the file has a hole. */
  begin(
    port: HartPort,
    space: AddressSpace,
    file: number,
    request: number,
    operation: number,
    sector: number,
    count: number,
    address: number,
  ): boolean {
    port.account('host kernel', 'direct request', 'computing')
    this.#pieces[request] = 0
    this.#failed[request] = 0
    this.#held[request] = 0
    const bytes = count * SECTOR
    for (let done = 0; done < bytes; ) {
      const page = this.#users.get(port, space, address + done, operation === DISK_READ)
      if (page === 0) return this.#abandon(port, request)
      const within = (address + done) % PAGE
      const here = Math.min(bytes - done, PAGE - within)
      this.#addresses[request * MOST_PIECES + this.#held[request]] = page
      this.#held[request]++
      if (!this.#send(port, file, request, operation, sector + done / SECTOR, page + within, here))
        this.#failed[request] = 1
      done += here
    }
    this.#blocks.unplug(port)
    return this.#pieces[request] > 0 || this.#abandon(port, request)
  }

  #abandon(port: HartPort, request: number): boolean {
    this.#letGo(port, request)
    return false
  }

  /** Maps a piece of memory's part of the file, extent by extent. False if it has a hole. */
  #send(
    port: HartPort,
    file: number,
    request: number,
    operation: number,
    sector: number,
    address: number,
    bytes: number,
  ): boolean {
    let from = sector
    let at = address
    let left = bytes / SECTOR
    while (left > 0) {
      const within = from % PAGE_SECTORS
      const start = this.#fileSystem.sectorOf(port, file, (from - within) / PAGE_SECTORS)
      if (start === HOLE) return false
      const here = Math.min(left, this.#fileSystem.record.mapped * PAGE_SECTORS - within)
      const kind = operation === DISK_READ ? BLOCK_READ : BLOCK_WRITE
      if (!this.#blocks.add(port, kind, start + within, here, at, FOR_PROCESS, request)) this.#pieces[request]++
      from += here
      at += here * SECTOR
      left -= here
    }
    return true
  }

  #completed(port: HartPort, request: number, ok: boolean): void {
    this.#pieces[request]--
    if (!ok) this.#failed[request] = 1
    if (this.#pieces[request] > 0) return
    this.#letGo(port, request)
    this.#over(port, request)
  }

  #letGo(port: HartPort, request: number): void {
    for (let held = 0; held < this.#held[request]; held++) {
      this.#users.letGo(port, this.#addresses[request * MOST_PIECES + held])
    }
    this.#held[request] = 0
  }

  /** What has become of a request: a DISK_ result. */
  result(request: number): number {
    if (this.#pieces[request] > 0) return DISK_STARTED
    return this.#failed[request] !== 0 ? DISK_FAILED : DISK_DONE
  }

  /** True if the disk has memory of the process's. */
  isBusy(process: Process): boolean {
    if (!this.#isOn) return false
    const first = process.vm.index * this.#tags
    for (let request = first; request < first + this.#tags; request++) if (this.#pieces[request] > 0) return true
    return false
  }
}
