/** A guest's memory as its G-stage tables have it, read straight from RAM: where each of its pages lies, and what is in it. */
import type { Memory } from '../../hw/memory/memory.ts'
import { TOUCHED_LATELY } from '../../hw/memory/memory.ts'
import { PAGE_BYTES } from '../../hw/spec/address.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import { PTE_R, PTE_W, PTE_X } from '../../hw/spec/layouts/pte.ts'

const LARGE = 0x20_0000
const SMALL_IN_LARGE = 512
const LEAF = PTE_R | PTE_W | PTE_X
const ROOT_ENTRIES = 2048
const ENTRIES = 512

/** A leaf of a guest's tables: guest and host physical address, and how many bytes. */
export interface Leaf {
  readonly guest: number
  readonly host: number
  readonly bytes: number
  readonly flags: number
}

/** No tables: a bare machine's memory is where it is. */
export const NO_TABLES = 0

export class GuestPages {
  readonly root: number
  readonly #memory: Memory
  /** By guest page number: the hash of what was there at the checkpoint. */
  readonly #before = new Map<number, number>()
  readonly #bytes: number

  /** `root` is the physical address of the tables; `bytes` how much RAM the guest has. */
  constructor(memory: Memory, root: number, bytes: number) {
    this.root = root
    this.#memory = memory
    this.#bytes = bytes
  }

  /** Host offset of a guest physical address. Throws where nothing is mapped. */
  hostOf(address: number): number {
    const host = this.find(address)
    if (host < 0) throw new Error(`nothing is mapped at guest address 0x${address.toString(16)}`)
    return host
  }

  /** The same, -1 where nothing is mapped. */
  find(address: number): number {
    if (this.root === NO_TABLES) return this.#memory.toHost(address)
    const middle = this.#middle(address)
    if (middle === 0) return -1
    if ((middle & LEAF) !== 0) return this.#memory.toHost(tableOf(middle) + (address % LARGE))
    const leaf = this.#entry(tableOf(middle), Math.floor(address / PAGE_BYTES) % ENTRIES)
    return leaf === 0 ? -1 : this.#memory.toHost(tableOf(leaf) + (address % PAGE_BYTES))
  }

  /** All leaves, and the pages that hold the tables. */
  walk(leaf: (leaf: Leaf) => void, table: (address: number) => void = () => {}): void {
    this.#table(this.root, ROOT_ENTRIES, 0, 30, leaf, table)
  }

  #table(
    at: number,
    entries: number,
    guest: number,
    shift: number,
    leaf: (leaf: Leaf) => void,
    table: (address: number) => void,
  ): void {
    const host = this.#memory.toHost(at)
    if (host < 0) return
    const { words } = this.#memory
    for (let index = 0; index < entries; index++) {
      if ((words[(host >> 2) + index * 2] & 1) === 0) continue
      const entry = this.#entry(at, index)
      const address = guest + index * 2 ** shift
      if ((entry & LEAF) !== 0 || shift === 12) {
        leaf({ guest: address, host: tableOf(entry), bytes: 2 ** shift, flags: entry & LEAF })
        continue
      }
      table(tableOf(entry))
      this.#table(tableOf(entry), ENTRIES, address, shift - 9, leaf, table)
    }
  }

  /** The entry for an address's 2 MiB; 0 if there is none. */
  #middle(address: number): number {
    if (this.root === NO_TABLES) return (address / PAGE_BYTES) * 1024 + LEAF
    const top = this.#entry(this.root, Math.floor(address / 2 ** 30))
    return top === 0 ? 0 : this.#entry(tableOf(top), Math.floor(address / LARGE) % ENTRIES)
  }

  /** An entry of a table; 0 if it is not valid, or the table lies nowhere. */
  #entry(table: number, index: number): number {
    const host = this.#memory.toHost(table + index * 8)
    if (host < 0) return 0
    const low = this.#memory.words[host >> 2]
    if ((low & 1) === 0) return 0
    return (low >>> 0) + (this.#memory.words[(host >> 2) + 1] & 0x3f_ffff) * 2 ** 32
  }

  /** Notes what is in memory now, to which `changed` compares. */
  remember(): void {
    this.#before.clear()
    this.#each(
      () => true,
      (page, host) => void this.#before.set(page, hashOf(this.#memory, host)),
    )
  }

  /** Pages whose content is not what it was, by guest page number, with what it is now. */
  changed(): Map<number, number> {
    const { touched } = this.#memory
    const zero = ZERO
    const changed = new Map<number, number>()
    this.#each(
      host => (touched[host / PAGE_BYTES] & TOUCHED_LATELY) !== 0,
      (page, host) => {
        const hash = hashOf(this.#memory, host)
        if (hash !== (this.#before.get(page) ?? zero)) changed.set(page, hash)
      },
    )
    return changed
  }

  /** One number for all that is not what it was. */
  digest(): number {
    let digest = 0
    for (const [page, hash] of this.changed()) digest = Math.imul(digest ^ page ^ hash, PRIME)
    return digest
  }

  #each(wanted: (host: number) => boolean, visit: (page: number, host: number) => void): void {
    // On a bare machine the firmware is at the start of RAM.
    for (let large = this.root === NO_TABLES ? LARGE : 0; large < this.#bytes; large += LARGE) {
      const address = GUEST_RAM + large
      const middle = this.#middle(address)
      if (middle === 0) continue
      const together = (middle & LEAF) !== 0
      const host = together ? this.#memory.toHost(tableOf(middle)) : 0
      if (host < 0) continue
      for (let small = 0; small < SMALL_IN_LARGE; small++) {
        const at = together ? host + small * PAGE_BYTES : this.find(address + small * PAGE_BYTES)
        if (at >= 0 && wanted(at)) visit((address + small * PAGE_BYTES) / PAGE_BYTES, at)
      }
    }
  }
}

function tableOf(entry: number): number {
  return Math.floor(entry / 1024) * PAGE_BYTES
}

const PRIME = 0x0100_0193

function hashOf(memory: Memory, host: number): number {
  const { words } = memory
  let hash = 0x811c_9dc5
  const from = host >> 2
  for (let at = from; at < from + PAGE_BYTES / 4; at++) hash = Math.imul(hash ^ words[at], PRIME)
  return hash
}

/** Of a page of zeros. */
const ZERO = (() => {
  let hash = 0x811c_9dc5
  for (let at = 0; at < PAGE_BYTES / 4; at++) hash = Math.imul(hash, PRIME)
  return hash
})()
