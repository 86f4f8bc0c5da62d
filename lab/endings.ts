/** How the guests of a system are, or ended, as their VMM's state says. */
import { disassemble } from '../hw/spec/isa/index.ts'
import { CRASH_BEFORE } from '../vmm/core/crash.ts'
import { frame, slotOf } from '../vmm/core/frame.ts'
import type { System } from './system.ts'

export interface Ending {
  readonly guest: string
  readonly ended: boolean
  readonly crashed: boolean
  /** What the guest said when it switched itself off; the trap's code if it crashed. */
  readonly exitCode: number
}

/** Empty on the bare machine: its guest ends with the machine. */
export function endings(system: System): readonly Ending[] {
  return system.guests.map(({ label, record: { ended, crashed, exitCode } }) => ({
    guest: label,
    ended,
    crashed,
    exitCode,
  }))
}

const REGISTERS = [
  'zero', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5',
  'a6', 'a7', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11', 't3', 't4', 't5', 't6',
] // biome-ignore format: a table
const COLUMNS = 3
/** What a guest crashes of: traps that it should have taken itself and could not, or that its VMM has no answer to. */
const CAUSES: Readonly<Record<number, string>> = {
  1: 'instruction access fault',
  5: 'load access fault',
  7: 'store access fault',
  20: 'instruction guest-page fault',
  21: 'load guest-page fault',
  23: 'store guest-page fault',
}

/** What a guest crashed of, in one line. */
export function crashCause(system: System, { guest: label, exitCode }: Ending): string {
  const { vcpu, faultAddress } = guestOf(system, label).record
  const pc = frameOf(system, label).doubleword(frame.sepc.at)
  return `${CAUSES[exitCode] ?? `trap ${exitCode}`} at 0x${faultAddress.toString(16)}, vCPU ${vcpu}, pc 0x${pc.toString(16)}`
}

function guestOf({ guests }: System, guest: string) {
  return guests.find(({ label }) => label === guest)!
}

/** What the frame of the vCPU that crashed holds. */
function frameOf(system: System, label: string) {
  const { vcpus, record } = guestOf(system, label)
  const at = vcpus[record.vcpu].frame
  const { memory } = system.machine
  return { doubleword: (offset: number) => memory.view.getBigUint64(memory.toHost(at + offset), true) }
}

/** Cause, registers, and the instructions around the fault, for people. */
export function crashReport(system: System, ending: Ending): string {
  const { doubleword } = frameOf(system, ending.guest)
  const lines = [
    `guest ${ending.guest} crashed and was stopped; the others go on`,
    `  cause  ${crashCause(system, ending)}`,
  ]
  for (let first = 1; first < 32; first += COLUMNS) {
    const row = REGISTERS.slice(first, first + COLUMNS)
    lines.push(
      `  ${row
        .map(
          (name, index) =>
            `${name.padStart(4)} ${doubleword(slotOf(0, first + index))
              .toString(16)
              .padStart(16, '0')}`,
        )
        .join(' ')}`,
    )
  }
  const pc = doubleword(frame.sepc.at)
  return [...lines, ...instructionsAround(pc, guestOf(system, ending.guest).crashCode)].join('\n')
}

/** From where the halfwords make whole instructions that meet the pc. */
function instructionsAround(pc: bigint, code: Int32Array): readonly string[] {
  const lines: string[] = []
  for (let index = CRASH_BEFORE - 1; index < code.length; ) {
    const half = code[index]
    const address = pc + BigInt((index - CRASH_BEFORE) * 2)
    const long = (half & 3) === 3
    const next = code[index + 1] ?? -1
    if (half < 0 || (long && next < 0)) return lines.length > 0 ? lines : ['  the code there cannot be read']
    // A halfword before the pc that begins a long instruction would run over it: it is somebody's second half.
    if (index < CRASH_BEFORE && long) {
      index++
      continue
    }
    const word = long ? ((next << 16) | half) >>> 0 : half
    lines.push(
      `  ${index === CRASH_BEFORE ? '▶' : ' '} ${address.toString(16).padStart(16)}  ${disassemble(word, Number(address))}`,
    )
    index += long ? 2 : 1
  }
  return lines
}
