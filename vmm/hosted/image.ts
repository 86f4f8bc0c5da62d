/**
 * The images of the hosted configuration: the kernel's (trap entry and exit, world switch, doors into TypeScript) and
 * the VMM process's, one copy a process at its own physical page, all mapped at the same address.
 */
import { assemble, type Program } from '../../hw/spec/isa/assembler.ts'
import { A0, FLOATS, FS, GENERAL } from '../core/world-switch.ts'
import { crossingCode } from './crossing.ts'
import { guestSwitch } from './guest-switch.ts'
import { HART_FRAMES, KERNEL_BASE, TEXT_BYTES, taskFrame, textOf } from './layout.ts'

/** sstatus.SUM, and FS: the kernel has neither on entry. */
const OFF_IN_KERNEL = 0x4_0000 | FS
const SIE = 2
const HART_FRAME_SHIFT = Math.log2(taskFrame.size)
const general = (operation: 'ld' | 'sd') =>
  GENERAL.map(register => `    ${operation} x${register}, ${taskFrame.x.at + register * 8}(a0)`).join('\n')

const lines = (rows: readonly string[]) => rows.join('\n')
/** All of the registers that were there, a0 from sscratch, into the frame at a0. */
const saved = `${general('sd')}
    csrrw t0, sscratch, zero
    sd t0, ${taskFrame.x.at + A0 * 8}(a0)
    csrr t0, sepc
    sd t0, ${taskFrame.sepc.at}(a0)
    li t0, ${OFF_IN_KERNEL}
    csrrc t0, sstatus, t0
    sd t0, ${taskFrame.sstatus.at}(a0)
    csrr t0, stval
    sd t0, ${taskFrame.stval.at}(a0)
    csrr t0, scause
    sd t0, ${taskFrame.scause.at}(a0)`

const comingIn = `    csrw sie, zero
    csrw sscratch, zero
    la t0, from_user
    csrw stvec, t0
    li tp, ${HART_FRAMES}
    slli t0, a0, ${HART_FRAME_SHIFT}
    add tp, tp, t0`

/**
 * `sscratch` holds the frame of the task that runs in user mode, zero in the kernel, where tp is the hart's own frame.
 * The kernel lets interrupts come only between its entries, in windows of one instruction. Each door is a label and, behind
 * it, an entry of the same name; `wfi` and `ecall` fall into theirs.
 */
const KERNEL = `
    .option norvc
start:                      # a0 = hart
${comingIn}
boot:
    enter boot
scrub:
    enter scrub
    wfi
settle:
    enter settle
start_secondary:            # a0 = hart, as the firmware starts it
${comingIn}
secondary:
    enter secondary
    wfi
rested:
    csrsi sstatus, ${SIE}
    csrci sstatus, ${SIE}
woken:
    enter woken
    ecall
called:
    enter called
saved:
    enter saved
fetched:
    enter fetched
switched:
    enter switched
loaded:
    enter loaded

    .align 2
from_user:
    csrrw a0, sscratch, a0
    beqz a0, from_kernel
${saved}
    ld tp, ${taskFrame.kernelPointer.at}(a0)
trap:
    enter trap
from_kernel:
    mv a0, tp
${saved}
interrupted:
    enter interrupted

to_user:                    # a0 = frame
    sd tp, ${taskFrame.kernelPointer.at}(a0)
    csrw sscratch, a0
to_kernel:                  # a0 = the hart's frame
    ld t0, ${taskFrame.sepc.at}(a0)
    csrw sepc, t0
    ld t0, ${taskFrame.sstatus.at}(a0)
    csrw sstatus, t0
${general('ld')}
    ld a0, ${taskFrame.x.at + A0 * 8}(a0)
    sret

switch_task:                # a0 = the frame of the thread that comes, a1 = where to go on, a2 = of the one that goes
    li t1, ${FS}
    ld t0, ${taskFrame.sstatus.at}(a2)
    and t0, t0, t1
    bne t0, t1, 1f
    csrs sstatus, t1
${lines(FLOATS.map(register => `    fsd f${register}, ${taskFrame.f.at + register * 8}(a2)`))}
    csrr t0, fcsr
    sd t0, ${taskFrame.fcsr.at}(a2)
1:  ld t0, ${taskFrame.sstatus.at}(a0)
    and t0, t0, t1
    beqz t0, 2f
    csrs sstatus, t1
${lines(FLOATS.map(register => `    fld f${register}, ${taskFrame.f.at + register * 8}(a0)`))}
    ld t0, ${taskFrame.fcsr.at}(a0)
    csrw fcsr, t0
2:  csrc sstatus, t1
    jr a1

switch_space:               # a0 = frame, a1 = where to go on
    ld t0, ${taskFrame.satp.at}(a0)
    csrw satp, t0
    jr a1
${guestSwitch()}
${crossingCode()}
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
  readonly start: number
  readonly scrub: number
  readonly settle: number
  readonly startSecondary: number
  readonly rested: number
  readonly called: number
  readonly switched: number
  readonly saved: number
  readonly fetched: number
  readonly loaded: number
  readonly toUser: number
  readonly toKernel: number
  readonly switchTask: number
  readonly switchSpace: number
  readonly enterGuest: number
  readonly window: number
  readonly watchVcpu: number
  readonly saveContext: number
  readonly loadContext: number
  readonly toMonitor: number
  readonly toHost: number
  readonly monitorFromGuest: number
  readonly monitorToGuest: number
  readonly monitorSaveContext: number
  readonly monitorLoadContext: number
  readonly monitorSaved: number
  readonly monitorLoaded: number
}

export function kernelCode(program: Program): KernelCode {
  const at = (name: string) => program.symbols.get(name)!
  return {
    start: at('start'),
    scrub: at('scrub'),
    settle: at('settle'),
    startSecondary: at('start_secondary'),
    rested: at('rested'),
    called: at('called'),
    switched: at('switched'),
    saved: at('saved'),
    fetched: at('fetched'),
    loaded: at('loaded'),
    toUser: at('to_user'),
    toKernel: at('to_kernel'),
    switchTask: at('switch_task'),
    switchSpace: at('switch_space'),
    enterGuest: at('enter_guest'),
    window: at('window'),
    watchVcpu: at('watch_vcpu'),
    saveContext: at('save_context'),
    loadContext: at('load_context'),
    toMonitor: at('to_monitor'),
    toHost: at('to_host'),
    monitorFromGuest: at('monitor_from_guest'),
    monitorToGuest: at('monitor_to_guest'),
    monitorSaveContext: at('monitor_save_context'),
    monitorLoadContext: at('monitor_load_context'),
    monitorSaved: at('monitor_saved'),
    monitorLoaded: at('monitor_loaded'),
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
