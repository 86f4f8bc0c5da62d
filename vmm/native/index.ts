/** The native VMM's door. */
import type { Software } from '../../hw/port.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { nativeImage } from './image.ts'
import { NativeVmm } from './native-vmm.ts'
import { makePlan } from './plan.ts'

export interface Vmm {
  /** To be put where it is linked, and entered there in HS-mode with a0 = hart. */
  readonly program: Program
  readonly software: Software
}

/** The type 1 VMM for the machine that this device tree describes, with its guests below /chosen/guests. */
export function createNativeVmm(deviceTree: Uint8Array): Vmm {
  return new NativeVmm(nativeImage(), makePlan(deviceTree))
}
