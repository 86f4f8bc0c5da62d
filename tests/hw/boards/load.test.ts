import { describe, expect, test } from 'vitest'
import { loadImage, parseImage } from '../../../hw/boards/load.ts'
import { Memory } from '../../../hw/memory/memory.ts'

const RAM = 0x8000_0000
const parse = (bytes: Uint8Array) => parseImage(bytes, 'image', RAM, 0x8020_0000)

/** An ELF64 executable of one segment linked high and loaded at `physical`, with one symbol. */
function elf({ machine = 243, physical = RAM, virtual = 0xffff_ffff_8000_0000n, fileBytes = 4 } = {}): Uint8Array {
  const bytes = new Uint8Array(512)
  const view = new DataView(bytes.buffer)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, 2, true)
  view.setUint16(18, machine, true)
  view.setBigUint64(24, virtual + 8n, true)
  view.setBigUint64(32, 64n, true)
  view.setBigUint64(40, 256n, true)
  view.setUint16(56, 1, true)
  view.setUint16(60, 2, true)
  view.setUint32(64, 1, true)
  view.setBigUint64(72, 120n, true)
  view.setBigUint64(80, virtual, true)
  view.setBigUint64(88, BigInt(physical), true)
  view.setBigUint64(96, BigInt(fileBytes), true)
  view.setBigUint64(104, 16n, true)
  bytes.set([1, 2, 3, 4], 120)
  view.setUint32(256 + 4, 2, true)
  view.setBigUint64(256 + 24, 384n, true)
  view.setBigUint64(256 + 32, 24n, true)
  view.setUint32(256 + 40, 1, true)
  view.setBigUint64(320 + 24, 448n, true)
  view.setUint32(384, 1, true)
  view.setUint16(390, 1, true)
  view.setBigUint64(392, 0x8000_1000n, true)
  bytes.set(new TextEncoder().encode('\0tohost\0'), 448)
  return bytes
}

describe('ELF', () => {
  test('segments go to their physical addresses, what the file lacks is zeroed, and the entry is made physical', () => {
    const image = parse(elf())
    expect([image.format, image.entry, image.end]).toEqual(['elf', RAM + 8, RAM + 16])
    expect(image.symbols).toEqual(new Map([['tohost', 0x8000_1000n]]))
    const memory = new Memory([{ base: RAM, bytes: 0x1000, writable: true }], 1)
    memory.write(RAM, new Uint8Array(32).fill(0xff))
    loadImage(memory, image, 'image')
    expect([...memory.read(RAM, 17)]).toEqual([1, 2, 3, 4, ...new Array<number>(12).fill(0), 0xff])
  })

  test('what cannot run here is refused in one line', () => {
    expect(() => parse(elf({ machine: 62 }))).toThrow('image: is an ELF file for machine 62, not RISC-V (243)')
    expect(() => parse(elf({ fileBytes: 4096 }))).toThrow(
      'image: segment at 0x80000000 lies beyond the end of the file',
    )
    expect(() => parse(elf().subarray(0, 40))).toThrow('image: ELF header is cut off at 40 bytes')
    const narrow = elf()
    narrow[4] = 1
    expect(() => parse(narrow)).toThrow('image: is a 32-bit ELF file')
  })

  test('a segment outside RAM is refused with both ranges', () => {
    const memory = new Memory([{ base: RAM, bytes: 0x1000, writable: true }], 1)
    expect(() => loadImage(memory, parse(elf({ physical: 0x1000 })), 'image')).toThrow(
      'image: needs memory from 0x1000 to 0x1010, but RAM is 0x80000000 to 0x80001000',
    )
  })
})

describe('other images', () => {
  test('a Linux boot image goes to its text offset and keeps its whole size free', () => {
    const bytes = new Uint8Array(128)
    const view = new DataView(bytes.buffer)
    view.setBigUint64(8, 0x20_0000n, true)
    view.setBigUint64(16, 0x100_0000n, true)
    view.setUint32(0x38, 0x0543_5352, true)
    expect(parse(bytes)).toMatchObject({ format: 'linux', entry: 0x8020_0000, end: 0x8120_0000 })
  })

  test('anything else is raw and begins where it is put', () => {
    expect(parse(Uint8Array.of(1, 2, 3))).toMatchObject({ format: 'raw', entry: 0x8020_0000, end: 0x8020_0003 })
  })

  test('an empty or compressed file is refused', () => {
    expect(() => parse(new Uint8Array(0))).toThrow('image: is empty')
    expect(() => parse(Uint8Array.of(0x1f, 0x8b, 8, 0))).toThrow('image: is compressed by gzip; unpack it first')
  })
})
