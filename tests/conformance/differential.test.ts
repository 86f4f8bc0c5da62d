import { describe, expect, it } from 'vitest'
import { choicesFor, type Reference } from './differential/deviations.ts'
import { generate } from './differential/generate.ts'
import { buildImage } from './differential/image.ts'
import { showDifferences, showProgram } from './differential/show.ts'
import { bareMachine, type ExecutorName } from './ours.ts'
import { compare } from './qemu.ts'
import { missingTools, QEMU } from './tools.ts'

/** The seeds of programs that two machines run differently, with what differs. */
function disagreements(left: Reference, right: Reference, first: number, count: number): string[] {
  const choices = choicesFor([left, right])
  const programs = Array.from({ length: count }, (_, n) => generate(first + n, choices))
  return compare(programs, left, right).flatMap((differences, index) =>
    differences.length === 0
      ? []
      : [`seed ${first + index}: ${showDifferences(differences, left, right)}\n${showProgram(programs[index])}`],
  )
}

describe('random programs in M, S, U, VS and VU', () => {
  it('run alike on tier 0 and on the evaluator: registers, traps, memory', { timeout: 60_000 }, () => {
    expect(disagreements('tier0', 'evaluator', 0, 100)).toEqual([])
  })

  it('take the same cycles on both executors, and have the same trace, run at once or in pieces', {
    timeout: 60_000,
  }, () => {
    const choices = choicesFor(['tier0', 'evaluator'])
    const image = buildImage(Array.from({ length: 60 }, (_, n) => generate(5000 + n, choices)))
    const traces = [
      ['tier0', Infinity],
      ['tier0', 997],
      ['evaluator', 10_007],
    ].map(([executor, piece]) => {
      const machine = bareMachine(image, executor as ExecutorName, 16 << 20)
      while (machine.run({ untilCycle: machine.now() + Number(piece) }).kind === 'cycle');
      return [machine.traceHash(), machine.now(), machine.mmuCounts(0)]
    })
    expect(traces[1]).toEqual(traces[0])
    expect(traces[2]).toEqual(traces[0])
  })

  const missing = missingTools(QEMU)
  it.skipIf(missing.length > 0)(
    `run alike on tier 0 and on QEMU${missing.length > 0 ? ` (missing: ${missing.join(', ')})` : ''}`,
    { timeout: 60_000 },
    () => {
      expect(disagreements('tier0', 'qemu', 0, 100)).toEqual([])
    },
  )

  const spike = process.env['BAREHART_SPIKE']
  it.skipIf(!spike)(
    `run alike on tier 0 and on Spike${spike ? '' : ' (BAREHART_SPIKE does not name it)'}`,
    { timeout: 60_000 },
    () => {
      expect(disagreements('tier0', 'spike', 0, 100)).toEqual([])
    },
  )
})
