/**
 * Random programs on two machines, compared trap by trap, register by register:
 *
 *   node tests/conformance/qemu.ts [--left tier0] [--right qemu] [--seed 0] [--count 100] [--batch 100] [--modes M,S,U,VS,VU] [--keep-going]
 *
 * Machines are tier0, evaluator, qemu (QEMU 7.2's virt) and spike (its path in BAREHART_SPIKE). Program n of a run has
 * seed + n. A program on which the two differ is shrunk and printed, with the command that runs it again.
 */
import { parseArgs } from 'node:util'
import { ARENA_BYTES, arenaAt, RAM } from './differential/arena.ts'
import { choicesFor, agreementFor, type Reference } from './differential/deviations.ts'
import { generate } from './differential/generate.ts'
import { buildImage } from './differential/image.ts'
import { compareArenas, type Difference } from './differential/log.ts'
import { MODES, type Program } from './differential/program.ts'
import { showDifferences, showProgram } from './differential/show.ts'
import { shrink } from './differential/shrink.ts'
import { runOnOurs } from './ours.ts'
import { runInQemu, runInSpike, type Run } from './tools.ts'

const QEMU_CPU = 'rv64,h=on,sstc=on,svinval=on,svnapot=off,svpbmt=off,zbc=off'
const SPIKE_ISA =
  'rv64gch_zicsr_zifencei_zicntr_zihpm_zba_zbb_zbs_zicond_zicbom_zicboz_zicbop_svinval_svnapot_svpbmt_svadu_sstc_zicclsm'

function runOn(machine: Reference, run: Run): Uint8Array {
  switch (machine) {
    case 'tier0':
    case 'evaluator':
      return runOnOurs(machine, run)
    case 'qemu':
      return runInQemu(run, QEMU_CPU)
    case 'spike': {
      const spike = process.env['BAREHART_SPIKE']
      if (!spike) throw new Error('BAREHART_SPIKE must hold the path of spike')
      return runInSpike(spike, run, SPIKE_ISA)
    }
  }
}

/** How each program's run on one machine differs from that on the other. */
export function compare(programs: readonly Program[], left: Reference, right: Reference): Difference[][] {
  const run: Run = {
    image: buildImage(programs),
    resultAt: arenaAt(0) - RAM,
    resultBytes: programs.length * ARENA_BYTES,
    seconds: 20,
  }
  const [a, b] = [runOn(left, run), runOn(right, run)]
  const agree = agreementFor([left, right])
  return programs.map((_, index) => {
    const from = index * ARENA_BYTES
    return compareArenas(a.subarray(from, from + ARENA_BYTES), b.subarray(from, from + ARENA_BYTES), agree)
  })
}

/** As compare, but programs that do not come to an end are left out: theirs is an empty list. */
function compareThatEnd(programs: readonly Program[], left: Reference, right: Reference): Difference[][] {
  try {
    return compare(programs, left, right)
  } catch (error) {
    if (programs.length > 1) {
      const half = programs.length >> 1
      return [
        ...compareThatEnd(programs.slice(0, half), left, right),
        ...compareThatEnd(programs.slice(half), left, right),
      ]
    }
    console.log(`seed ${programs[0]?.seed} does not end: ${error instanceof Error ? error.message : String(error)}`)
    return [[]]
  }
}

/** What must stay the same while a program shrinks, lest it become another one's: the causes that differ. */
function kindOf(differences: readonly Difference[]): string {
  return differences
    .filter(({ what }) => what.endsWith('cause'))
    .map(({ what, left, right }) => `${what} ${left} ${right}`)
    .join()
}

function references(left: string, right: string): [Reference, Reference] {
  const known = ['tier0', 'evaluator', 'qemu', 'spike'] as const
  const find = (name: string): Reference => {
    const found = known.find(reference => reference === name)
    if (!found) throw new Error(`no machine "${name}": choose among ${known.join(', ')}`)
    return found
  }
  return [find(left), find(right)]
}

function main(): void {
  const { values } = parseArgs({
    options: {
      left: { type: 'string', default: 'tier0' },
      right: { type: 'string', default: 'qemu' },
      seed: { type: 'string', default: '0' },
      count: { type: 'string', default: '100' },
      batch: { type: 'string', default: '100' },
      modes: { type: 'string' },
      'keep-going': { type: 'boolean', default: false },
    },
  })
  const [left, right] = references(values.left, values.right)
  const possible = choicesFor([left, right])
  const wanted = values.modes?.split(',') ?? MODES
  const choices = { ...possible, modes: possible.modes.filter(mode => wanted.includes(mode)) }
  const [first, count, batch] = [Number(values.seed), Number(values.count), Number(values.batch)]
  let differing = 0
  for (let seed = first; seed < first + count; seed += batch) {
    const programs = Array.from({ length: Math.min(batch, first + count - seed) }, (_, n) =>
      generate(seed + n, choices),
    )
    const results = compareThatEnd(programs, left, right)
    for (const [index, differences] of results.entries()) {
      if (differences.length === 0) continue
      differing++
      const program = programs[index]
      const kind = kindOf(differences)
      const short = shrink(program, candidates =>
        compareThatEnd(candidates, left, right).map(found => found.length > 0 && kindOf(found) === kind),
      )
      const [shown] = compare([short], left, right)
      console.log(`seed ${program.seed}: ${left} and ${right} differ`)
      console.log(showDifferences(shown?.length ? shown : differences, left, right))
      console.log(showProgram(short))
      console.log(
        `again: node tests/conformance/qemu.ts --left ${left} --right ${right} --seed ${program.seed} --count 1 --modes ${choices.modes.join(',')}\n`,
      )
      if (!values['keep-going']) process.exit(1)
    }
  }
  console.log(`${count - differing} of ${count} programs agree`)
  process.exit(differing > 0 ? 1 : 0)
}

if (import.meta.main) main()
