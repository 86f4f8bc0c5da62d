/** ELF64 executables for RISC-V: what is loaded where, where it begins, and its symbols. */
import { Parser } from 'binary-parser'

interface Header {
  readonly type: number
  readonly machine: number
  readonly entry: bigint
  readonly programOffset: bigint
  readonly sectionOffset: bigint
  readonly programCount: number
  readonly sectionCount: number
}

interface ProgramHeader {
  readonly type: number
  readonly offset: bigint
  readonly virtualAddress: bigint
  readonly physicalAddress: bigint
  readonly fileBytes: bigint
  readonly memoryBytes: bigint
}

interface SectionHeader {
  readonly type: number
  readonly offset: bigint
  readonly bytes: bigint
  readonly link: number
}

interface SymbolEntry {
  readonly name: number
  readonly section: number
  readonly value: bigint
}

const HEADER_BYTES = 64
const PROGRAM_HEADER_BYTES = 56
const SECTION_HEADER_BYTES = 64
const SYMBOL_BYTES = 24
const EXECUTABLE = 2
const SHARED = 3
const RISCV = 243
const LOAD = 1
const SYMBOL_TABLE = 2

const headerParser = Parser.start()
  .endianess('little')
  .seek(16)
  .uint16('type')
  .uint16('machine')
  .seek(4)
  .uint64('entry')
  .uint64('programOffset')
  .uint64('sectionOffset')
  .seek(8)
  .uint16('programCount')
  .seek(2)
  .uint16('sectionCount')
  .seek(2)
const programParser = Parser.start()
  .endianess('little')
  .uint32('type')
  .seek(4)
  .uint64('offset')
  .uint64('virtualAddress')
  .uint64('physicalAddress')
  .uint64('fileBytes')
  .uint64('memoryBytes')
  .seek(8)
const sectionParser = Parser.start()
  .endianess('little')
  .seek(4)
  .uint32('type')
  .seek(16)
  .uint64('offset')
  .uint64('bytes')
  .uint32('link')
  .seek(20)
const symbolParser = Parser.start().endianess('little').uint32('name').seek(2).uint16('section').uint64('value').seek(8)

/** Bytes that belong at a physical address; memory from their end to `memoryBytes` is zeroed. */
export interface Segment {
  readonly address: number
  readonly bytes: Uint8Array
  readonly memoryBytes: number
}

export interface Elf {
  /** Physical. */
  readonly entry: number
  readonly segments: readonly Segment[]
  /** Defined symbols by name: the addresses they were linked at. */
  readonly symbols: ReadonlyMap<string, bigint>
}

export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46
}

/** Reads an ELF file. Throws one line, beginning with `name`, if it is not a little-endian RV64 executable. */
export function parseElf(bytes: Uint8Array, name: string): Elf {
  const fail = (what: string): never => {
    throw new Error(`${name}: ${what}`)
  }
  if (bytes.length < HEADER_BYTES) fail(`ELF header is cut off at ${bytes.length} bytes`)
  if (bytes[4] !== 2) fail('is a 32-bit ELF file; this machine needs 64 bits')
  if (bytes[5] !== 1) fail('is a big-endian ELF file')
  const header = parse<Header>(headerParser, bytes, 0, HEADER_BYTES)
  if (header.machine !== RISCV) fail(`is an ELF file for machine ${header.machine}, not RISC-V (${RISCV})`)
  if (header.type !== EXECUTABLE && header.type !== SHARED)
    fail(`is an ELF file of type ${header.type}; link it into an executable`)

  const table = <T>(parser: Parser, offset: number, count: number, size: number, what: string): T[] => {
    if (offset + count * size > bytes.length) fail(`its ${what} lie beyond the end of the file`)
    return Array.from({ length: count }, (_, index) => parse<T>(parser, bytes, offset + index * size, size))
  }
  const loads = table<ProgramHeader>(
    programParser,
    Number(header.programOffset),
    header.programCount,
    PROGRAM_HEADER_BYTES,
    'program headers',
  ).filter(program => program.type === LOAD)
  if (loads.length === 0) fail('has nothing to load')
  const segments = loads.map(({ offset, fileBytes, memoryBytes, physicalAddress }) => {
    const start = Number(offset)
    const end = start + Number(fileBytes)
    if (end > bytes.length) fail(`segment at 0x${physicalAddress.toString(16)} lies beyond the end of the file`)
    return { address: Number(physicalAddress), bytes: bytes.subarray(start, end), memoryBytes: Number(memoryBytes) }
  })
  // The entry is a virtual address: it is physical by the segment that holds it.
  const holder = loads.find(
    ({ virtualAddress, memoryBytes }) => header.entry >= virtualAddress && header.entry < virtualAddress + memoryBytes,
  )
  if (!holder) fail(`entry 0x${header.entry.toString(16)} lies in no segment`)
  const entry = Number(header.entry - holder!.virtualAddress + holder!.physicalAddress)

  const sections = table<SectionHeader>(
    sectionParser,
    Number(header.sectionOffset),
    header.sectionCount,
    SECTION_HEADER_BYTES,
    'section headers',
  )
  const symbols = new Map<string, bigint>()
  for (const section of sections.filter(({ type }) => type === SYMBOL_TABLE)) {
    const names = Number(sections[section.link]?.offset ?? 0n)
    for (const symbol of table<SymbolEntry>(
      symbolParser,
      Number(section.offset),
      Number(section.bytes) / SYMBOL_BYTES,
      SYMBOL_BYTES,
      'symbols',
    )) {
      if (symbol.section !== 0 && symbol.name !== 0) symbols.set(string(bytes, names + symbol.name), symbol.value)
    }
  }
  return { entry, segments, symbols }
}

function parse<T>(parser: Parser, bytes: Uint8Array, offset: number, size: number): T {
  return parser.parse(bytes.subarray(offset, offset + size)) as T
}

function string(bytes: Uint8Array, start: number): string {
  return Array.from(bytes.subarray(start, bytes.indexOf(0, start)), byte => String.fromCharCode(byte)).join('')
}
