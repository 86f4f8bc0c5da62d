/**
 * Whose time it is, where time is protected: vCPUs of the hart have slots of one length, in turn, from the machine's
 * first tick on. Times are ticks of the time CSR.
 *
 *   │ pad: switch, devices, clearing │ the guest's time … │ next slot
 */
import type { Fdt } from '../../hw/spec/layouts/fdt.ts'
import { type TimeProtection, timeProtectionOf } from '../../hw/spec/layouts/time-protection.ts'

const TICKS_PER_MICROSECOND = 10
/** As harts with fence.t are described. */
const FENCE_T = 'xfencet'

export class TimeSlots {
  /** Since when slots are kept: at boot devices are waited for. `late`: slots whose padding was not enough. */
  readonly record = { begun: false, late: 0 }
  readonly #count: number
  readonly #slot: number
  readonly #pad: number

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

  /** For the VMM's registered state. */
  state(): Record<string, { [field: string]: number | boolean }> {
    return { 'time slots': this.record }
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
