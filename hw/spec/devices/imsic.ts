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

/** An interrupt file's registers, by their numbers in the window; and the one that has a CSR of its own, which is read and claimed there. */
export const interruptFile = registers({
  eidelivery: { at: EIDELIVERY, width: 64, access: 'rw', spec: 'AIA 3.8.1' },
  eithreshold: { at: EITHRESHOLD, width: 64, access: 'rw', spec: 'AIA 3.8.2' },
  /** 64 identities each. */
  eip: { at: EIP0, width: 64, access: 'rw', count: 32, stride: 2, spec: 'AIA 3.8.3' },
  eie: { at: EIE0, width: 64, access: 'rw', count: 32, stride: 2, spec: 'AIA 3.8.4' },
  topei: { at: 0x100, width: 32, access: 'rw', spec: 'AIA 3.9', fields: { PRIORITY: [10, 0], IDENTITY: [26, 16] } },
})
