/** Where each stored CSR lies in the window: its index in 32-bit words; the high half is the next one. */
import { CSRS } from '../spec/csrs/index.ts'
import type { Csr } from '../spec/csr.ts'
import { CSR, WINDOW_BYTES } from './state.ts'

function isStored(csr: Csr): boolean {
  return csr.alias === undefined && csr.fields.some(field => typeof field.rule === 'string' || 'warl' in field.rule)
}

const slots = new Map(CSRS.filter(isStored).map((csr, index) => [csr.name, (CSR >> 2) + index * 2]))
if (CSR + slots.size * 8 > WINDOW_BYTES) throw new Error(`${slots.size} CSRs do not fit in the window`)

/** Word index of a stored CSR's low half, by name. Throws if it is a view of another, or a constant. */
export function slot(name: string): number {
  const index = slots.get(name)
  if (index === undefined) throw new Error(`CSR ${name} has no slot of its own`)
  return index
}

/** Word index, or -1 for what is not stored. */
export function slotOrNone(name: string): number {
  return slots.get(name) ?? -1
}

export const MSTATUS = slot('mstatus')
export const MEDELEG = slot('medeleg')
export const MIDELEG = slot('mideleg')
export const MIE = slot('mie')
export const MIP = slot('mip')
export const MTVEC = slot('mtvec')
export const MEPC = slot('mepc')
export const MCAUSE = slot('mcause')
export const MTVAL = slot('mtval')
export const MTVAL2 = slot('mtval2')
export const MTINST = slot('mtinst')
export const MENVCFG = slot('menvcfg')
export const MCOUNTEREN = slot('mcounteren')
export const MCOUNTINHIBIT = slot('mcountinhibit')
export const MCYCLE = slot('mcycle')
export const MINSTRET = slot('minstret')
export const PMPCFG0 = slot('pmpcfg0')
export const PMPCFG2 = slot('pmpcfg2')
export const PMPADDR0 = slot('pmpaddr0')
export const STVEC = slot('stvec')
export const SEPC = slot('sepc')
export const SCAUSE = slot('scause')
export const STVAL = slot('stval')
export const SATP = slot('satp')
export const SCOUNTEREN = slot('scounteren')
export const SENVCFG = slot('senvcfg')
export const STIMECMP = slot('stimecmp')
export const HSTATUS = slot('hstatus')
export const HEDELEG = slot('hedeleg')
export const HIDELEG = slot('hideleg')
export const HVIP = slot('hvip')
export const HENVCFG = slot('henvcfg')
export const HCOUNTEREN = slot('hcounteren')
export const HTIMEDELTA = slot('htimedelta')
export const HTVAL = slot('htval')
export const HTINST = slot('htinst')
export const HGATP = slot('hgatp')
export const VSSTATUS = slot('vsstatus')
export const VSTVEC = slot('vstvec')
export const VSEPC = slot('vsepc')
export const VSCAUSE = slot('vscause')
export const VSTVAL = slot('vstval')
export const VSATP = slot('vsatp')
export const VSTIMECMP = slot('vstimecmp')
export const HGEIE = slot('hgeie')
export const MISELECT = slot('miselect')
export const SISELECT = slot('siselect')
export const VSISELECT = slot('vsiselect')
export const HVICTL = slot('hvictl')
export const FCSR = slot('fcsr')
