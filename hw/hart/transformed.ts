/** The transformed instruction that htinst and mtinst hold after a guest-page fault of a load or store (H_trap_xtinst_val). */
import { decode } from '../spec/isa/index.ts'

/** Of the walk's own read of a 64-bit entry, for VS-stage translation, and of its write (H_trap_xtinst_guestpage_rw). */
export const WALK_READ = 0x3000
export const WALK_WRITE = 0x3020

const RS1 = 0x1f << 15
const LOADS = 0x03
const FLOAT_LOADS = 0x07
const STORES = 0x23
const FLOAT_STORES = 0x27
const OPCODE_AND_FUNCT3 = 0x707f
const COMPRESSED = ~2

/** `offset` is how far the faulting part lies behind the access's first byte (H_tinst_addr_offset). */
export function transformed(word: number, offset: number): number {
  const decoded = decode(word)
  if (!decoded) return 0
  const { instruction, rd, rs2, length } = decoded
  const opcode = instruction.match & 0x7f
  const at = offset << 15
  let result: number
  if (opcode === LOADS || opcode === FLOAT_LOADS) result = (instruction.match & OPCODE_AND_FUNCT3) | (rd << 7) | at
  else if (opcode === STORES || opcode === FLOAT_STORES)
    result = (instruction.match & OPCODE_AND_FUNCT3) | (rs2 << 20) | at
  else result = (word & ~RS1) | at
  return length === 2 ? result & COMPRESSED : result
}
