/** Exception codes of mcause, scause and vscause, and what the ledger calls traps. */
export const FETCH_ACCESS = 1
export const ILLEGAL = 2
export const BREAKPOINT = 3
export const LOAD_MISALIGNED = 4
export const LOAD_ACCESS = 5
export const STORE_MISALIGNED = 6
export const STORE_ACCESS = 7
/** From U and VU; from HS: 9; from VS: 10; from M: 11. */
export const ECALL_U = 8
export const ECALL_HS = 9
export const ECALL_VS = 10
export const ECALL_M = 11
export const FETCH_PAGE = 12
export const LOAD_PAGE = 13
export const STORE_PAGE = 15
export const FETCH_GUEST_PAGE = 20
export const LOAD_GUEST_PAGE = 21
export const VIRTUAL_INSTRUCTION = 22
export const STORE_GUEST_PAGE = 23

const exceptions: Readonly<Record<number, string>> = {
  1: 'instruction access fault',
  2: 'illegal instruction',
  3: 'breakpoint',
  4: 'load address misaligned',
  5: 'load access fault',
  6: 'store address misaligned',
  7: 'store access fault',
  8: 'ecall from U',
  9: 'ecall from HS',
  10: 'ecall from VS',
  11: 'ecall from M',
  12: 'instruction page fault',
  13: 'load page fault',
  15: 'store page fault',
  20: 'instruction guest-page fault',
  21: 'load guest-page fault',
  22: 'virtual instruction',
  23: 'store guest-page fault',
}
const interrupts: Readonly<Record<number, string>> = {
  1: 'supervisor software interrupt',
  2: 'VS software interrupt',
  3: 'machine software interrupt',
  5: 'supervisor timer interrupt',
  6: 'VS timer interrupt',
  7: 'machine timer interrupt',
  9: 'supervisor external interrupt',
  10: 'VS external interrupt',
  11: 'machine external interrupt',
  12: 'guest external interrupt',
}

/** A trap's name, as the ledger's cause. */
export function trapName(code: number, interrupt: boolean): string {
  return (interrupt ? interrupts[code] : exceptions[code]) ?? `${interrupt ? 'interrupt' : 'exception'} ${code}`
}
