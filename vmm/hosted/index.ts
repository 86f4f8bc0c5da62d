/** The hosted configuration's door: type 2, a hypervisor in the kernel of a host and a user process for each guest. */
import type { Installed } from '../core/installed.ts'
import { kernelCode, kernelProgram, processProgram } from './image.ts'
import { Kernel } from './kernel.ts'
import { makePlan } from './plan.ts'
import { programImage } from './programs/elf.ts'
import { VmmProcess } from './vmm-process.ts'

export { hostedImage } from './image.ts'

/** The host, and what it keeps of the machine's memory for itself. */
export interface InstalledHost extends Installed {
  readonly memory: readonly { readonly what: string; readonly bytes: number }[]
}

/** Who owns each mode in this configuration, for the machine's ledger. */
export const HOSTED_PARTIES = {
  machine: 'firmware',
  supervisor: 'host kernel',
  user: 'vmm process',
  virtualSupervisor: 'guest',
  virtualUser: 'guest',
} as const

/**
 * The host for the machine that this device tree describes, with its guests below /chosen/guests: the kernel, then its
 * processes, all to be installed. What is to be put at the kernel's address is `hostedImage` for that many guests; the
 * firmware enters it in HS-mode with a0 = hart. `programs` are ELF files of Linux's conventions, which it runs as well.
 */
export function createHostedVmm(deviceTree: Uint8Array, programs: readonly Uint8Array[] = []): InstalledHost {
  const program = kernelProgram()
  const code = kernelCode(program)
  const plan = makePlan(deviceTree, code, programs.map(programImage))
  const vms = plan.processes.map(({ vm }) => vm)
  const processes = plan.processes.map(process => new VmmProcess(processProgram(process.vm.index), process))
  return {
    images: [{ program, software: new Kernel(program, code, plan).software }, ...processes],
    vms,
    memory: plan.memory,
  }
}
