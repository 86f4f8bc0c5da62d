/**
 * Whose time it is, where time is protected: vCPUs of the hart have slots of one length, in turn, from the machine's
 * first tick on. Times are ticks of the time CSR.
 *
 *   │ pad: switch, devices, clearing │ the guest's time … │ next slot
 */
import type { HartPort } from '../../hw/port.ts'
import type { Fdt } from '../../hw/spec/layouts/fdt.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import type { BlockBackend } from '../virtual/chip.ts'
import { type TimeProtection, timeProtectionOf } from '../../hw/spec/layouts/time-protection.ts'

const TICKS_PER_MICROSECOND = 10
/** That a disk is asked for in a guest's slot, at most. */
const SECTORS = 256
/** As harts with fence.t are described. */
const FENCE_T = 'xfencet'

export class TimeSlots {
  /** Since when slots are kept: at boot devices are waited for. `late`: slots whose padding was not enough. */
  readonly record = { begun: false, late: 0 }
  readonly #count: number
  readonly #slot: number
  readonly #pad: number
  readonly #gates: Gate[] = []

  /** `count` vCPUs share the hart. */
  constructor(count: number, { slot, pad }: TimeProtection) {
    this.#count = count
    this.#slot = slot * TICKS_PER_MICROSECOND
    this.#pad = pad * TICKS_PER_MICROSECOND
  }

  /** The index of the vCPU whose slot it is. */
  owner(now: number): number {
    return Math.floor(now / this.#slot) % this.#count
  }

  /** When the slot ends. */
  end(now: number): number {
    return (Math.floor(now / this.#slot) + 1) * this.#slot
  }

  /** True in the first half of the slot's padding. */
  hasTime(now: number): boolean {
    return this.beginning(now) - now > this.#pad / 2
  }

  /** When the padding of the slot ends. */
  beginning(now: number): number {
    return Math.floor(now / this.#slot) * this.#slot + this.#pad
  }

  /** What a guest's virtual disk is backed by: it takes requests where the guest's slots begin, no more than it can be done with before they end. Set-up. */
  gate(vm: VirtualMachine, backend: BlockBackend): BlockBackend {
    const gate: Gate = { vm, record: { open: false, sectors: 0, waiting: false }, room: () => {} }
    this.#gates.push(gate)
    const { record } = gate
    return {
      ...backend,
      submit: (port, tag, operation, sector, count, guestAddress) => {
        record.waiting = !record.open || count > record.sectors
        if (record.waiting) return false
        record.sectors -= count
        return backend.submit(port, tag, operation, sector, count, guestAddress)
      },
      attach: (completed, room) => {
        gate.room = room
        backend.attach(completed, room)
      },
    }
  }

  /** The guest's slot begins: its disk may be asked for as much as in any, until `close`. */
  open(port: HartPort, vm: VirtualMachine): void {
    for (const gate of this.#gates) {
      if (gate.vm !== vm) continue
      gate.record.open = true
      gate.record.sectors = SECTORS
      if (gate.record.waiting) gate.room(port)
    }
  }

  close(vm: VirtualMachine): void {
    for (const gate of this.#gates) if (gate.vm === vm) gate.record.open = false
  }

  /** For the VMM's registered state. */
  state(): Record<string, { [field: string]: number | boolean }> {
    return Object.fromEntries([
      ['time slots', this.record],
      ...this.#gates.map(({ vm, record }) => [`gate ${vm.index}`, record] as const),
    ])
  }
}

/** What a machine's device tree asks for. Throws one line if it cannot be had on this machine. */
export function timeSlotsOf(tree: Fdt, harts: number, vcpus: number): TimeSlots | undefined {
  const protection = timeProtectionOf(tree)
  if (!protection) return undefined
  if (harts !== 1)
    throw new Error(`time protection: slots are kept on one hart, and the machine has ${harts}; give it one`)
  const cpus = tree.root.children.find(({ name }) => name === 'cpus')
  const extensions = cpus?.children[0]?.properties.get('riscv,isa-extensions') ?? new Uint8Array()
  if (
    !String.fromCharCode(...extensions)
      .split('\0')
      .includes(FENCE_T)
  )
    throw new Error(`time protection: the machine's harts have no ${FENCE_T} (fence.t): what ran on them can be told`)
  return new TimeSlots(vcpus, protection)
}

interface Gate {
  readonly vm: VirtualMachine
  /** Whether requests are taken, of how many sectors more, and whether one has been refused. */
  readonly record: { open: boolean; sectors: number; waiting: boolean }
  room: (port: HartPort) => void
}
