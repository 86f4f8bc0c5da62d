/** A guest's kernel as a VMM takes it: the bytes that lie from where guests are entered on. */
import { type BootImage, parseImage } from '../hw/boards/load.ts'
import { GUEST_KERNEL, GUEST_RAM } from '../hw/spec/guest-map.ts'
import { UserError } from './user-error.ts'

const LARGE_PAGE = 0x20_0000

export interface GuestImage {
  readonly bytes: Uint8Array
  /** With what the kernel clears for itself. */
  readonly memoryBytes: number
}

/** Lays an ELF file, a Linux image or raw bytes out. `place` says whose image it is, and which file. */
export function guestImage(file: Uint8Array, place: string): GuestImage {
  const image = parsed(file, place)
  const start = Math.min(...image.segments.map(({ address }) => address))
  if (image.entry !== GUEST_KERNEL || start < GUEST_KERNEL) {
    throw new UserError(
      `${place}: begins at 0x${image.entry.toString(16)} and takes memory from 0x${start.toString(16)}; ` +
        `link it so that both are 0x${GUEST_KERNEL.toString(16)}, where guests are entered`,
    )
  }
  const [only] = image.segments
  const memoryBytes = image.end - GUEST_KERNEL
  if (only && image.segments.length === 1) return { bytes: only.bytes, memoryBytes }
  const bytes = new Uint8Array(
    Math.max(...image.segments.map(({ address, bytes: { length } }) => address + length)) - GUEST_KERNEL,
  )
  for (const segment of image.segments) bytes.set(segment.bytes, segment.address - GUEST_KERNEL)
  return { bytes, memoryBytes }
}

function parsed(file: Uint8Array, place: string): BootImage {
  try {
    return parseImage(file, place, GUEST_RAM, GUEST_KERNEL)
  } catch (error) {
    throw new UserError(`${(error as Error).message}; give a riscv64 ELF file, Linux Image or raw binary`)
  }
}

/** What a guest with these images needs: what lies below its kernel, kernel, initrd, and the device tree's page. */
export function guestBytesNeeded(kernelBytes: number, initrdBytes: number): number {
  const pages = (bytes: number) => Math.ceil(bytes / LARGE_PAGE) * LARGE_PAGE
  return GUEST_KERNEL - GUEST_RAM + pages(kernelBytes) + pages(initrdBytes) + LARGE_PAGE
}
