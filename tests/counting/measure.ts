/**
 * Compiles the C twins, runs them in QEMU, which counts every instruction, and writes real-counts.ts.
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
  '-fno-stack-protector',
  '-fno-pie',
  '-nostdlib',
  '-static',
  '-no-pie',
  '-Wl,-Ttext=0x80000000',
  '-Wl,--build-id=none',
]
const twins = fileURLToPath(new URL('twins/', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'twins-'))
const elf = join(scratch, 'twins.elf')
const sources = readdirSync(twins)
  .filter(name => name.endsWith('.c'))
  .toSorted()
execFileSync('riscv64-linux-gnu-gcc', [...FLAGS, '-o', elf, 'start.S', ...sources], { cwd: twins })
const compiler = execFileSync('riscv64-linux-gnu-gcc', ['--version'], { encoding: 'utf8' }).split('\n')[0]
const output = execFileSync(
  'qemu-system-riscv64',
  ['-machine', 'virt', '-bios', 'none', '-nographic', '-icount', 'shift=0', '-kernel', elf],
  { encoding: 'utf8', input: '' },
)
rmSync(scratch, { recursive: true })
const rows = output
  .trim()
  .split('\n')
  .map(line => {
    const [name = '', input = '', instructions = '', sum = ''] = line.trim().split(' ')
    return `  { twin: '${name}', input: ${input}, instructions: ${instructions}, sum: ${sum} },`
  })
writeFileSync(
  new URL('real-counts.ts', import.meta.url),
  `/** What compiled C takes: ${compiler}, ${FLAGS.slice(0, 2).join(' ')}. Written by measure.ts. */
export const REAL_COUNTS: readonly { readonly twin: string; readonly input: number; readonly instructions: number; readonly sum: number }[] = [
${rows.join('\n')}
]
`,
)
