/** Images that a board puts into memory: ELF64, the Linux boot image, or raw bytes. */
import type { Memory } from '../memory/memory.ts'
import { type Segment, isElf, parseElf } from './elf.ts'

export interface BootImage {
  readonly format: 'elf' | 'linux' | 'raw'
  /** Physical address of the first instruction. */
  readonly entry: number
  readonly segments: readonly Segment[]
  /** Where the image's memory ends, what it clears for itself included. */
  readonly end: number
  readonly symbols: ReadonlyMap<string, bigint>
}

/**
 * The Linux boot image's header (Documentation/arch/riscv/boot-image-header):
 *
 *   0x00 code   0x08 text offset   0x10 image size   0x18 flags   0x20 version   0x30 "RISCV"   0x38 "RSC\5"
 */
const LINUX_HEADER_BYTES = 64
const LINUX_MAGIC = 0x0543_5352

/**
 * Recognises an image. `base` is the start of RAM: the Linux image goes to its offset from there, raw bytes to
 * `rawAt`. Throws one line, beginning with `name`, if the image is damaged or of a kind that cannot run here.
 */
export function parseImage(bytes: Uint8Array, name: string, base: number, rawAt: number): BootImage {
  if (bytes.length === 0) throw new Error(`${name}: is empty`)
  if (isElf(bytes)) {
    const { entry, segments, symbols } = parseElf(bytes, name)
    const end = Math.max(...segments.map(segment => segment.address + segment.memoryBytes))
    return { format: 'elf', entry, segments, end, symbols }
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw new Error(`${name}: is compressed by gzip; unpack it first`)
  if (bytes.length >= LINUX_HEADER_BYTES) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (view.getUint32(0x38, true) === LINUX_MAGIC) {
      const entry = base + Number(view.getBigUint64(0x08, true))
      const memoryBytes = Math.max(bytes.length, Number(view.getBigUint64(0x10, true)))
      return {
        format: 'linux',
        entry,
        segments: [{ address: entry, bytes, memoryBytes }],
        end: entry + memoryBytes,
        symbols: new Map(),
      }
    }
    if (view.getUint16(0, true) === 0x5a4d && view.getUint32(0x38, true) === 0x644d_5241) {
      throw new Error(`${name}: is a Linux image for arm64, not riscv64`)
    }
  }
  const segments = [{ address: rawAt, bytes, memoryBytes: bytes.length }]
  return { format: 'raw', entry: rawAt, segments, end: rawAt + bytes.length, symbols: new Map() }
}

/** Copies an image into memory. Throws one line, beginning with `name`, if it does not fit. */
export function loadImage(memory: Memory, image: BootImage, name: string): void {
  for (const { address, bytes, memoryBytes } of image.segments) {
    if (memoryBytes === 0) continue
    if (!memory.contains(address, memoryBytes, true)) {
      throw new Error(
        `${name}: needs memory from 0x${address.toString(16)} to 0x${(address + memoryBytes).toString(16)}, ` +
          `but RAM is 0x${memory.ram.base.toString(16)} to 0x${(memory.ram.base + memory.ram.bytes).toString(16)}`,
      )
    }
    memory.write(address, bytes)
    const host = memory.toHost(address)
    memory.bytes.fill(0, host + bytes.length, host + memoryBytes)
  }
}
