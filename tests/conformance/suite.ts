/**
 * Runs riscv-tests (or whatever reports by HTIF) on our machine:
 *
 *   node tests/conformance/suite.ts --suite DIR [--executor tier0|evaluator|both] [--only PATTERN] [--json]
 *
 * DIR holds the programs, ELF files named FOLDER-ENVIRONMENT-TEST (rv64ui-p-add). Exit code 1 if one fails.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isElf } from '../../hw/boards/elf.ts'
import { bareMachine, EXECUTORS, type ExecutorName, explain } from './ours.ts'

const INSTRUCTIONS = 5_000_000
const RAM_BYTES = 16 << 20

export interface SuiteResult {
  readonly program: string
  readonly executor: ExecutorName
  readonly passed: boolean
  /** What went wrong: the number of the test that failed, or how the machine stopped. */
  readonly why: string
  readonly instructions: number
}

/** Runs one ELF program until it writes to tohost. */
export function runProgram(path: string, program: string, executor: ExecutorName): SuiteResult {
  try {
    const machine = bareMachine(readFileSync(path), executor, RAM_BYTES)
    const stop = machine.run({ maxInstructions: INSTRUCTIONS })
    const passed = stop.kind === 'stopped' && stop.reason === 'pass'
    const why = passed
      ? ''
      : stop.kind === 'stopped'
        ? `test ${stop.code}`
        : `stopped by ${explain(stop)} at 0x${machine.registers(0).pc.toString(16)}`
    return { program, executor, passed, why, instructions: machine.harts[0].retired() }
  } catch (error) {
    return {
      program,
      executor,
      passed: false,
      why: error instanceof Error ? (error.stack ?? error.message) : String(error),
      instructions: 0,
    }
  }
}

/** Runs all programs of a folder whose names match. */
export function runSuite(folder: string, executors: readonly ExecutorName[], only = ''): SuiteResult[] {
  const pattern = new RegExp(only)
  return readdirSync(folder)
    .toSorted()
    .filter(program => pattern.test(program) && isElf(readFileSync(join(folder, program))))
    .flatMap(program => executors.map(executor => runProgram(join(folder, program), program, executor)))
}

/** A line for each group of programs (rv64ui-p) and executor, then one for each failure. */
export function summary(results: readonly SuiteResult[]): string {
  const groups = new Map<string, { passed: number; all: number }>()
  for (const { program, executor, passed } of results) {
    const group = `${/^(.*?-[pv])-/.exec(program)?.[1] ?? program}  ${executor}`
    const counts = groups.get(group) ?? { passed: 0, all: 0 }
    groups.set(group, { passed: counts.passed + (passed ? 1 : 0), all: counts.all + 1 })
  }
  const lines = [...groups].map(
    ([group, { passed, all }]) => `${group.padEnd(32)} ${String(passed).padStart(4)} of ${all}`,
  )
  const failures = results
    .filter(({ passed }) => !passed)
    .map(({ program, executor, why }) => `FAIL ${program} (${executor}): ${why}`)
  return [...lines, ...failures, `${results.length - failures.length} of ${results.length} passed`].join('\n')
}

function main(): void {
  const { values } = parseArgs({
    options: {
      suite: { type: 'string' },
      executor: { type: 'string', default: 'both' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  })
  const executors = EXECUTORS.filter(name => values.executor === name || values.executor === 'both')
  if (!values.suite || executors.length === 0) {
    console.error(
      'usage: node tests/conformance/suite.ts --suite DIR [--executor tier0|evaluator|both] [--only PATTERN] [--json]',
    )
    process.exit(2)
  }
  const results = runSuite(values.suite, executors, values.only)
  console.log(values.json ? JSON.stringify(results, null, 2) : summary(results))
  process.exit(results.length > 0 && results.every(({ passed }) => passed) ? 0 : 1)
}

if (import.meta.main) main()
