/**
 * Guest interrupt files (AIA 6): one for each vCPU of a guest that takes messages, on the hart to which it is pinned.
 * While the vCPU runs there, its file interrupts it by itself; while it waits and another runs, the file wakes it (SGEI).
 *
 *   device ─▶ IOMMU (MSI page table) ─▶ the file's page ─▶ hgeip.n ─▶ hstatus.VGEIN = n: VSEIP    it runs
 *                                                              └────▶ hgeie.n: SGEI             it waits, unloaded
 */
import type { HartPort } from '../../hw/port.ts'
import { maskOf } from '../../hw/spec/csr.ts'
import { hgeie, hgeip, hie, hip, hstatus } from '../../hw/spec/csrs/hypervisor.ts'
import { filePages } from '../../hw/spec/devices/imsic.ts'
import { frame } from '../core/frame.ts'
import { SMALL_PAGE } from '../core/g-stage.ts'
import { NOWHERE, RUNNABLE, type Vcpu, WAITING } from '../core/vcpu.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'

export const SGEI = maskOf(hie, 'SGEIE')
const SGEIP = maskOf(hip, 'SGEIP')
const VGEIN = maskOf(hstatus, 'VGEIN')
const VGEIN_SHIFT = 31 - Math.clz32(VGEIN & -VGEIN)
/** hgeie has a word of bits that TypeScript counts in. */
const MOST_FILES = 31

/** The machine's interrupt files for the supervisor and guests, as its device tree has them. */
export interface FileGeometry {
  readonly base: number
  /** Guest files of a hart. */
  readonly files: number
}

export class GuestFiles {
  /** By vCPU: the number of its file, 0 if it has none; by vCPU: where its page is. */
  readonly numbers: Int32Array
  readonly pages: Float64Array
  readonly #vcpus: readonly Vcpu[]

  /** Those vCPUs of `vms` get one. Throws one line if there are not enough, or if a vCPU has no hart of its own. */
  constructor(vcpus: readonly Vcpu[], vms: readonly VirtualMachine[], { base, files }: FileGeometry) {
    this.#vcpus = vcpus
    this.numbers = new Int32Array(vcpus.length)
    this.pages = new Float64Array(vcpus.length)
    const used = new Map<number, number>()
    for (const vm of vms) {
      for (const vcpu of vm.vcpus) {
        const { pin } = vcpu
        if (pin === NOWHERE)
          throw new Error(`${vm.label}: a vCPU with an interrupt file stays on its hart: give the guest harts`)
        const number = (used.get(pin) ?? 0) + 1
        if (number > Math.min(files, MOST_FILES))
          throw new Error(
            `hart ${pin} has ${Math.min(files, MOST_FILES)} guest interrupt files, and more vCPUs that need one: give the machine more guestFiles, or pin guests to other harts`,
          )
        used.set(pin, number)
        const index = vcpus.indexOf(vcpu)
        this.numbers[index] = number
        this.pages[index] = base + (pin * filePages(files) + number) * SMALL_PAGE
      }
    }
  }

  /** Where the interrupt files of a guest's vCPUs lie. Set-up. */
  pagesOf(vm: VirtualMachine): readonly number[] {
    return vm.vcpus.map(vcpu => this.pages[this.#vcpus.indexOf(vcpu)])
  }

  /** A vCPU has come to the hart: its file is the current one, those of others that wait here tell when they are written to. */
  loaded(port: HartPort, current: number): void {
    const number = this.numbers[current]
    const vcpu = this.#vcpus[current]
    if (number !== 0) {
      const at = vcpu.frame + frame.hstatus.at
      port.store32(at, (port.load32(at) & ~VGEIN) | (number << VGEIN_SHIFT))
    }
    let waiting = 0
    for (let index = 0; index < this.#vcpus.length; index++) {
      const { pin, record } = this.#vcpus[index]
      if (index !== current && pin === port.hart && record.status === WAITING) waiting |= 1 << this.numbers[index]
    }
    port.write(hgeie, (waiting & ~1) >>> 0)
    port.set(hie, SGEI)
  }

  /** Those whose file has been written to may run. */
  wake(port: HartPort): void {
    if ((port.read(hip) & SGEIP) === 0) return
    const ready = port.readLow(hgeip) & port.readLow(hgeie)
    for (let index = 0; index < this.#vcpus.length; index++) {
      const { pin, record } = this.#vcpus[index]
      const isReady = pin === port.hart && ((ready >>> this.numbers[index]) & 1) === 1 && this.numbers[index] !== 0
      if (isReady && record.status === WAITING) record.status = RUNNABLE
    }
    port.clear(hgeie, ready >>> 0)
  }

  /** A message of the VMM's own to a vCPU's file: that of a virtual wire. */
  send(port: HartPort, vm: VirtualMachine, vcpu: number, identity: number): void {
    if (vcpu >= vm.vcpus.length) return
    port.store32(this.pages[this.#vcpus.indexOf(vm.vcpus[vcpu])], identity)
  }
}
