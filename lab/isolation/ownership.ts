/**
 * The ownership map: who has each page of the machine's memory. It is read from the tables that the hardware walks, and
 * looked at anew whenever something was written to one; every translation that comes into a guest's TLB, and every write
 * to a guest's page, is held against it.
 */
import { MODE, VIRTUAL } from '../../hw/hart/state.ts'
import { HGATP, slot } from '../../hw/hart/slots.ts'
import type { Memory } from '../../hw/memory/memory.ts'
import { CONTEXT_VIRTUAL, type Tlb } from '../../hw/memory/tlb.ts'
import { PAGE_BYTES, PAGE_SHIFT } from '../../hw/spec/address.ts'
import { sscratch } from '../../hw/spec/csrs/supervisor.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import type { Vcpu } from '../../vmm/core/vcpu.ts'
import type { Arena } from './arena.ts'
import type { Sighting } from './finding.ts'
import type { Exit, Observer } from './observer.ts'

/** Of a page: nobody's that is known, the VMM's tables, or from FIRST_GUEST on a guest's. */
const UNKNOWN = 0
const TABLE = 1
const FIRST_GUEST = 2
const MODE_WORD = MODE >> 2
const SSCRATCH = slot(sscratch.name)
const ROOT_PAGES = 4
const VMID_SHIFT = 16
const VMIDS = 0x3fff
/** Below it lie the firmware and the VMM: no guest's. */
const LARGE_PAGE = 0x20_0000
const NO_FLAGS = 0

const hex = (value: number) => `0x${value.toString(16)}`

export class Ownership implements Observer {
  sighting: Sighting | undefined
  #arena!: Arena
  #memory!: Memory
  #words!: Int32Array
  /** By page of RAM. */
  #owners = new Uint8Array(0)
  /** By 2 MiB of RAM: who has something there. */
  #large = new Uint8Array(0)
  #first = 0
  #changed = false
  /** By hart: the guest whose exit is being handled. */
  #handled: number[] = []
  /** Devices write to guests' memory whenever they are ready: that is another promise's. */
  #quiet = true

  begin(arena: Arena): void {
    this.#arena = arena
    this.sighting = undefined
    const { memory } = arena.machine
    this.#memory = memory
    this.#words = memory.words
    this.#first = memory.ram.host >>> PAGE_SHIFT
    const pages = memory.ram.bytes >>> PAGE_SHIFT
    if (this.#owners.length !== pages) {
      this.#owners = new Uint8Array(pages)
      this.#large = new Uint8Array(Math.ceil(memory.ram.bytes / LARGE_PAGE))
    }
    this.#handled = arena.machine.harts.map(() => -1)
    this.#quiet = arena.topology.guests.every(({ disk, network }) => !disk && !network)
    this.#look()
  }

  left({ hart, guest }: Exit): void {
    this.#handled[hart] = guest
  }

