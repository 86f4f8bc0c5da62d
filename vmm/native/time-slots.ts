/**
 * Whose time it is, where time is protected: vCPUs of the hart have slots of one length, in turn, from the machine's
 * first tick on. Times are ticks of the time CSR.
 *
 *   │ pad: switch, devices, clearing │ the guest's time … │ drain: no request is begun │ next slot
 */
import type { HartPort } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import type { Fdt } from '../../hw/spec/layouts/fdt.ts'
import { type TimeProtection, timeProtectionOf } from '../../hw/spec/layouts/time-protection.ts'
import type { BlockBackend } from '../virtual/chip.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'

const TICKS_PER_MICROSECOND = 10
/** As harts with fence.t are described. */
const FENCE_T = 'xfencet'

export class TimeSlots {
  /** Since when slots are kept: at boot devices are waited for. `late`: slots whose padding was not enough. */
  readonly record = { begun: false, late: 0 }
  readonly #count: number
  readonly #slot: number
  readonly #pad: number
  readonly #drain: number
  readonly #gates: Gate[] = []

  /** `count` vCPUs share the hart. */
  constructor(count: number, { slot, pad, drain }: TimeProtection) {
    this.#count = count
    this.#slot = slot * TICKS_PER_MICROSECOND
    this.#pad = pad * TICKS_PER_MICROSECOND
    this.#drain = drain * TICKS_PER_MICROSECOND
  }

  /** The index of the vCPU whose slot it is. */
  owner(now: number): number {
    return Math.floor(now / this.#slot) % this.#count
  }

  /** When the slot ends. */
  end(now: number): number {
    return (Math.floor(now / this.#slot) + 1) * this.#slot
  }

  /** When the padding of the slot ends. */
  beginning(now: number): number {
    return Math.floor(now / this.#slot) * this.#slot + this.#pad
  }

  /** True while a request would not be sure to be over when the slot is. */
  isDraining(now: number): boolean {
    return this.end(now) - now <= this.#drain
  }

  /** What a guest's virtual disk is backed by, with the gate that is closed while its slot drains. Set-up. */
  gate(vm: VirtualMachine, backend: BlockBackend): BlockBackend {
    const gate: Gate = { vm, closed: { waiting: false }, room: () => {} }
    this.#gates.push(gate)
    return {
      ...backend,
      submit: (port, tag, operation, sector, count, guestAddress) => {
        if (this.isDraining(port.read(time))) {
          gate.closed.waiting = true
          return false
        }
        return backend.submit(port, tag, operation, sector, count, guestAddress)
      },
      attach: (completed, room) => {
        gate.room = room
        backend.attach(completed, room)
      },
    }
  }

  /** The guest's slot has begun: what waited may go to its disk. */
  open(port: HartPort, vm: VirtualMachine): void {
    for (const gate of this.#gates) {
      if (gate.vm !== vm || !gate.closed.waiting) continue
      gate.closed.waiting = false
      gate.room(port)
    }
  }

  /** For the VMM's registered state. */
  state(): Record<string, { [field: string]: number | boolean }> {
    return Object.fromEntries([
      ['time slots', this.record],
      ...this.#gates.map(({ vm, closed }) => [`gate ${vm.index}`, closed] as const),
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
  /** A request was refused. */
  readonly closed: { waiting: boolean }
  room: (port: HartPort) => void
}
