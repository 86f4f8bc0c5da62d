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

export const INTERRUPT_FILE_BYTES = 0x1000
