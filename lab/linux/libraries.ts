/** What a dynamically linked riscv64 program needs to run: itself, its interpreter and its libraries, found in an unpacked tree. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { CpioEntry } from './cpio.ts'

/** Program header types and dynamic tags (ELF gABI chapter 5). */
const PT_LOAD = 1
const PT_DYNAMIC = 2
const DT_NULL = 0
const DT_NEEDED = 1
const DT_STRTAB = 5
const HEADER_BYTES = 56

/** The dynamic loader that riscv64's ABI names. */
const INTERPRETER = 'ld-linux-riscv64-lp64d.so.1'

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly bytes: number
}

function segmentsOf(elf: Buffer): readonly Segment[] {
  const first = Number(elf.readBigUInt64LE(32))
  return Array.from({ length: elf.readUInt16LE(56) }, (_, index) => {
    const at = first + index * HEADER_BYTES
    return {
      type: elf.readUInt32LE(at),
      offset: Number(elf.readBigUInt64LE(at + 8)),
      address: Number(elf.readBigUInt64LE(at + 16)),
      bytes: Number(elf.readBigUInt64LE(at + 32)),
    }
  })
}

function textAt(elf: Buffer, offset: number): string {
  return elf.toString('latin1', offset, elf.indexOf(0, offset))
}

/** The libraries that a 64-bit little-endian ELF file asks for by name; none if it is linked statically. */
export function neededBy(elf: Buffer): readonly string[] {
  const segments = segmentsOf(elf)
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)
  if (!dynamic) return []
  const names: number[] = []
  let strings = 0
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.bytes; at += 16) {
    const tag = Number(elf.readBigInt64LE(at))
    const value = Number(elf.readBigUInt64LE(at + 8))
    if (tag === DT_NULL) break
    if (tag === DT_NEEDED) names.push(value)
    if (tag === DT_STRTAB) strings = value
  }
  const holder = segments.find(
    ({ type, address, bytes }) => type === PT_LOAD && strings >= address && strings < address + bytes,
  )
  if (!holder) return []
  const table = strings - holder.address + holder.offset
  return names.map(name => textAt(elf, table + name))
}

/** Every regular file of the tree by its base name; what links point to is found by following them. */
function libraries(tree: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const entry of readdirSync(tree, { recursive: true, encoding: 'utf8' })) {
    const path = join(tree, entry)
    if (/\.so(\.|$)/.test(entry) && existsSync(path) && statSync(path).isFile()) found.set(basename(entry), path)
  }
  return found
}

/** The program at `path` in the tree as /bin/NAME, its loader and libraries in /lib. Throws naming what the tree lacks. */
export function withLibraries(tree: string, path: string): readonly CpioEntry[] {
  const program = readFileSync(join(tree, path))
  const available = libraries(tree)
  const wanted = new Map<string, Buffer>()
  const visit = (name: string): void => {
    if (wanted.has(name)) return
    const file = available.get(name)
    if (!file) throw new Error(`${basename(path)} needs ${name}, which its packages do not hold`)
    const data = readFileSync(file)
    wanted.set(name, data)
    for (const needed of neededBy(data)) visit(needed)
  }
  for (const name of [INTERPRETER, ...neededBy(program)]) visit(name)
  return [
    { path: `bin/${basename(path)}`, kind: 'file', data: program, executable: true },
    ...[...wanted].map(([name, data]) => ({ path: `lib/${name}`, kind: 'file', data, executable: true }) as const),
  ]
}
