/**
 * What disks are asked to do by drivers that serve several guests: each command as the controller fetches it. It names
 * sectors of one guest's, and data goes to and from that guest's pages or the driver's own; a guest's page is reached for
 * a command that names it, and for no other.
 */
import type { NvmeController } from '../../../hw/devices/nvme/nvme-controller.ts'
import { NVM } from '../../../hw/spec/devices/nvme.ts'
import { completionEntry, readWriteCommand, submissionEntry } from '../../../hw/spec/layouts/nvme.ts'
import { fieldOf } from '../../../hw/spec/registers.ts'
import type { Topology } from '../scenario.ts'
import { FIRST_GUEST, hex, type See } from './page-map.ts'

interface Command {
  /** Its queue and number. */
  readonly queue: number
  readonly cid: number
  readonly guest: number
  /** The disk writes to memory. */
  readonly isRead: boolean
  /** Pages of the machine's, by address. */
  readonly pages: ReadonlySet<number>
}

interface Queue {
  readonly id: number
  readonly base: number
  readonly size: number
}

const PAGE = 4096
const SECTOR = 512
const MOST_UNDER_WAY = 64
const NOBODY = -1

export interface Surroundings {
  readonly topology: Topology
  readonly see: See
  /** Whose the page at a physical address is. */
  readonly ownerAt: (address: number) => number | undefined
  /** Where an address of the device's leads, -1: nowhere. */
  readonly reach: (address: number) => number
  /** Eight bytes at a physical address, as a number. */
  readonly number: (address: number) => number
  /** Who drives it: -1 for the VMM. */
  readonly driver: number
}

export class DiskCommands {
  readonly #disk: NvmeController
  readonly #around: Surroundings
  #queues: readonly Queue[] = []
  #underWay: Command[] = []

  constructor(disk: NvmeController, around: Surroundings) {
    this.#disk = disk
    this.#around = around
  }

  /** The run is another: commands that were under way when it began are known by nobody. */
  clear(): void {
    this.#queues = []
    this.#underWay = []
  }

  /** The controller has read or written something at an address of its own. */
  transferred(address: number, data: Uint8Array, write: boolean): void {
    if (!write && data.length === submissionEntry.size) {
      const queue = this.#queueAt(address)
      if (queue && queue.id > 0) this.#fetched(queue.id, new DataView(data.buffer, data.byteOffset))
    } else if (write && data.length === completionEntry.size) {
      const view = new DataView(data.buffer, data.byteOffset)
      const queue = view.getUint16(completionEntry.DW2.at + 2, true)
      const cid = view.getUint16(completionEntry.DW3.at, true)
      this.#underWay = this.#underWay.filter(command => command.queue !== queue || command.cid !== cid)
    }
  }

  /** It reaches for a page of a guest's. */
  mastered(address: number, guest: number, write: boolean): void {
    const page = address - (address % PAGE)
    if (this.#underWay.some(({ pages, isRead }) => isRead === write && pages.has(page))) return
    const does = write ? 'writes to' : 'reads'
    this.#around.see(`the disk ${does} guest ${guest}'s page ${hex(page)}, which no command that is under way names`)
  }

  #queueAt(address: number): Queue | undefined {
    const find = () =>
      this.#queues.find(({ base, size }) => address >= base && address < base + size * submissionEntry.size)
    const known = find()
    if (known) return known
    this.#queues = (this.#disk.save() as unknown as { readonly submission: readonly Queue[] }).submission
    return find()
  }

  #fetched(queue: number, view: DataView): void {
    const word = (at: number) => view.getUint32(at, true)
    const opcode = word(submissionEntry.CDW0.at) & 0xff
    if (opcode === NVM.FLUSH) return
    const { topology, see, driver } = this.#around
    const first = word(readWriteCommand.SLBA.at + 4) * 2 ** 32 + word(readWriteCommand.SLBA.at)
    const count = fieldOf(readWriteCommand.CDW12.fields.NLB, word(readWriteCommand.CDW12.at)) + 1
    const what = `sectors ${first} to ${first + count - 1}`
    if (opcode !== NVM.READ && opcode !== NVM.WRITE) return see(`a command ${hex(opcode)} is sent to the disk`)
    const guest = topology.guests.findIndex(
      ({ disk }) => disk && first >= disk.first && first + count <= disk.first + disk.sectors,
    )
    if (guest === NOBODY) return see(`a command names ${what} of the disk, which are no guest's`)
    const pages = new Set<number>()
    for (const page of this.#pagesOf(view, count * SECTOR)) {
      const owner = this.#around.ownerAt(page)
      if (
        owner !== undefined &&
        owner >= FIRST_GUEST &&
        owner !== FIRST_GUEST + guest &&
        owner !== FIRST_GUEST + driver
      )
        see(
          `a command for ${what}, which are guest ${guest}'s, has its data at ${hex(page)}, guest ${owner - FIRST_GUEST}'s`,
        )
      pages.add(page)
    }
    const cid = word(submissionEntry.CDW0.at) >>> 16
    const others = this.#underWay.filter(command => command.queue !== queue || command.cid !== cid)
    this.#underWay = [...others.slice(-MOST_UNDER_WAY), { queue, cid, guest, isRead: opcode === NVM.READ, pages }]
  }

  /** The machine's pages that a command's data is in (NVMe 1.4 4.3). */
  #pagesOf(view: DataView, bytes: number): readonly number[] {
    const { reach, number } = this.#around
    const entry = (at: number) => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
    const begin = entry(submissionEntry.PRP1.at)
    const second = entry(submissionEntry.PRP2.at)
    const count = Math.ceil(((begin % PAGE) + bytes) / PAGE)
    const addresses = [begin - (begin % PAGE)]
    if (count === 2) addresses.push(second)
    for (let index = 0; count > 2 && index < count - 1; index++) {
      const at = reach(second + index * 8)
      if (at >= 0) addresses.push(number(at))
    }
    return addresses.map(reach).filter(page => page >= 0)
  }
}
