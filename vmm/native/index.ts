/** The native VMM's door. */
import type { Installed } from '../core/installed.ts'
import { nativeImage } from './image.ts'
import { NativeVmm } from './native-vmm.ts'
import { makePlan } from './plan.ts'

export { nativeImage, nativePayload } from './image.ts'

/** Who owns each mode in this configuration, for the machine's ledger. */
export const NATIVE_PARTIES = {
  machine: 'firmware',
  supervisor: 'vmm',
  user: 'driver',
  virtualSupervisor: 'guest',
  virtualUser: 'guest',
} as const

/**
 * The type 1 VMM for the machine that this device tree describes, with its guests below /chosen/guests. Its image is
 * put where it is linked, and entered there in HS-mode with a0 = hart.
 */
export function createNativeVmm(deviceTree: Uint8Array): Installed {
  const plan = makePlan(deviceTree)
  return {
    images: [
      new NativeVmm(nativeImage(plan.hasFiles, plan.servers !== undefined), plan),
      ...(plan.servers?.threads.map(({ parts }) => parts) ?? []),
    ],
    vms: plan.vms,
    ...(plan.guard && { dmaFaults: plan.guard }),
  }
}
