/** Whether a CSR may be accessed in the current mode, and which exception says no. */
import { csrByName } from '../spec/csrs/index.ts'
import { ILLEGAL, VIRTUAL_INSTRUCTION } from './causes.ts'
import { FLOAT, MACHINE, MODE, SUPERVISOR, USER, VIRTUAL } from './state.ts'
import { HCOUNTEREN, HENVCFG, HSTATUS, MCOUNTEREN, MENVCFG, MSTATUS, SCOUNTEREN } from './slots.ts'
import { HSTATUS_VTVM, STATUS_TVM } from './status-bits.ts'

const number = (name: string) => csrByName.get(name)!.number
const SATP = number('satp')
const HGATP = number('hgatp')
const STIMECMP = number('stimecmp')
const VSTIMECMP = number('vstimecmp')
const FCSR = number('fcsr')
const CYCLE = number('cycle')
const LAST_COUNTER = CYCLE + 31
const TIME_BIT = 1 << 1
/** Bits 9:8 of hypervisor and VS CSRs. */
const HYPERVISOR_LEVEL = 2
const ALLOWED = 0

/** 0, or the exception that an access to an existing CSR raises. */
export function csrException(words: Int32Array, csr: number, writes: boolean): number {
  const mode = words[MODE >> 2]
  const level = (csr >> 8) & 3
  if (writes && csr >> 10 === 3) return ILLEGAL
  if (mode === MACHINE) return isFloat(csr) && words[FLOAT >> 2] === 0 ? ILLEGAL : ALLOWED
  if (level === MACHINE) return ILLEGAL
  const privilege = mode & 3
  const virtual = (mode & VIRTUAL) !== 0
  if (level === HYPERVISOR_LEVEL) {
    // mstatus.TVM does not count here (H_virtinst_vu_vs_nonhigh_allowedhs_tvm0).
    if (virtual) return timerException(words, csr) || VIRTUAL_INSTRUCTION
    if (privilege === USER) return ILLEGAL
    if (csr === HGATP && (words[MSTATUS] & STATUS_TVM) !== 0) return ILLEGAL
    return timerException(words, csr)
  }
  if (level === SUPERVISOR) {
    if (privilege === USER) {
      return virtual ? timerException(words, csr) || VIRTUAL_INSTRUCTION : ILLEGAL
    }
    if (csr === SATP) {
      if (virtual) return (words[HSTATUS] & HSTATUS_VTVM) !== 0 ? VIRTUAL_INSTRUCTION : ALLOWED
      return (words[MSTATUS] & STATUS_TVM) !== 0 ? ILLEGAL : ALLOWED
    }
    if (csr !== STIMECMP) return ALLOWED
    const illegal = timerException(words, csr)
    if (illegal || !virtual) return illegal
    // henvcfg.STCE and hcounteren.TM guard vstimecmp in VS-mode (henvcfg_stce).
    return words[HENVCFG + 1] < 0 && (words[HCOUNTEREN] & TIME_BIT) !== 0 ? ALLOWED : VIRTUAL_INSTRUCTION
  }
  if (isFloat(csr)) return words[FLOAT >> 2] === 0 ? ILLEGAL : ALLOWED
  if (csr >= CYCLE && csr <= LAST_COUNTER) return counterException(words, 1 << (csr - CYCLE), privilege, virtual)
  return ALLOWED
}

function isFloat(csr: number): boolean {
  return csr > 0 && csr <= FCSR
}

/** menvcfg.STCE and mcounteren.TM guard both comparators below M-mode (menvcfg_stce_op, mcounteren_tm_clr). */
function timerException(words: Int32Array, csr: number): number {
  if (csr !== STIMECMP && csr !== VSTIMECMP) return ALLOWED
  return words[MENVCFG + 1] < 0 && (words[MCOUNTEREN] & TIME_BIT) !== 0 ? ALLOWED : ILLEGAL
}

/** mcounteren, then hcounteren where V=1, then scounteren in U-mode (H_virtinst_vs_nonhighctr_h0_m1, H_virtinst_vu_nonhighctr_h0_s0_m1). */
function counterException(words: Int32Array, bit: number, privilege: number, virtual: boolean): number {
  if ((words[MCOUNTEREN] & bit) === 0) return ILLEGAL
  if (virtual && (words[HCOUNTEREN] & bit) === 0) return VIRTUAL_INSTRUCTION
  if (privilege === USER && (words[SCOUNTEREN] & bit) === 0) return virtual ? VIRTUAL_INSTRUCTION : ILLEGAL
  return ALLOWED
}
