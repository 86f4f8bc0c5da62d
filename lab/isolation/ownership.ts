/**
 * The ownership map: who has each page of the machine's memory, and of what devices and interrupts have. It is read from
 * the tables that the hardware walks, and looked at anew whenever something was written to one; every translation that
 * comes into a guest's TLB, and every write to a guest's page, is held against it.
 */
import { MODE, VIRTUAL } from '../../hw/hart/state.ts'
import { HGATP, slot } from '../../hw/hart/slots.ts'
import type { Memory } from '../../hw/memory/memory.ts'
import { CONTEXT_VIRTUAL, type Tlb } from '../../hw/memory/tlb.ts'
import { PAGE_BYTES } from '../../hw/spec/address.ts'
import { sscratch } from '../../hw/spec/csrs/supervisor.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import type { Vcpu } from '../../vmm/core/vcpu.ts'
import type { VirtualMachine } from '../../vmm/core/virtual-machine.ts'
import type { Arena } from './arena.ts'
import type { Sighting } from './finding.ts'
import type { Leaf } from './guest-pages.ts'
import type { Exit, Observer } from './observer.ts'
import { DeviceOwners } from './owners/device-owners.ts'
import { holdFree } from './owners/free-lists.ts'
import { type GrantedLeaf, Grants, isGrant } from './owners/grants.ts'
import { FIRST_GUEST, hex, PageMap, TABLE, UNKNOWN, whose } from './owners/page-map.ts'
import type { Scenario } from './scenario.ts'

const MODE_WORD = MODE >> 2
const SSCRATCH = slot(sscratch.name)
const ROOT_PAGES = 4
const VMID_SHIFT = 16
const VMIDS = 0x3fff
const NO_FLAGS = 0

export class Ownership implements Observer {
  readonly domains = true
  sighting: Sighting | undefined
  #arena!: Arena
  #memory!: Memory
  #words!: Int32Array
  #map!: PageMap
  #devices!: DeviceOwners
  #grants!: Grants
  #vms: readonly VirtualMachine[] = []
  #granted: GrantedLeaf[] = []
  #changed = false
  /** Other harts may look in the midst of an entry. */
  #isInterleaved = false
  /** By hart: the guest whose exit is being handled. */
  #handled: number[] = []
  /** What guests' devices are given is written to their pages on behalf of whoever comes by. */
  #quiet = true

  begin(arena: Arena, { interleaving }: Scenario): void {
    const { machine, system, topology } = arena
    if (this.#arena !== arena) {
      const see = (what: string) => this.#see(what)
      this.#arena = arena
      this.#memory = machine.memory
      this.#words = machine.memory.words
      this.#map = new PageMap(machine.memory, see)
      this.#devices = new DeviceOwners(arena, this.#map, see)
      this.#grants = new Grants(arena, this.#map, see)
      this.#vms = [...system.guests, ...system.domains]
    }
    this.sighting = undefined
    this.#isInterleaved = interleaving !== undefined
    this.#handled = machine.harts.map(() => -1)
    this.#quiet = topology.guests.every(({ disk, network }) => !disk && !network)
    this.#grants.clear()
    this.#devices.clear()
    this.#look()
  }

  left({ hart, guest }: Exit): void {
    this.#handled[hart] = guest
  }

