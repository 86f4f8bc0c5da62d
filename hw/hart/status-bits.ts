/** Bits of mstatus (low word; sstatus and vsstatus alike), of its high word, and of hstatus. */
import { highMaskOf, maskOf } from '../spec/csr.ts'
import { hstatus } from '../spec/csrs/hypervisor.ts'
import { mstatus } from '../spec/csrs/machine.ts'

export const STATUS_SIE = maskOf(mstatus, 'SIE')
export const STATUS_MIE = maskOf(mstatus, 'MIE')
export const STATUS_SPIE = maskOf(mstatus, 'SPIE')
export const STATUS_MPIE = maskOf(mstatus, 'MPIE')
export const STATUS_SPP = maskOf(mstatus, 'SPP')
export const STATUS_MPP = maskOf(mstatus, 'MPP')
export const MPP_SHIFT = 31 - Math.clz32(STATUS_MPP & -STATUS_MPP)
export const STATUS_FS = maskOf(mstatus, 'FS')
export const STATUS_MPRV = maskOf(mstatus, 'MPRV')
export const STATUS_SUM = maskOf(mstatus, 'SUM')
export const STATUS_MXR = maskOf(mstatus, 'MXR')
export const STATUS_TVM = maskOf(mstatus, 'TVM')
export const STATUS_TW = maskOf(mstatus, 'TW')
export const STATUS_TSR = maskOf(mstatus, 'TSR')
/** High word. */
export const STATUS_HIGH_GVA = highMaskOf(mstatus, 'GVA')
export const STATUS_HIGH_MPV = highMaskOf(mstatus, 'MPV')

export const HSTATUS_GVA = maskOf(hstatus, 'GVA')
export const HSTATUS_SPV = maskOf(hstatus, 'SPV')
export const HSTATUS_SPVP = maskOf(hstatus, 'SPVP')
export const HSTATUS_HU = maskOf(hstatus, 'HU')
export const HSTATUS_VTVM = maskOf(hstatus, 'VTVM')
export const HSTATUS_VTW = maskOf(hstatus, 'VTW')
export const HSTATUS_VTSR = maskOf(hstatus, 'VTSR')
