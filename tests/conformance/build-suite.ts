/**
 * Builds riscv-tests for this machine with Debian's cross compiler:
 *
 *   node tests/conformance/build-suite.ts --sources DIR --to DIR
 *
 * DIR of --sources is a checkout of riscv-tests with riscv-test-env in its folder `env`.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'

/** Instructions that the assembler (binutils 2.40) does not know. */
const MACROS = `#ifdef __ASSEMBLER__
.macro czero.eqz rd, rs1, rs2
  .insn r 0x33, 5, 7, \\rd, \\rs1, \\rs2
.endm
.macro czero.nez rd, rs1, rs2
  .insn r 0x33, 7, 7, \\rd, \\rs1, \\rs2
.endm
#endif
`

/** Folders of isa/ that the machine claims, with what the assembler is told beyond rv64gc. */
const FOLDERS: readonly (readonly [folder: string, march: string])[] = [
  ['rv64ui', ''],
  ['rv64um', ''],
  ['rv64ua', ''],
  ['rv64uf', ''],
  ['rv64ud', ''],
  ['rv64uc', ''],
  ['rv64uziccid', ''],
  ['rv64uzba', '_zba'],
  ['rv64uzbb', '_zbb'],
  ['rv64uzbs', '_zbs'],
  ['rv64uzicond', ''],
  ['rv64mi', ''],
  ['rv64si', ''],
  ['rv64mzicbo', '_zicboz'],
  ['rv64ssvnapot', ''],
  ['hypervisor', 'h'],
  ['hypervisor-svadu', 'h'],
]

const { values } = parseArgs({ options: { sources: { type: 'string' }, to: { type: 'string' } } })
if (!values.sources || !values.to) {
  console.error('usage: node tests/conformance/build-suite.ts --sources DIR --to DIR')
  process.exit(2)
}
const { sources, to } = values
mkdirSync(to, { recursive: true })
const macros = join(mkdtempSync(join(tmpdir(), 'barehart-')), 'macros.h')
writeFileSync(macros, MACROS)
const isa = join(sources, 'isa')
const environment = (kind: 'p' | 'v') => join(sources, 'env', kind)

function build(folder: string, test: string, kind: 'p' | 'v', march: string): string {
  const name = `${folder}-${kind}-${test}`
  const entropy = createHash('md5').update(`${name}\n`).digest('hex').slice(0, 7)
  const environmentSources =
    kind === 'p'
      ? []
      : [
          join(environment('v'), 'entry.S'),
          ...readdirSync(environment('v'))
            .filter(file => file.endsWith('.c'))
            .map(file => join(environment('v'), file)),
        ]
  // The compiler's driver does not know every extension that its assembler knows.
  const result = spawnSync(
    'riscv64-linux-gnu-gcc',
    [
      '-march=rv64g',
      '-mabi=lp64d',
      `-Wa,-march=rv64g${march}`,
      '-static',
      '-mcmodel=medany',
      '-fvisibility=hidden',
      '-nostdlib',
      '-nostartfiles',
      '-fno-pic',
      '-no-pie',
      '-Wl,--build-id=none',
      '-std=gnu99',
      '-O2',
      `-DENTROPY=0x${entropy}`,
      '-include',
      macros,
      `-I${environment(kind)}`,
      `-I${join(isa, 'macros/scalar')}`,
      `-T${join(environment(kind), 'link.ld')}`,
      ...environmentSources,
      join(isa, folder, `${test}.S`),
      '-o',
      join(to, name),
    ],
    { encoding: 'utf8' },
  )
  if (result.error) return result.error.message
  return result.status === 0 ? '' : result.stderr
}

let built = 0
for (const [folder, march] of FOLDERS) {
  const fragment = join(isa, folder, 'Makefrag')
  if (!existsSync(fragment)) continue
  const text = readFileSync(fragment, 'utf8').replaceAll('\\\n', ' ')
  const tests = /_sc_tests\s*=(.*)/.exec(text)?.[1]?.trim().split(/\s+/) ?? []
  for (const kind of ['p', 'v'] as const) {
    if (!text.includes(`_${kind}_tests`)) continue
    for (const test of tests) {
      const failure = build(folder, test, kind, march)
      if (failure === '') built++
      else console.log(`not built: ${folder}-${kind}-${test}: ${failure.trim().split('\n').slice(0, 3).join(' / ')}`)
    }
  }
}
rmSync(dirname(macros), { recursive: true })
console.log(`${built} programs in ${to}`)
