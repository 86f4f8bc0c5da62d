/**
 * Memory that a device reaches for as long as a request lasts: at addresses of its own where there is an IOMMU, so that it
 * never learns where anything lies, and nothing is left to it afterwards.
 */
import type { HartPort } from '../../hw/port.ts'
import { mapSmall, SMALL_PAGE, unmapSmall } from '../core/g-stage.ts'
import type { DmaGuard } from './dma-guard.ts'

export interface Loans {
  /** Lends `bytes` of the machine's memory at `address` for request `tag`; returns where the device finds them. */
  lend(port: HartPort, tag: number, address: number, bytes: number): number
  /** The device reaches them no more when this returns. */
  takeBack(port: HartPort, tag: number, address: number, bytes: number): void
}

/** Where a device finds what is lent: so much room for each request. */
const WINDOWS = 0x10_0000_0000
const WINDOW_BYTES = 0x4_0000

/** Without an IOMMU a device reaches everything anyway. */
export const UNGUARDED: Loans = {
  lend: (_port, _tag, address) => address,
  takeBack: () => {
    // Nothing was done.
  },
}

/** Of the device of the VMM's own whose registers are there. Set-up. */
export function guardedLoans(guard: DmaGuard, registers: number): Loans {
  const { root, gscid, driver, takeTable } = guard.domainOf(registers)

  function lend(port: HartPort, tag: number, address: number, bytes: number): number {
    const within = address % SMALL_PAGE
    const window = WINDOWS + tag * WINDOW_BYTES
    for (let offset = 0; offset < within + bytes; offset += SMALL_PAGE)
      mapSmall(port, root, window + offset, address - within + offset, takeTable)
    return window + within
  }

  function takeBack(port: HartPort, tag: number, address: number, bytes: number): void {
    const window = WINDOWS + tag * WINDOW_BYTES
    const end = (address % SMALL_PAGE) + bytes
    for (let offset = 0; offset < end; offset += SMALL_PAGE) unmapSmall(port, root, window + offset)
    driver.invalidate(gscid)
  }

  return { lend, takeBack }
}
