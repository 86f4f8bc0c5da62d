/** The real command, in a process and a folder of its own. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assemble } from '../../hw/spec/isa/assembler.ts'
import { GUEST_KERNEL } from '../../hw/spec/guest-map.ts'

const COMMAND = fileURLToPath(new URL('../../lab/barehart.js', import.meta.url))

/** A folder with these files, until this process ends. */
export function folderOf(files: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'barehart-'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Runs `barehart` in a folder. */
export function barehart(folder: string, ...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...words], {
    cwd: folder,
    encoding: 'utf8',
    input: '',
    maxBuffer: 2 ** 26,
    timeout: 60_000,
  })
  return { code: status, out: stdout, err: stderr }
}

/** Raw code for where payloads and guests are entered. */
export function payload(source: string): Uint8Array {
  return assemble(`.option norvc\n${source}`, { origin: GUEST_KERNEL }).bytes
}

/** Ends with this code by the test finisher. */
export function finish(code: number): string {
  return `
    li t0, 0x100000
    li t1, ${code === 0 ? 0x5555 : (code << 16) | 0x3333}
    sw t1, 0(t0)
1:  j 1b
`
}

/** An ELF executable of one segment at the entry, with the symbol `tohost`. */
export function elf(code: Uint8Array, { machine = 243, tohost = GUEST_KERNEL + 0x1000 } = {}): Uint8Array {
  const [segmentAt, sectionsAt] = [0x40, 0x80]
  const [symbolAt, stringsAt, codeAt] = [0x140, 0x160, 0x180]
  const bytes = new Uint8Array(codeAt + code.length)
  const view = new DataView(bytes.buffer)
  const long = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, 2, true)
  view.setUint16(18, machine, true)
  long(24, GUEST_KERNEL)
  long(32, segmentAt)
  long(40, sectionsAt)
  view.setUint16(56, 1, true)
  view.setUint16(60, 2, true)
  view.setUint32(segmentAt, 1, true)
  long(segmentAt + 8, codeAt)
  long(segmentAt + 16, GUEST_KERNEL)
  long(segmentAt + 24, GUEST_KERNEL)
  long(segmentAt + 32, code.length)
  long(segmentAt + 40, 0x2000)
  view.setUint32(sectionsAt + 4, 2, true)
  long(sectionsAt + 24, symbolAt)
  long(sectionsAt + 32, 24)
  view.setUint32(sectionsAt + 40, 1, true)
  long(sectionsAt + 64 + 24, stringsAt)
  view.setUint32(symbolAt, 1, true)
  view.setUint16(symbolAt + 6, 1, true)
  long(symbolAt + 8, tohost)
  bytes.set(new TextEncoder().encode('\0tohost\0'), stringsAt)
  bytes.set(code, codeAt)
  return bytes
}