  resumed(hart: number, guest: number, vcpu: number): void {
    if (this.#changed) this.#look()
    const { pages, system } = this.#arena
    const words = this.#words
    const vm = system.guests[guest]
    if (!vm) return this.#see(`hart ${hart} runs VMID ${guest + 1}, which is nobody's`)
    const root = ((words[HGATP] >>> 0) + (words[HGATP + 1] & 0xfff) * 2 ** 32) * PAGE_BYTES
    if (root !== pages[guest].root) this.#see(`hart ${hart} runs guest ${guest} on tables at ${hex(root)}, not its own`)
    const frame = words[SSCRATCH] >>> 0
    const known = system.guests.some(other => other.vcpus.some(each => each.frame === frame))
    if (known && vm.vcpus[vcpu]?.frame !== frame)
      this.#see(`hart ${hart} runs guest ${guest} on the frame of ${this.#frameOf(frame)}`)
    this.#handled[hart] = guest
  }

  written(host: number, bytes: number): void {
    const first = host >>> PAGE_SHIFT
    const owner = this.#owners[first - this.#first]
    if (owner === UNKNOWN || owner === undefined) return
    if (owner === TABLE) {
      this.#changed = true
      if ((this.#words[MODE_WORD] & VIRTUAL) !== 0) this.#see(`a guest writes to tables at ${this.#physical(host)}`)
      return
    }
    const hart = this.#arena.machine.harts.findIndex(({ present }) => present)
    const virtual = (this.#words[MODE_WORD] & VIRTUAL) !== 0
    const guest = virtual ? this.#vmid() - 1 : this.#handled[hart]
    if (owner === FIRST_GUEST + guest || !this.#quiet) return
    const who = virtual ? `guest ${guest}` : guest < 0 ? 'the VMM, for nobody,' : `the VMM, for guest ${guest},`
    this.#see(`${who} writes ${bytes} bytes to ${this.#physical(host)}, which is guest ${owner - FIRST_GUEST}'s`)
  }

  translated(hart: number, tlb: Tlb, at: number): void {
    const context = tlb.context[at]
    if ((context & CONTEXT_VIRTUAL) === 0) return
    if (this.#changed) this.#look()
    this.#hold(hart, tlb, at)
  }

  end(): void {
    this.#look()
    for (const { id, mmu } of this.#arena.machine.harts) {
      for (const tlb of [mmu.fetches, mmu.data]) {
        for (let at = 0; at < tlb.span.length; at++) {
          if (tlb.span[at] !== 0 && (tlb.context[at] & CONTEXT_VIRTUAL) !== 0) this.#hold(id, tlb, at)
        }
      }
    }
  }

  /** An entry of a TLB leads to pages of whose VMID it has. */
  #hold(hart: number, tlb: Tlb, at: number): void {
    const guest = ((tlb.context[at] >>> VMID_SHIFT) & VMIDS) - 1
    const base = this.#memory.ram.base / PAGE_BYTES
    for (let page = 0; page < tlb.span[at]; page++) {
      const owner = this.#owners[tlb.physical[at] + page - base]
      if (owner === FIRST_GUEST + guest) continue
      const whose =
        owner === undefined
          ? 'outside RAM'
          : owner >= FIRST_GUEST
            ? `of guest ${owner - FIRST_GUEST}`
            : owner === TABLE
              ? 'of tables'
              : "not the guest's"
      const to = hex((tlb.physical[at] + page) * PAGE_BYTES)
      return this.#see(`on hart ${hart} the TLB leads guest ${guest} to the page at ${to}, ${whose}`)
    }
  }

  /** Who has which page, from the tables; nobody may have one that another has. */
  #look(): void {
    this.#changed = false
    const owners = this.#owners
    const { ram } = this.#memory
    owners.fill(UNKNOWN)
    this.#large.fill(UNKNOWN)
    const claim = (address: number, bytes: number, owner: number, what: string): void => {
      const first = (address - ram.base) / PAGE_BYTES
      if (first < 0 || address + bytes > ram.base + ram.bytes)
        return this.#see(`${what} lies at ${hex(address)}, outside RAM`)
      const end = first + bytes / PAGE_BYTES
      for (let page = first; page < end; page++) {
        const other = owners[page]
        if (other !== UNKNOWN) {
          const whose = other === TABLE ? 'a table' : `a page of guest ${other - FIRST_GUEST}`
          return this.#see(`${what} lies at ${hex(ram.base + page * PAGE_BYTES)}, which is ${whose} already`)
        }
        owners[page] = owner
      }
      this.#large.fill(
        owner,
        Math.floor((address - ram.base) / LARGE_PAGE),
        Math.ceil((address + bytes - ram.base) / LARGE_PAGE),
      )
    }
    for (const [guest, pages] of this.#arena.pages.entries()) {
      claim(pages.root, ROOT_PAGES * PAGE_BYTES, TABLE, `guest ${guest}'s root`)
      pages.walk(
        () => {},
        table => claim(table, PAGE_BYTES, TABLE, `a table of guest ${guest}'s`),
      )
    }
    for (const [guest, pages] of this.#arena.pages.entries()) {
      const size = this.#arena.system.guests[guest].ram.bytes
      pages.walk(({ guest: address, host, bytes, flags }) => {
        const what = `guest ${guest}'s page ${hex(address)}`
        if (address < GUEST_RAM || address + bytes > GUEST_RAM + size) this.#see(`${what} is none of its RAM`)
        if (flags === NO_FLAGS) this.#see(`${what} is mapped with no right to anything`)
        claim(host, bytes, FIRST_GUEST + guest, what)
      })
    }
    this.#believed()
  }

  /** What the VMM itself believes: a page that it takes to be free, or its own, is nobody's. */
  #believed(): void {
    const { software, topology } = { ...this.#arena.system, topology: this.#arena.topology }
    if (topology.vmm !== 'native') return
    const { base } = this.#memory.ram
    for (const { state } of software) {
      const { free, clean, dirty } = state as {
        readonly free?: { readonly clean: number; readonly dirty: number }
        readonly clean?: Float64Array
        readonly dirty?: Float64Array
      }
      if (!free || !clean || !dirty) continue
      const seen = new Set<number>()
      const hold = (page: number, what: string) => {
        if (seen.has(page)) this.#see(`the page at ${hex(page)} is free twice`)
        seen.add(page)
        const owner = this.#large[(page - base) / LARGE_PAGE]
        if (owner === UNKNOWN) return
        const whose = owner === TABLE ? 'tables lie there' : `it is guest ${owner - FIRST_GUEST}'s`
        this.#see(`the page at ${hex(page)} is ${what} for the VMM, but ${whose}`)
      }
      for (let index = 0; index < free.clean; index++) hold(clean[index], 'free')
      for (let index = 0; index < free.dirty; index++) hold(dirty[index], 'to be scrubbed')
    }
  }

  #vmid(): number {
    return (this.#words[HGATP + 1] >>> 12) & VMIDS
  }

  #physical(host: number): string {
    return hex(this.#memory.toPhysical(host))
  }

  #frameOf(frame: number): string {
    for (const vm of this.#arena.system.guests) {
      const vcpu = vm.vcpus.find((each: Vcpu) => each.frame === frame)
      if (vcpu) return `guest ${vm.index}, vCPU ${vcpu.index}`
    }
    return 'nobody'
  }

  #see(what: string): void {
    this.sighting ??= { what, where: this.#arena.where() }
  }
}
