/** The native VMM's image: how a hart comes in, the world switch, and the doors into TypeScript. */
import { assemble, type Program } from '../../hw/spec/isa/assembler.ts'
import { worldSwitch } from '../core/world-switch.ts'
import { VMM_BASE } from './layout.ts'

/** Each door is a label and, behind it, an entry of the same name. `wfi` and `ecall` fall into theirs. */
const source = (files: boolean): string => `
    .option norvc
start:                      # a0 = hart
    csrw sie, zero
    csrw sscratch, zero
    la t0, from_guest
    csrw stvec, t0
boot:
    enter boot
scrub:
    enter scrub
    wfi
settle:
    enter settle
start_secondary:            # a0 = hart, as the firmware starts it
    csrw sie, zero
    csrw sscratch, zero
    la t0, from_guest
    csrw stvec, t0
secondary:
    enter secondary
    wfi
woken:
    enter woken
    ecall
called:
    enter called
    ecall
told:
    enter told
saved:
    enter saved
dropped:
    enter dropped
arriving:
    enter arriving
    wfi
padded:
    enter padded
loaded:
    enter loaded
${worldSwitch('', files)}
`

/** `files`: for a machine with guest interrupt files. */
export function nativeImage(files = false): Program {
  return assemble(source(files), { origin: VMM_BASE })
}
