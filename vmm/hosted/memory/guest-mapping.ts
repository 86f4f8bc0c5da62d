/**
 * How a page of a VMM process becomes its guest's: found and held, then mapped in the G-stage as large as the process has
 * it, unless something of the process's memory has been taken away since it was looked up; then its vCPUs fence.
 */
import { GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import type { HartPort } from '../../../hw/port.ts'
import { LARGE_PAGE, mapLarge, mapSmall, type TableAllocator } from '../../core/g-stage.ts'
import type { Process } from '../process.ts'
import { USER_RAM } from '../layout.ts'
import type { PageStructs } from '../page-structs.ts'
import { descriptor, descriptorOf } from './descriptors.ts'
import type { GuestFences } from './guest-fences.ts'
import type { UserPages } from './user-pages.ts'

export class GuestMapping {
  readonly #users: UserPages
  readonly #pages: PageStructs
  readonly #fences: GuestFences

  constructor(users: UserPages, pages: PageStructs, fences: GuestFences) {
    this.#fences = fences
    this.#users = users
    this.#pages = pages
  }

  /** Maps the page of a guest physical address, which the caller's lock is for. Its start in the host; 0 if there is none to be had. */
  map(port: HartPort, process: Process, root: number, guest: number, tables: TableAllocator): number {
    const { space } = process
    const address = USER_RAM + guest - GUEST_RAM
    const owner = descriptorOf(space.number)
    for (;;) {
      const sequence = port.load32(owner + descriptor.sequence.at)
      port.fence()
      const page = this.#users.get(port, space, address, true)
      if (page === 0) return 0
      const isTaking = port.load32(owner + descriptor.taking.at) !== 0
      if (isTaking || port.load32(owner + descriptor.sequence.at) !== sequence) {
        this.#users.letGo(port, page)
        continue
      }
      const size = space.sizeAt(port, address)
      const within = (address % size) - (address % 4096)
      const mapped =
        size === LARGE_PAGE
          ? mapLarge(port, root, guest, page - within, tables)
          : mapSmall(port, root, guest, page, tables)
      this.#pages.soil(port, this.#pages.at(page))
      this.#pages.touch(port, this.#pages.at(page))
      this.#users.letGo(port, page)
      if (!mapped) return 0
      this.#fences.ask(port, process.vm, process.firstVcpu, guest)
      return page - within
    }
  }
}
