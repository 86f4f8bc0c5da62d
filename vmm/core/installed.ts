/** A VMM as whoever switches the machine on gets it: software to be installed, and its guests to be looked at. */
import type { Software } from '../../hw/port.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import type { VirtualMachine } from './virtual-machine.ts'

export interface Installed {
  /** TypeScript software, and where each is linked. */
  readonly images: readonly { readonly software: Software; readonly program: Program }[]
  readonly vms: readonly VirtualMachine[]
}
