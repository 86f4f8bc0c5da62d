/**
 * A guest's PCI Express root bus: configuration space, in which only the guest's own functions exist, one a slot from 1
 * on, and the windows for their memory, as far as the guest's harts do not reach it without the VMM.
 */
import type { HartPort } from '../../hw/port.ts'
import type { VirtualChip } from './chip.ts'
import { VIRTUAL_BARS, type VirtualPcieFunction } from './pcie-function.ts'

const SLOT_SHIFT = 15
/** Functions of a slot beyond the first. */
const OTHERS = 7 << 12
const REGISTER = 0xfff

/** What nobody answers with. */
function ones(bytes: 1 | 2 | 4): number {
  return bytes === 4 ? 0xffff_ffff : bytes === 2 ? 0xffff : 0xff
}

export class VirtualEcam implements VirtualChip {
  readonly #functions: readonly VirtualPcieFunction[]

  constructor(functions: readonly VirtualPcieFunction[]) {
    this.#functions = functions
  }

  read(_port: HartPort, offset: number, bytes: 1 | 2 | 4): number {
    const index = this.#at(offset)
    return index < 0 ? ones(bytes) : this.#functions[index].read(offset & REGISTER, bytes)
  }

  write(port: HartPort, offset: number, bytes: 1 | 2 | 4, value: number): void {
    const index = this.#at(offset)
    if (index >= 0) this.#functions[index].write(port, offset & REGISTER, bytes, value)
  }

  /** The function whose configuration space it is, or -1. */
  #at(offset: number): number {
    const index = (offset >>> SLOT_SHIFT) - 1
    return (offset & OTHERS) === 0 && index < this.#functions.length ? index : -1
  }
}

export class VirtualPcieMemory implements VirtualChip {
  readonly #functions: readonly VirtualPcieFunction[]
  readonly #base: number

  /** `base`: where the window begins; the bus's addresses are the guest's. */
  constructor(functions: readonly VirtualPcieFunction[], base: number) {
    this.#functions = functions
    this.#base = base
  }

  read(port: HartPort, offset: number, bytes: 1 | 2 | 4): number {
    const address = this.#base + offset
    for (let index = 0; index < this.#functions.length; index++) {
      const found = this.#functions[index]
      const bar = barOf(found, address)
      if (bar >= 0) return found.load(port, bar, address - found.barAddress(bar), bytes)
    }
    return ones(bytes)
  }

  write(port: HartPort, offset: number, bytes: 1 | 2 | 4, value: number): void {
    const address = this.#base + offset
    for (let index = 0; index < this.#functions.length; index++) {
      const found = this.#functions[index]
      const bar = barOf(found, address)
      if (bar >= 0) return found.store(port, bar, address - found.barAddress(bar), bytes, value)
    }
  }
}

/** The BAR that decodes an address, or -1. */
function barOf(candidate: VirtualPcieFunction, address: number): number {
  if (!candidate.isDecoding()) return -1
  for (let bar = 0; bar < VIRTUAL_BARS; bar++) {
    const offset = address - candidate.barAddress(bar)
    if (offset >= 0 && offset < candidate.barBytes(bar)) return bar
  }
  return -1
}
