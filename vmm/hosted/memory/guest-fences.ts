/**
 * Fences that vCPUs owe: what a guest's tables have got since is to be seen by all its vCPUs, though a hart may have kept that
 * nothing was there. A vCPU that is asked to fence does so before it enters its guest again; one that is in it is interrupted.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { acquire, release } from '../../core/spin-lock.ts'
import { NOWHERE } from '../../core/vcpu.ts'
import type { VirtualMachine } from '../../core/virtual-machine.ts'
import { MODE_GUEST, MODE_LEAVING, TABLES, vcpuControl } from '../layout.ts'

const PAGE = 4096
/** Of a vCPU: how many fences it owes, and of which pages; of all, if there are more. */
const owed = layout(0x20, 'our own', {
  lock: { at: 0x00, bytes: 16 },
  count: { at: 0x10, bytes: 4 },
  pages: { at: 0x14, bytes: 4 },
})
const MOST_PAGES = 3

function owedAt(vcpu: number): number {
  return TABLES.guestFences + vcpu * owed.size
}

export class GuestFences {
  #interrupt: (port: HartPort, hart: number) => void = () => {}

  /** Who interrupts a hart. Set-up. */
  attach(interrupt: (port: HartPort, hart: number) => void): void {
    this.#interrupt = interrupt
  }

  create(port: HartPort, vcpus: number): void {
    port.fill(TABLES.guestFences, 0, vcpus * owed.size)
  }

  /** A page of a machine's, whose first vCPU's number this is, has been mapped on this hart: its other vCPUs fence. */
  ask(port: HartPort, vm: VirtualMachine, first: number, guest: number): void {
    for (let index = 0; index < vm.vcpus.length; index++) {
      const { record, frame } = vm.vcpus[index]
      if (record.hart === port.hart) continue
      this.add(port, first + index, guest)
      if (record.hart === NOWHERE) continue
      if (port.swap32If(frame + vcpuControl.mode.at, MODE_GUEST, MODE_LEAVING) === MODE_GUEST)
        this.#interrupt(port, record.hart)
    }
  }

  /** One fence more for a vCPU. */
  add(port: HartPort, vcpu: number, guest: number): void {
    const at = owedAt(vcpu)
    acquire(port, at)
    const count = port.load32(at + owed.count.at)
    if (count < MOST_PAGES) port.store32(at + owed.pages.at + count * 4, Math.floor(guest / PAGE))
    if (count <= MOST_PAGES) port.store32(at + owed.count.at, count + 1)
    release(port, at)
  }

  /** The vCPU is about to enter its guest on this hart. */
  pay(port: HartPort, vcpu: number): void {
    const at = owedAt(vcpu)
    if (port.load32(at + owed.count.at) === 0) return
    acquire(port, at)
    const count = port.load32(at + owed.count.at)
    port.store32(at + owed.count.at, 0)
    // hfence.gvma takes a guest's address shifted right by two.
    for (let index = 0; index < count && count <= MOST_PAGES; index++)
      port.hfenceGvma(port.load32(at + owed.pages.at + index * 4) * (PAGE / 4))
    release(port, at)
    if (count > MOST_PAGES) port.hfenceGvma()
  }
}
