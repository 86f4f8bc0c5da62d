/** Builds page tables in a small machine's RAM, from 512 KiB upward. */
import type { Machine } from '../../../hw/index.ts'
import { RAM } from '../small-machine.ts'

export const V = 1n
export const R = 2n
export const W = 4n
export const X = 8n
export const U = 16n
export const G = 32n
export const A = 64n
export const D = 128n
export const RW = V | R | W | A | D

/** Where the first table is put. */
export const ROOT = RAM + 0x8_0000

export class PageTables {
  readonly #machine: Machine
  #next: number

  /** Tables lie from `from` on. */
  constructor(machine: Machine, from = ROOT) {
    this.#machine = machine
    this.#next = from
  }

  /** An empty table; its address. */
  table(bytes = 4096): number {
    this.#next = Math.ceil(this.#next / bytes) * bytes
    const at = this.#next
    this.#next += bytes
    return at
  }

  /** Maps a page of 4 KiB, or larger if `level` is above 0. Returns the address of the leaf entry. */
  map(root: number, levels: number, virtual: bigint, physical: bigint, flags: bigint, level = 0): number {
    let table = root
    for (let at = levels - 1; at > level; at--) {
      const entry = this.#entry(table, virtual, at, at === levels - 1)
      const old = this.#read(entry)
      const next = old & V ? Number((old >> 10n) << 12n) : this.table()
      if (!(old & V)) this.write(entry, ((BigInt(next) >> 12n) << 10n) | V)
      table = next
    }
    const leaf = this.#entry(table, virtual, level, level === levels - 1)
    this.write(leaf, ((physical >> 12n) << 10n) | flags)
    return leaf
  }

  write(address: number, value: bigint): void {
    this.#machine.memory.view.setBigUint64(this.#machine.memory.toHost(address), value, true)
  }

  /** Sv39x4 and Sv48x4 have two more bits at the top: indices beyond 511 of virtual addresses do not occur here. */
  #entry(table: number, virtual: bigint, level: number, top: boolean): number {
    const index = (virtual >> BigInt(12 + 9 * level)) & (top ? 2047n : 511n)
    return table + Number(virtual < 0n || virtual >> 63n ? index & 511n : index) * 8
  }

  #read(address: number): bigint {
    return this.#machine.memory.view.getBigUint64(this.#machine.memory.toHost(address), true)
  }
}
