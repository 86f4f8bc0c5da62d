/**
 * The images of the hosted configuration: the kernel's (trap entry and exit, world switch, doors into TypeScript) and
 * the VMM process's, one copy a process at its own physical page, all mapped at the same address.
 */
import { assemble, type Program } from '../../hw/spec/isa/assembler.ts'
import { worldSwitch } from '../core/world-switch.ts'
import { KERNEL_BASE, TEXT_BYTES, taskFrame, textOf } from './layout.ts'

const A0 = 10
const GENERAL = Array.from({ length: 31 }, (_, index) => index + 1).filter(register => register !== A0)
const general = (operation: 'ld' | 'sd') =>
  GENERAL.map(register => `    ${operation} x${register}, ${taskFrame.x.at + register * 8}(a0)`).join('\n')

/**
 * `sscratch` holds the frame of the task that runs in user mode, zero in the kernel. Each door is a label and, behind
 * it, an entry of the same name; `wfi` and `ecall` fall into theirs.
 */
const KERNEL = `
    .option norvc
start:                      # a0 = hart
    csrw sie, zero
    csrw sscratch, zero
    la t0, from_user
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
    la t0, from_user
    csrw stvec, t0
secondary:
    enter secondary
    wfi
woken:
    enter woken
    ecall
called:
    enter called
saved:
    enter saved
switched:
    enter switched
loaded:
    enter loaded

    .align 2
from_user:
    csrrw a0, sscratch, a0
    beqz a0, from_kernel
${general('sd')}
    csrrw t0, sscratch, zero
    sd t0, ${taskFrame.x.at + A0 * 8}(a0)
    csrr t0, sepc
    sd t0, ${taskFrame.sepc.at}(a0)
    csrr t0, sstatus
    sd t0, ${taskFrame.sstatus.at}(a0)
    enter trap
from_kernel:
    csrrw a0, sscratch, a0
    enter panic

to_user:                    # a0 = frame
    csrw sscratch, a0
    ld t0, ${taskFrame.sepc.at}(a0)
    csrw sepc, t0
    ld t0, ${taskFrame.sstatus.at}(a0)
    csrw sstatus, t0
${general('ld')}
    ld a0, ${taskFrame.x.at + A0 * 8}(a0)
    sret

switch_space:               # a0 = frame, a1 = where to go on
    ld t0, ${taskFrame.satp.at}(a0)
    csrw satp, t0
    jr a1
${worldSwitch()}
`

/** s1 tells a thread which it is. A system call falls into `returned`. */
const PROCESS = `
    .option norvc
main:
    enter main
    ecall
returned:
    enter returned
`

/** Addresses in the kernel's image. */
export interface KernelCode {
  readonly scrub: number
  readonly settle: number
  readonly startSecondary: number
  readonly woken: number
  readonly called: number
  readonly switched: number
  readonly saved: number
  readonly loaded: number
  readonly fromUser: number
  readonly toUser: number
  readonly switchSpace: number
  readonly fromGuest: number
  readonly toGuest: number
  readonly saveContext: number
  readonly loadContext: number
}

export function kernelCode(program: Program): KernelCode {
  const at = (name: string) => program.symbols.get(name)!
  return {
    scrub: at('scrub'),
    settle: at('settle'),
    startSecondary: at('start_secondary'),
    woken: at('woken'),
    called: at('called'),
    switched: at('switched'),
    saved: at('saved'),
    loaded: at('loaded'),
    fromUser: at('from_user'),
    toUser: at('to_user'),
    switchSpace: at('switch_space'),
    fromGuest: at('from_guest'),
    toGuest: at('to_guest'),
    saveContext: at('save_context'),
    loadContext: at('load_context'),
  }
}

export function kernelProgram(): Program {
  return assemble(KERNEL, { origin: KERNEL_BASE })
}

/** A process's text, at its own physical page. It uses no absolute address. */
export function processProgram(process: number): Program {
  return assemble(PROCESS, { origin: textOf(process) })
}

/** What is to be put at KERNEL_BASE: the kernel and the text of its processes. */
export function hostedImage(processes: number): Uint8Array {
  const payload = new Uint8Array(textOf(processes) - KERNEL_BASE)
  payload.set(kernelProgram().bytes)
  for (let process = 0; process < processes; process++) {
    const { bytes } = processProgram(process)
    if (bytes.length > TEXT_BYTES)
      throw new Error(`a process's text takes ${bytes.length} bytes, more than ${TEXT_BYTES}`)
    payload.set(bytes, textOf(process) - KERNEL_BASE)
  }
  return payload
}