  resumed(hart: number, guest: number, vcpu: number): void {
    if (this.#changed) this.#look()
    if (this.#granted.length > 0 && !this.#isInterleaved) this.#grants.holdRights(this.#granted)
    const { everyone } = this.#arena
    const words = this.#words
    const vm = this.#vms[guest]
    if (!vm) return this.#see(`hart ${hart} runs VMID ${this.#vmid()}, which is nobody's`)
    const root = ((words[HGATP] >>> 0) + (words[HGATP + 1] & 0xfff) * 2 ** 32) * PAGE_BYTES
    if (root !== everyone[guest].root)
      this.#see(`hart ${hart} runs guest ${guest} on tables at ${hex(root)}, not its own`)
    const frame = words[SSCRATCH] >>> 0
    const known = this.#vms.some(other => other.vcpus.some(each => each.frame === frame))
    if (known && vm.vcpus[vcpu]?.frame !== frame)
      this.#see(`hart ${hart} runs guest ${guest} on the frame of ${this.#frameOf(frame)}`)
    this.#devices.resumed(hart, guest, vcpu, words)
    this.#handled[hart] = guest
  }

  written(host: number, bytes: number): void {
    const owner = this.#map.ownerOf(host)
    if (owner === UNKNOWN || owner === undefined) return
    if (owner === TABLE) {
      this.#changed = true
      if ((this.#words[MODE_WORD] & VIRTUAL) !== 0) this.#see(`a guest writes to tables at ${this.#physical(host)}`)
      else if (this.#arena.system.domains.length > 0) this.#look()
      return
    }
    if (!this.#quiet) return
    const hart = this.#arena.machine.harts.findIndex(({ present }) => present)
    const virtual = (this.#words[MODE_WORD] & VIRTUAL) !== 0
    const guest = virtual ? this.#arena.guestNamed(this.#vmid()) : this.#handled[hart]
    if (owner === FIRST_GUEST + guest) return
    const who = virtual ? `guest ${guest}` : guest < 0 ? 'the VMM, for nobody,' : `the VMM, for guest ${guest},`
    this.#see(`${who} writes ${bytes} bytes to ${this.#physical(host)}, which is guest ${owner - FIRST_GUEST}'s`)
  }

  translated(hart: number, tlb: Tlb, at: number): void {
    const context = tlb.context[at]
    if ((context & CONTEXT_VIRTUAL) === 0) return
    if (this.#changed) this.#look()
    this.#hold(hart, tlb, at)
  }

  accessed(address: number): void {
    if (this.#devices.isKnownBy(address)) this.#changed = true
  }

  mastered(requester: number, host: number, bytes: number, write: boolean): void {
    if (this.#changed) this.#look()
    this.#devices.mastered(requester, host, bytes, write)
  }

  transferred(requester: number, address: number, data: Uint8Array, write: boolean): void {
    this.#devices.transferred(requester, address, data, write)
  }

  end(): void {
    this.#look()
    this.#devices.end()
    for (const { id, mmu } of this.#arena.machine.harts) {
      for (const tlb of [mmu.fetches, mmu.data]) {
        for (let at = 0; at < tlb.span.length; at++) {
          if (tlb.span[at] === 0 || (tlb.context[at] & CONTEXT_VIRTUAL) === 0) continue
          // Of a guest that has ended nobody uses them: its memory may be another's, and a hart forgets them before it runs again.
          if (!this.#hasEnded(tlb, at)) this.#hold(id, tlb, at)
        }
      }
    }
  }

  #hasEnded(tlb: Tlb, at: number): boolean {
    const guest = this.#arena.guestNamed((tlb.context[at] >>> VMID_SHIFT) & VMIDS)
    const { guests } = this.#arena.system
    return guest in guests && guests[guest].record.ended
  }

  /** An entry of a TLB leads to pages of whose VMID it has. */
  #hold(hart: number, tlb: Tlb, at: number): void {
    const guest = this.#arena.guestNamed((tlb.context[at] >>> VMID_SHIFT) & VMIDS)
    for (let page = 0; page < tlb.span[at]; page++) {
      const address = (tlb.physical[at] + page) * PAGE_BYTES
      const owner = this.#map.ownerAt(address)
      if (owner === FIRST_GUEST + guest) continue
      if (owner === undefined && this.#devices.hasRegisters(guest, address)) continue
      if (this.#granted.some(({ domain, leaf }) => domain === guest && leaf.host === address)) continue
      return this.#see(`on hart ${hart} the TLB leads guest ${guest} to the page at ${hex(address)}, ${whose(owner)}`)
    }
  }

  /** Who has which page, from the tables; nobody may have one that another has. */
  #look(): void {
    this.#changed = false
    const { everyone } = this.#arena
    const map = this.#map
    map.clear()
    this.#granted = []
    const leaves: (readonly [guest: number, leaf: Leaf])[] = []
    for (const [guest, pages] of everyone.entries()) {
      map.claim(pages.root, ROOT_PAGES * PAGE_BYTES, TABLE, `guest ${guest}'s root`)
      pages.walk(
        leaf => leaves.push([guest, leaf]),
        table => map.claim(table, PAGE_BYTES, TABLE, `a table of guest ${guest}'s`),
      )
    }
    for (const [guest, leaf] of leaves) this.#claim(guest, leaf)
    this.#grants.hold(this.#granted)
    this.#devices.look(leaves)
    holdFree(this.#arena, map, !this.#isInterleaved, what => this.#see(what))
  }

  /** A page that a guest's tables lead to is the guest's: RAM where it has RAM, a grant, or registers of a device of its own. */
  #claim(guest: number, leaf: Leaf): void {
    const { guest: address, host, bytes, flags } = leaf
    const what = `guest ${guest}'s page ${hex(address)}`
    if (flags === NO_FLAGS) this.#see(`${what} is mapped with no right to anything`)
    if (address >= GUEST_RAM && address + bytes <= GUEST_RAM + this.#vms[guest].ram.bytes)
      return this.#map.claim(host, bytes, FIRST_GUEST + guest, what)
    if (guest >= this.#arena.guests.length && isGrant(leaf)) this.#granted.push({ domain: guest, leaf })
    else if (this.#map.ownerAt(host) !== undefined) this.#see(`${what} is none of its RAM`)
  }

  #vmid(): number {
    return (this.#words[HGATP + 1] >>> 12) & VMIDS
  }

  #physical(host: number): string {
    return hex(this.#memory.toPhysical(host))
  }

  #frameOf(frame: number): string {
    for (const vm of this.#vms) {
      const vcpu = vm.vcpus.find((each: Vcpu) => each.frame === frame)
      if (vcpu) return `guest ${vm.index}, vCPU ${vcpu.index}`
    }
    return 'nobody'
  }

  #see(what: string): void {
    this.sighting ??= { what, where: this.#arena.where() }
  }
}
