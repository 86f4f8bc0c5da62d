/** Page-table entries of Sv39, Sv48, Sv39x4 and Sv48x4. */
import { layout } from '../layout.ts'

export const pte = layout(8, 'priv 12.4', {
  entry: {
    at: 0,
    bytes: 8,
    fields: {
      V: 0,
      R: 1,
      W: 2,
      X: 3,
      U: 4,
      G: 5,
      A: 6,
      D: 7,
      RSW: [9, 8],
      PPN: [53, 10],
      Reserved: [60, 54],
      PBMT: [62, 61],
      N: 63,
    },
  },
})

/** Bits of an entry's low word. */
export const PTE_V = 0x01
export const PTE_R = 0x02
export const PTE_W = 0x04
export const PTE_X = 0x08
export const PTE_U = 0x10
export const PTE_G = 0x20
export const PTE_A = 0x40
export const PTE_D = 0x80
/** Values of satp.MODE, vsatp.MODE and hgatp.MODE. */
export const BARE = 0
export const SV39 = 8
export const SV48 = 9
