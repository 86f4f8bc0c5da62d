/**
 * Compiles the C twins, plain and as distributions build kernels, runs them in QEMU, which counts every instruction, and
 * writes real-counts.ts.
 * Needs riscv64-linux-gnu-gcc and qemu-system-riscv64: node tests/counting/measure.ts
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FLAGS = [
  '-O2',
  '-march=rv64gc',
  '-mabi=lp64d',
  '-mcmodel=medany',
  '-ffreestanding',
  '-fno-pie',
  '-nostdlib',
  '-static',
  '-no-pie',
  '-Wl,-Ttext=0x80000000',
  '-Wl,--build-id=none',
]
/** By build. A tracer leaves auipc and one nop where the compiler leaves nops: so many are asked for as are executed then. */
const BUILDS = {
  plain: ['-fno-stack-protector'],
  traced: ['-fno-stack-protector', '-fno-omit-frame-pointer', '-fpatchable-function-entry=4,2', '-Wl,--no-relax'],
} as const
const twins = fileURLToPath(new URL('twins/', import.meta.url))
const sources = readdirSync(twins)
  .filter(name => name.endsWith('.c'))
  .toSorted()
const compiler = execFileSync('riscv64-linux-gnu-gcc', ['--version'], { encoding: 'utf8' }).split('\n')[0]

/** What the twins print: name, input, instructions, sum. */
function measured(build: readonly string[]): readonly (readonly string[])[] {
  const scratch = mkdtempSync(join(tmpdir(), 'twins-'))
  const elf = join(scratch, 'twins.elf')
  execFileSync('riscv64-linux-gnu-gcc', [...FLAGS, ...build, '-o', elf, 'start.S', ...sources], { cwd: twins })
  const output = execFileSync(
    'qemu-system-riscv64',
    ['-machine', 'virt', '-bios', 'none', '-nographic', '-icount', 'shift=0', '-kernel', elf],
    { encoding: 'utf8', input: '' },
  )
  rmSync(scratch, { recursive: true })
  return output
    .trim()
    .split('\n')
    .map(line => line.trim().split(' '))
}

const traced = measured(BUILDS.traced)
const rows = measured(BUILDS.plain).map(
  ([name = '', input = '', instructions = '', sum = ''], index) =>
    `  { twin: '${name}', input: ${input}, instructions: ${instructions}, traced: ${traced[index][2]}, sum: ${sum} },`,
)
writeFileSync(
  new URL('real-counts.ts', import.meta.url),
  `/** What compiled C takes, plain and in a traced build: ${compiler}, ${FLAGS.slice(0, 2).join(' ')}. Written by measure.ts. */
export const REAL_COUNTS: readonly {
  readonly twin: string
  readonly input: number
  readonly instructions: number
  readonly traced: number
  readonly sum: number
}[] = [
${rows.join('\n')}
]
`,
)
