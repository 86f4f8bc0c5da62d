/** The incoming MSI controller: a page for each interrupt file, and the registers in the xiselect windows. Sections of AIA 1.0. */
import { registers } from '../registers.ts'

export const imsic = registers({
  seteipnum_le: { at: 0, width: 32, access: 'wo', spec: 'AIA 3.5' },
  seteipnum_be: { at: 4, width: 32, access: 'wo', spec: 'AIA 3.5' },
})

/** Numbers in the windows of miselect, siselect and vsiselect (AIA 3.7). */
export const EIDELIVERY = 0x70
export const EITHRESHOLD = 0x72
export const EIP0 = 0x80
export const EIE0 = 0xc0

/** Bits of a guest interrupt file's number, 0 being the supervisor's. */
export function guestIndexBits(guestFiles: number): number {
  return 32 - Math.clz32(guestFiles)
}

/** Pages of a hart's supervisor and guest interrupt files: a power of two. */
export function filePages(guestFiles: number): number {
  return 1 << guestIndexBits(guestFiles)
}
