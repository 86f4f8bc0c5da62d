/** A program and a difference, for people. */
import { disassemble } from '../../../hw/spec/isa/index.ts'
import { SETTINGS, SLOT_BYTES } from './arena.ts'
import { originsOf } from './image.ts'
import type { Difference } from './log.ts'
import type { Program } from './program.ts'

const hex = (value: bigint): string => `0x${value.toString(16)}`

/** The program as assembly, with what is set before it starts. */
export function showProgram(program: Program, index = 0): string {
  const origins = originsOf(program, index)
  const guest = program.mode === 'VS' || program.mode === 'VU'
  const base = guest ? origins.guest : origins.host
  const lines = [
    `mode ${program.mode}, satp ${program.satp.mode}, vsatp ${program.vsatp.mode}, hgatp ${program.hgatp.mode}, fcsr 0x${program.fcsr.toString(16)}`,
    SETTINGS.flatMap(name =>
      program.settings[name] === undefined ? [] : [`${name} ${hex(program.settings[name])}`],
    ).join(', '),
    program.x
      .map((value, n) => {
        const pointer = program.pointers.get(n)
        return `x${n} ${hex(pointer ? BigInt(pointer.guest ? origins.guest : origins.host) + pointer.offset : value)}`
      })
      .join(', '),
  ]
  program.slots.forEach((words, slot) => {
    if (words.every(word => word === 1)) return
    let at = base + slot * SLOT_BYTES
    lines.push(`slot ${slot}:`)
    for (const word of words) {
      if (word !== 1) lines.push(`  ${at.toString(16)}  ${disassemble(word, at)}`)
      at += (word & 3) === 3 ? 4 : 2
    }
  })
  return lines.join('\n')
}

export function showDifferences(differences: readonly Difference[], left: string, right: string): string {
  return differences
    .map(
      ({ record, what, left: l, right: r }) =>
        `${record < 0 ? 'memory' : `trap ${record + 1}`}: ${what}: ${left} ${hex(l)}, ${right} ${hex(r)}`,
    )
    .join('\n')
}
