import { describe, expect, it } from 'vitest'
import { choicesFor, type Reference } from './differential/deviations.ts'
import { generate } from './differential/generate.ts'
import { showDifferences, showProgram } from './differential/show.ts'
import { compare } from './qemu.ts'
import { missingTools, QEMU } from './tools.ts'

/** The seeds of programs that two machines run differently, with what differs. */
function disagreements(left: Reference, right: Reference, first: number, count: number): string[] {
  const choices = choicesFor([left, right])
  const programs = Array.from({ length: count }, (_, n) => generate(first + n, choices))
  return compare(programs, left, right).flatMap((differences, index) =>
    differences.length === 0 ? [] : [`seed ${first + index}: ${showDifferences(differences, left, right)}\n${showProgram(programs[index]!)}`])
}

describe('random programs in M, S, U, VS and VU', () => {
  it('run alike on tier 0 and on the evaluator: registers, traps, memory', { timeout: 60_000 }, () => {
    expect(disagreements('tier0', 'evaluator', 0, 100)).toEqual([])
  })

  const missing = missingTools(QEMU)
  it.skipIf(missing.length > 0)(`run alike on tier 0 and on QEMU${missing.length > 0 ? ` (missing: ${missing.join(', ')})` : ''}`, { timeout: 60_000 }, () => {
    expect(disagreements('tier0', 'qemu', 0, 100)).toEqual([])
  })

  const spike = process.env['BAREHART_SPIKE']
  it.skipIf(!spike)(`run alike on tier 0 and on Spike${spike ? '' : ' (BAREHART_SPIKE does not name it)'}`, { timeout: 60_000 }, () => {
    expect(disagreements('tier0', 'spike', 0, 100)).toEqual([])
  })
})
