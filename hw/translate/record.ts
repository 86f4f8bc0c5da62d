/**
 * The predecoded form of an instruction: one record for each 2-byte parcel of a page, so that a record's position
 * says its address. Register fields are addresses in the hart's window (x0 as destination: the sink).
 *
 *   0   handler  u16   index in the interpreter's table; 0: not decoded yet
 *   2   rd       u16
 *   4   rs1      u16
 *   6   rs2      u16
 *   8   imm      i32   as decoded; in a direct jump within its page, the distance to the target in record bytes
 *   12  rs3      u16
 *   14  extra    u16   rounding mode, or CSR number
 *
 * A plain CSR's instruction (plain-csr.ts) has in rs2 and rs3 where it lies with V=0 and V=1, and in imm its mask.
 */
import { TRANSIENT } from '../hart/state.ts'

export const RECORD_BYTES = 16
/** Record bytes for each byte of code. */
export const RECORD_SCALE = 8
export const RECORD = { handler: 0, rd: 2, rs1: 4, rs2: 6, imm: 8, rs3: 12, extra: 14 } as const

export const PARCELS = 2048
/**
 * A page's records, then what follows the last instruction (2 records: it may be 4 bytes long), then a place for the
 * instruction that straddles its end, with what follows that. A page's records fill whole cache lines of 64 bytes of code.
 */
export const STRADDLING = PARCELS + 4
export const PAGE_RECORDS = PARCELS + 32
export const PAGE_RECORD_BYTES = PAGE_RECORDS * RECORD_BYTES

/*
 * The interpreter's own variables, in the window's TRANSIENT part. They hold only while it runs.
 */
/** i64: the address of an instruction is PC_BASE + (its record >>> 3). */
export const PC_BASE = TRANSIENT
/** i32: the soft TLB of the current translation class. */
export const TLB_BASE = TRANSIENT + 8
/** i32: the record of the instruction that is asking for a service. */
export const SLOT = TRANSIENT + 12
/** i32: in the cached model, where the byte of line 0 of memory would be (line-tables.ts). */
export const LINES = TRANSIENT + 16
