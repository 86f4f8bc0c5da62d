/** A device of the machine's, with its driver in the VMM, as the VMM's entries see it. */
import type { HartPort } from '../../hw/port.ts'

export interface PlacedDevice {
  readonly name: string
  /** Its PLIC source, once `start` has found it; 0 before, or if there is none. */
  source(): number
  start(port: HartPort): void
  /** True once it is of use, or never will be. */
  settled(): boolean
  interrupt(port: HartPort): void
  /** Does what is due; returns when it next wants to be called (ticks of the time CSR), Infinity if not. */
  elapsed(port: HartPort): number
}
