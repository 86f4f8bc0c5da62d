/**
 * The PCI Express host: one root bus behind an ECAM window, memory windows whose addresses are the bus's own, four
 * interrupt wires shared by all functions.
 */
import type { Chip, Dma, Line, Plain, Saved } from './chip.ts'
import { PcieFunction } from './pcie-function.ts'
import type { Sriov } from './pcie-sriov.ts'
import { HOST_BRIDGE, requesterId, swizzle } from '../spec/devices/pcie.ts'

export interface PcieHostOptions {
  /** Memory as requests of one function reach it (an IOMMU tells them apart by requester). */
  dma(requester: number): Dma
  /** The wires behind INTA–INTD of slot 0. */
  readonly lines: readonly [Line, Line, Line, Line]
  /** Whether the board takes messages; without it MSI-X is hidden from software. */
  readonly msix: boolean
  /** Where the bus's windows begin; PCI addresses equal physical addresses. */
  readonly window32: number
  readonly window64: number
}

const SLOTS = 32
const FUNCTIONS = 8
const ABSENT = [0xff, 0xffff, 0, 0xffff_ffff] as const

/** A function that can be plugged in, with the virtual ones that it may have. */
export interface PcieDevice {
  readonly function: PcieFunction
  readonly virtual?: Sriov | undefined
}

export class PcieHost implements Saved {
  /** The configuration window: 1 MiB a bus. Bus 0 has slots; on the following ones virtual functions may appear. */
  readonly ecam: Chip
  readonly window32: Chip
  readonly window64: Chip
  /** The port window: nothing of ours answers there. */
  readonly ports: Chip = { read: (_offset, bytes) => ABSENT[bytes - 1], write: () => {} }
  readonly #functions: (PcieFunction | undefined)[] = Array.from({ length: SLOTS * FUNCTIONS }, () => undefined)
  readonly #plugged: PcieFunction[] = []
  readonly #virtual: { readonly routingId: number; readonly functions: Sriov }[] = []
  readonly #options: PcieHostOptions
  readonly #levels: Set<number>[] = [new Set(), new Set(), new Set(), new Set()]

  constructor(options: PcieHostOptions) {
    this.#options = options
    this.ecam = {
      read: (offset, bytes) =>
        this.#configuration(offset)?.configuration.read(offset & 0xfff, bytes) ?? ABSENT[bytes - 1],
      write: (offset, bytes, value) => this.#configuration(offset)?.configuration.write(offset & 0xfff, bytes, value),
    }
    this.window32 = this.#window(options.window32)
    this.window64 = this.#window(options.window64)
    this.plug({ function: new PcieFunction({ ...HOST_BRIDGE, pin: 0 }) }, 0)
  }

  /** Puts a device into a slot of the root bus, before the machine is switched on; or one of its functions, 0 first. */
  plug(device: PcieDevice, slot: number, number = 0): void {
    if (!Number.isInteger(slot) || slot < 0 || slot >= SLOTS)
      throw new RangeError(`PCIe slot ${slot}: there are 0 to ${SLOTS - 1}`)
    const index = slot * FUNCTIONS + number
    if (this.#functions[index]) throw new Error(`PCIe slot ${slot} is taken`)
    const { function: plugged, virtual } = device
    this.#functions[index] = plugged
    this.#plugged.push(plugged)
    if (!this.#options.msix) plugged.hideMsix()
    const wire = plugged.pin === 0 ? 0 : swizzle(slot, plugged.pin)
    const routingId = requesterId(0, slot, number)
    plugged.connect(this.#options.dma(routingId), { set: level => this.#drive(wire, index, level) })
    if (!virtual) return
    virtual.connect(distance => this.#options.dma(routingId + distance), this.#options.msix)
    this.#virtual.push({ routingId, functions: virtual })
  }

  #configuration(offset: number): PcieFunction | undefined {
    const wanted = offset >>> 12
    const found = this.#functions[wanted]
    if (found) return found
    for (const { routingId, functions } of this.#virtual) {
      const virtual = functions.at(wanted - routingId)
      if (virtual) return virtual
    }
    return undefined
  }

  #window(base: number): Chip {
    return {
      read: (offset, bytes) => {
        const hit = this.#at(base + offset)
        return hit ? hit.chip.read(hit.offset, bytes) : ABSENT[bytes - 1]
      },
      write: (offset, bytes, value) => {
        const hit = this.#at(base + offset)
        hit?.chip.write(hit.offset, bytes, value)
      },
    }
  }

  #at(address: number): ReturnType<PcieFunction['at']> {
    for (const candidate of this.#plugged) {
      const hit = candidate.at(address)
      if (hit) return hit
    }
    for (const { functions } of this.#virtual) {
      const hit = functions.decode(address)
      if (hit) return hit
    }
    return undefined
  }

  #drive(wire: number, index: number, level: boolean): void {
    const asserted = this.#levels[wire]
    if (level) asserted.add(index)
    else asserted.delete(index)
    this.#options.lines[wire].set(asserted.size > 0)
  }

  /** The functions' own states are saved with their devices; the bridge has its configuration space. */
  save(): Plain {
    return this.#functions[0]!.save()
  }

  restore(state: Plain): void {
    this.#functions[0]!.restore(state)
  }
}
