/** Where a passed function's memory lies: on the machine, and in its guest, whose G-stage tables lead from there to here. */
import type { HartPort } from '../../../hw/port.ts'
import { GUEST_PCIE } from '../../../hw/spec/guest-map.ts'
import { mapSmall, SMALL_PAGE, type TableAllocator, unmapSmall } from '../../core/g-stage.ts'
import { VIRTUAL_BARS, type VirtualPcieFunction } from '../../virtual/pcie-function.ts'

export class BarMap {
  /** By BAR: where it begins on the machine; and in the guest, 0 while it is not mapped there. */
  readonly bases = new Float64Array(VIRTUAL_BARS)
  readonly places = new Float64Array(VIRTUAL_BARS)
  /** By BAR: bytes that are mapped. */
  readonly sizes = new Float64Array(VIRTUAL_BARS)
  /** Bytes of a BAR whose pages the guest does not get. */
  readonly kept = { bar: -1, from: 0, to: 0 }
  readonly #root: number
  readonly #takeTable: TableAllocator

  constructor(root: number, takeTable: TableAllocator) {
    this.#root = root
    this.#takeTable = takeTable
  }

  /** Whoever touches these bytes asks the VMM. */
  keep(bar: number, from: number, bytes: number): void {
    this.kept.bar = bar
    this.kept.from = from - (from % SMALL_PAGE)
    this.kept.to = from + bytes
  }

  /** Maps all BARs where the guest has put them, as far as that is within its PCIe windows; others are reached by the VMM alone. */
  map(port: HartPort, configuration: VirtualPcieFunction): void {
    for (let bar = 0; bar < VIRTUAL_BARS; bar++) {
      const place = configuration.barAddress(bar)
      const bytes = configuration.barBytes(bar)
      if (bytes < SMALL_PAGE || this.places[bar] !== 0 || !isInWindow(place, bytes)) continue
      for (let offset = 0; offset < bytes; offset += SMALL_PAGE) {
        if (!this.#isKept(bar, offset))
          mapSmall(port, this.#root, place + offset, this.bases[bar] + offset, this.#takeTable)
      }
      this.places[bar] = place
      this.sizes[bar] = bytes
    }
    port.hfenceGvma()
  }

  /** Takes them out of the guest's tables. True if there was anything; the caller tells the IOMMU. */
  unmap(port: HartPort): boolean {
    let any = false
    for (let bar = 0; bar < VIRTUAL_BARS; bar++) {
      const place = this.places[bar]
      if (place === 0) continue
      for (let offset = 0; offset < this.sizes[bar]; offset += SMALL_PAGE) unmapSmall(port, this.#root, place + offset)
      this.places[bar] = 0
      any = true
    }
    if (any) port.hfenceGvma()
    return any
  }

  #isKept(bar: number, offset: number): boolean {
    return bar === this.kept.bar && offset >= this.kept.from && offset < this.kept.to
  }
}

function isInWindow(place: number, bytes: number): boolean {
  const { memory32, memory64 } = GUEST_PCIE
  const end = place + bytes
  return (
    (place >= memory32.base && end <= memory32.base + memory32.bytes) ||
    (place >= memory64.base && end <= memory64.base + memory64.bytes)
  )
}
