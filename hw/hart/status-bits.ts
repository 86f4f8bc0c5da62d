/** Bits of mstatus (low word; sstatus and vsstatus alike), of its high word, and of hstatus. */
export const STATUS_SIE = 1 << 1
export const STATUS_MIE = 1 << 3
export const STATUS_SPIE = 1 << 5
export const STATUS_MPIE = 1 << 7
export const STATUS_SPP = 1 << 8
export const STATUS_MPP = 3 << 11
export const MPP_SHIFT = 11
export const STATUS_FS = 3 << 13
export const STATUS_MPRV = 1 << 17
export const STATUS_SUM = 1 << 18
export const STATUS_MXR = 1 << 19
export const STATUS_TVM = 1 << 20
export const STATUS_TW = 1 << 21
export const STATUS_TSR = 1 << 22
/** High word. */
export const STATUS_HIGH_GVA = 1 << 6
export const STATUS_HIGH_MPV = 1 << 7

export const HSTATUS_GVA = 1 << 6
export const HSTATUS_SPV = 1 << 7
export const HSTATUS_SPVP = 1 << 8
export const HSTATUS_HU = 1 << 9
export const HSTATUS_VTVM = 1 << 20
export const HSTATUS_VTW = 1 << 21
export const HSTATUS_VTSR = 1 << 22
