/** The native VMM's door. */
import type { Software } from '../../hw/port.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { nativeImage } from './image.ts'
import { NativeVmm } from './native-vmm.ts'
import { makePlan } from './plan.ts'

export { nativeImage } from './image.ts'

/** TypeScript software and where it is linked. */
export interface Installed {
  readonly software: Software
  readonly program: Program
}

/**
 * The type 1 VMM for the machine that this device tree describes, with its guests below /chosen/guests. Its image is
 * put where it is linked, and entered there in HS-mode with a0 = hart.
 */
export function createNativeVmm(deviceTree: Uint8Array): readonly Installed[] {
  return [new NativeVmm(nativeImage(), makePlan(deviceTree))]
}
