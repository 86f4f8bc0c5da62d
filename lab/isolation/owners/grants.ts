/** Pages that guests share with a driver domain: each of them somebody has granted, and to be written to if the domain can. */
import {
  grant,
  GRANT_PERMIT,
  GRANT_READ_ONLY,
  GRANT_TABLE_PAGES,
  GRANT_WINDOW,
} from '../../../hw/spec/layouts/grant.ts'
import { PTE_W } from '../../../hw/spec/layouts/pte.ts'
import type { Arena } from '../arena.ts'
import type { Leaf } from '../guest-pages.ts'
import { FIRST_GUEST, hex, type PageMap, type See } from './page-map.ts'

const PAGE = 4096
const NAMES = ['disk', 'network'] as const

/** True if a leaf of a domain's tables is in its grant window. */
export function isGrant({ guest }: Leaf): boolean {
  return guest >= GRANT_WINDOW.base && guest < GRANT_WINDOW.base + GRANT_WINDOW.bytes
}

export interface GrantedLeaf {
  readonly domain: number
  readonly leaf: Leaf
}

interface Known {
  readonly host: number
  readonly isWritable: boolean
}

export class Grants {
  readonly #arena: Arena
  readonly #map: PageMap
  readonly #see: See
  /** By domain and address: where the leaf leads, and whether what it leads to was granted to be written to. */
  #known = new Map<string, Known>()

  constructor(arena: Arena, map: PageMap, see: See) {
    this.#arena = arena
    this.#map = map
    this.#see = see
  }

  clear(): void {
    this.#known.clear()
  }

  /** Holds all that a look has found, at once: what is granted is the guest's to take back. */
  hold(leaves: readonly GrantedLeaf[]): void {
    const known = new Map<string, Known>()
    for (const { domain, leaf } of leaves) {
      const key = `${domain} ${leaf.guest}`
      const before = this.#known.get(key)
      known.set(key, before?.host === leaf.host ? before : { host: leaf.host, isWritable: this.#holdOne(domain, leaf) })
    }
    this.#known = known
  }

  /** The same when the domain goes on: what is to be read only is so by then. */
  holdRights(leaves: readonly GrantedLeaf[]): void {
    for (const { domain, leaf } of leaves) {
      if ((leaf.flags & PTE_W) !== 0 && this.#known.get(`${domain} ${leaf.guest}`)?.isWritable === false)
        this.#see(`driver domain ${domain} can write to the page at ${hex(leaf.host)}, which was granted to be read`)
    }
  }

  /** Whether it may be written to. */
  #holdOne(domain: number, { host }: Leaf): boolean {
    const owner = (this.#map.ownerAt(host) ?? 0) - FIRST_GUEST
    const what = `driver domain ${domain} has the page at ${hex(host)}`
    if (!this.#arena.topology.guests[owner]) {
      this.#see(`${what}, which is no guest's that could have granted it`)
      return true
    }
    const page = this.#pageOf(owner, host)
    const entries = this.#tablesOf(owner)
      .flatMap(table => this.#entriesFor(owner, table, page))
      .filter(flags => (flags & GRANT_PERMIT) !== 0)
    if (entries.length === 0) this.#see(`${what}, which guest ${owner} has not granted`)
    return entries.some(flags => (flags & GRANT_READ_ONLY) === 0)
  }

  /** The guest's page, by number, that lies there. */
  #pageOf(guest: number, host: number): number {
    let found = -1
    this.#arena.pages[guest].walk(leaf => {
      if (host >= leaf.host && host < leaf.host + leaf.bytes) found = (leaf.guest + host - leaf.host) / PAGE
    })
    return found
  }

  /** Where the guest's doorbells have its tables to be. */
  #tablesOf(guest: number): readonly number[] {
    return this.#arena.system.software.flatMap(({ state }) =>
      NAMES.flatMap(name => {
        const ring = state?.[`vm ${guest} ${name} ring`] as { table: number; connected: boolean } | undefined
        return ring?.connected ? [ring.table] : []
      }),
    )
  }

  /** Flags of the entries of a table that name a page. */
  #entriesFor(guest: number, table: number, page: number): readonly number[] {
    const { words } = this.#arena.machine.memory
    const flags: number[] = []
    for (let part = 0; part < GRANT_TABLE_PAGES; part++) {
      const host = this.#arena.pages[guest].find(table + part * PAGE)
      for (let entry = 0; host >= 0 && entry < PAGE; entry += grant.size) {
        const at = (host + entry) >> 2
        if (words[at + (grant.page.at >> 2)] >>> 0 === page) flags.push(words[at] & 0xffff)
      }
    }
    return flags
  }
}
