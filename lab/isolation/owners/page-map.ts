/** Who has each page of the machine's memory: what is claimed from the tables that hardware walks, page by page. */
import type { Memory } from '../../../hw/memory/memory.ts'
import { PAGE_BYTES, PAGE_SHIFT } from '../../../hw/spec/address.ts'

/** Of a page: nobody's that is known, tables that hardware walks, or from FIRST_GUEST on a guest's. */
export const UNKNOWN = 0
export const TABLE = 1
export const FIRST_GUEST = 2
const LARGE_PAGE = 0x20_0000

export const hex = (value: number) => `0x${value.toString(16)}`

/** Told of what is broken. */
export type See = (what: string) => void

export class PageMap {
  /** By page of RAM. */
  readonly owners: Uint8Array
  /** By 2 MiB of RAM: who has something there. */
  readonly #large: Uint8Array
  readonly #memory: Memory
  readonly #see: See

  constructor(memory: Memory, see: See) {
    this.#memory = memory
    this.#see = see
    this.owners = new Uint8Array(memory.ram.bytes >>> PAGE_SHIFT)
    this.#large = new Uint8Array(Math.ceil(memory.ram.bytes / LARGE_PAGE))
  }

  /** Nobody has anything. */
  clear(): void {
    this.owners.fill(UNKNOWN)
    this.#large.fill(UNKNOWN)
  }

  /** Whose the page at a physical address is; undefined: it is no RAM. */
  ownerAt(address: number): number | undefined {
    return this.owners[Math.floor((address - this.#memory.ram.base) / PAGE_BYTES)]
  }

  /** Who has something in the 2 MiB there. */
  ownerIn(address: number): number | undefined {
    return this.#large[Math.floor((address - this.#memory.ram.base) / LARGE_PAGE)]
  }

  /** Whose the page is that lies at an offset of the machine's memory. */
  ownerOf(host: number): number | undefined {
    return this.owners[(host - this.#memory.ram.host) >>> PAGE_SHIFT]
  }

  /** Pages become somebody's; they may be nobody else's. `what` says what they are, for people. */
  claim(address: number, bytes: number, owner: number, what: string): void {
    const { ram } = this.#memory
    if (address < ram.base || address + bytes > ram.base + ram.bytes)
      return this.#see(`${what} lies at ${hex(address)}, outside RAM`)
    const first = (address - ram.base) / PAGE_BYTES
    const end = first + bytes / PAGE_BYTES
    for (let page = first; page < end; page++) {
      const other = this.owners[page]
      if (other !== UNKNOWN) {
        const whose = other === TABLE ? 'a table' : `a page of guest ${other - FIRST_GUEST}`
        return this.#see(`${what} lies at ${hex(ram.base + page * PAGE_BYTES)}, which is ${whose} already`)
      }
      this.owners[page] = owner
    }
    this.#large.fill(
      owner,
      Math.floor((address - ram.base) / LARGE_PAGE),
      Math.ceil((address + bytes - ram.base) / LARGE_PAGE),
    )
  }

  /** A page of tables that several lead to. */
  claimOnce(address: number, what: string): void {
    if (this.ownerAt(address) !== TABLE) this.claim(address, PAGE_BYTES, TABLE, what)
  }
}

/** Whose a page is, for people. */
export function whose(owner: number | undefined): string {
  if (owner === undefined) return 'outside RAM'
  if (owner >= FIRST_GUEST) return `of guest ${owner - FIRST_GUEST}`
  return owner === TABLE ? 'of tables' : "not the guest's"
}
