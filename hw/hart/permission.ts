/** Which privileged instructions the mode may execute: 0, or the exception that says no. */
import type { CacheBlockOperation } from './services.ts'
import { ILLEGAL, VIRTUAL_INSTRUCTION } from './causes.ts'
import { HENVCFG, HSTATUS, MENVCFG, MSTATUS, SENVCFG } from './slots.ts'
import { MACHINE, MODE, SUPERVISOR, USER, VIRTUAL } from './state.ts'
import {
  HSTATUS_HU,
  HSTATUS_VTSR,
  HSTATUS_VTVM,
  HSTATUS_VTW,
  STATUS_TSR,
  STATUS_TVM,
  STATUS_TW,
} from './status-bits.ts'

const ALLOWED = 0
const CBIE = 3 << 4
const CBCFE = 1 << 6
const CBZE = 1 << 7

/** sret: in U illegal, in VU virtual; TSR and VTSR forbid it to S and VS (mstatus_tsr_op, hstatus_vtsr_op). */
export function sretException(words: Int32Array): number {
  const mode = words[MODE >> 2]
  if (mode === MACHINE) return ALLOWED
  if ((mode & VIRTUAL) !== 0) {
    return (mode & 3) === USER || (words[HSTATUS] & HSTATUS_VTSR) !== 0 ? VIRTUAL_INSTRUCTION : ALLOWED
  }
  return mode === USER || (words[MSTATUS] & STATUS_TSR) !== 0 ? ILLEGAL : ALLOWED
}

/** wfi: TW forbids it below M, VTW in VS; in U it would not end in bounded time (mstatus_tw_op, mstatus_tw_umode_op, hstatus_vtw_op). */
export function wfiException(words: Int32Array): number {
  const mode = words[MODE >> 2]
  if (mode === MACHINE) return ALLOWED
  if ((words[MSTATUS] & STATUS_TW) !== 0) return ILLEGAL
  if ((mode & VIRTUAL) !== 0) {
    return (mode & 3) === USER || (words[HSTATUS] & HSTATUS_VTW) !== 0 ? VIRTUAL_INSTRUCTION : ALLOWED
  }
  return mode === USER ? ILLEGAL : ALLOWED
}

/** sfence.vma and sinval.vma: TVM and VTVM. */
export function fenceException(words: Int32Array): number {
  const mode = words[MODE >> 2]
  if (mode === MACHINE) return ALLOWED
  if ((mode & VIRTUAL) !== 0) {
    return (mode & 3) === USER || (words[HSTATUS] & HSTATUS_VTVM) !== 0 ? VIRTUAL_INSTRUCTION : ALLOWED
  }
  return mode === USER || (words[MSTATUS] & STATUS_TVM) !== 0 ? ILLEGAL : ALLOWED
}

/** sfence.w.inval and sfence.inval.ir: for all but user modes. */
export function invalidationFenceException(words: Int32Array): number {
  const mode = words[MODE >> 2]
  if ((mode & 3) !== USER) return ALLOWED
  return (mode & VIRTUAL) !== 0 ? VIRTUAL_INSTRUCTION : ILLEGAL
}

/** hfence.vvma and hinval.vvma; TVM forbids the gvma forms to HS (hfence-vvma_tvm, hfence-gvma_mode). */
export function guestFenceException(words: Int32Array, gvma: boolean): number {
  const mode = words[MODE >> 2]
  if ((mode & VIRTUAL) !== 0) return VIRTUAL_INSTRUCTION
  if (mode === USER) return ILLEGAL
  return gvma && mode === SUPERVISOR && (words[MSTATUS] & STATUS_TVM) !== 0 ? ILLEGAL : ALLOWED
}

/** hlv, hlvx, hsv: in U only with hstatus.HU (hlsv_priv, hlsv_virtinst, hlsv_illegalinst). */
export function guestAccessException(words: Int32Array): number {
  const mode = words[MODE >> 2]
  if ((mode & VIRTUAL) !== 0) return VIRTUAL_INSTRUCTION
  return mode === USER && (words[HSTATUS] & HSTATUS_HU) === 0 ? ILLEGAL : ALLOWED
}

/** Cache-block operations, by the three envcfg registers (menvcfg_cbze_op, henvcfg_cbze, senvcfg_cbze and their like). */
export function cacheBlockException(words: Int32Array, operation: CacheBlockOperation): number {
  const mode = words[MODE >> 2]
  if (mode === MACHINE) return ALLOWED
  const bit = operation === 'zero' ? CBZE : operation === 'inval' ? CBIE : CBCFE
  if ((words[MENVCFG] & bit) === 0) return ILLEGAL
  if ((mode & VIRTUAL) === 0) return mode === USER && (words[SENVCFG] & bit) === 0 ? ILLEGAL : ALLOWED
  if ((words[HENVCFG] & bit) === 0) return VIRTUAL_INSTRUCTION
  return (mode & 3) === USER && (words[SENVCFG] & bit) === 0 ? VIRTUAL_INSTRUCTION : ALLOWED
}
