/** An ELF program with one segment, as it is put into an address space. Set-up. */
export interface ProgramImage {
  readonly bytes: Uint8Array
  /** The first byte's address, and where it begins: as it was linked; it may lie elsewhere. */
  readonly origin: number
  readonly entry: number
  /** Bytes in memory: those beyond the image are zero. */
  readonly memory: number
}

const LOAD = 1

/** Throws one line if it is something else. */
export function programImage(file: Uint8Array): ProgramImage {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < 120 || view.getUint32(0) !== 0x7f45_4c46)
    throw new Error('a program of the host is not an ELF file')
  const header = Number(view.getBigUint64(32, true))
  if (view.getUint16(56, true) !== 1 || view.getUint32(header, true) !== LOAD)
    throw new Error('a program of the host has other than one segment that is loaded')
  const word = (at: number) => Number(view.getBigUint64(header + at, true))
  const offset = word(8)
  return {
    bytes: file.subarray(offset, offset + word(32)),
    origin: word(16),
    entry: Number(view.getBigUint64(24, true)),
    memory: word(40),
  }
}
