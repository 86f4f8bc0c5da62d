/** Guest interrupt files: a page each of the machine's, a number on its hart, and one vCPU that has it. */
import { GUEST_FILES } from '../../../hw/boards/virt.ts'
import { VIRT_MAP } from '../../../hw/boards/virt-map.ts'
import { HSTATUS, slot } from '../../../hw/hart/slots.ts'
import { maskOf } from '../../../hw/spec/csr.ts'
import { hgeie, hstatus } from '../../../hw/spec/csrs/hypervisor.ts'
import { filePages } from '../../../hw/spec/devices/imsic.ts'
import { GUEST_AIA } from '../../../hw/spec/guest-map.ts'
import type { Topology } from '../scenario.ts'
import { hex, type See } from './page-map.ts'

interface Owner {
  readonly guest: number
  readonly vcpu: number
}

const PAGE = 4096
const OF_A_HART = filePages(GUEST_FILES)
const BASE = VIRT_MAP.imsicSupervisor.base
const VGEIN = maskOf(hstatus, 'VGEIN')
const VGEIN_SHIFT = 31 - Math.clz32(VGEIN & -VGEIN)
const HGEIE = slot(hgeie.name)

export class InterruptFiles {
  /** By page of the machine's. */
  readonly #owners = new Map<number, Owner>()
  readonly #topology: Topology
  readonly #see: See

  constructor(topology: Topology, see: See) {
    this.#topology = topology
    this.#see = see
  }

  clear(): void {
    this.#owners.clear()
  }

  /** True if a physical address is an interrupt file's, the supervisor's or a guest's. */
  isFile(address: number): boolean {
    return address >= BASE && address < BASE + this.#topology.harts * OF_A_HART * PAGE
  }

  /** A guest's tables lead to a file: it is the guest's from now on, and nobody else's. */
  claim(guest: number, at: number, page: number): void {
    const vcpu = (at - GUEST_AIA.imsic.base) / PAGE
    const what = `the interrupt file at ${hex(page)}`
    if (page % (OF_A_HART * PAGE) === 0) this.#see(`guest ${guest} reaches ${what}, which is the VMM's`)
    if (!(vcpu >= 0 && vcpu < this.#topology.guests[guest]?.vcpus))
      this.#see(`guest ${guest} reaches ${what} at ${hex(at)}, where none of its vCPUs has one`)
    const other = this.#owners.get(page)
    if (other) this.#see(`guest ${guest} reaches ${what}, which is guest ${other.guest}'s`)
    this.#owners.set(page, { guest, vcpu })
  }

  /** Whether messages for a vCPU of a guest's go to its own file. */
  holdMessage(guest: number, vcpu: number, page: number): void {
    const owner = this.#owners.get(page)
    if (owner?.guest === guest && owner.vcpu === vcpu) return
    const who = owner ? `guest ${owner.guest}, vCPU ${owner.vcpu}` : 'nobody'
    this.#see(`messages of guest ${guest}'s devices for vCPU ${vcpu} go to ${hex(page)}, the interrupt file of ${who}`)
  }

  /** The hart has a vCPU's file in its place, and is woken by those of other vCPUs only; `words` is the hart's window. */
  holdHart(hart: number, guest: number, vcpu: number, words: Int32Array): void {
    const current = (words[HSTATUS] & VGEIN) >>> VGEIN_SHIFT
    const first = BASE + hart * OF_A_HART * PAGE
    const expected = [...this.#owners].find(([, owner]) => owner.guest === guest && owner.vcpu === vcpu)?.[0]
    const number = expected === undefined ? 0 : (expected - first) / PAGE
    if (current !== number)
      this.#see(`guest ${guest}, vCPU ${vcpu} runs on hart ${hart} with interrupt file ${current} instead of ${number}`)
    const listened = words[HGEIE]
    for (let file = 1; file < OF_A_HART; file++) {
      if (((listened >>> file) & 1) === 0) continue
      const owner = this.#owners.get(first + file * PAGE)
      if (!owner) this.#see(`hart ${hart} is woken by interrupt file ${file}, which is nobody's`)
      else if (file === current)
        this.#see(`hart ${hart} is interrupted by file ${file}, though its vCPU is there to take that itself`)
    }
  }
}
