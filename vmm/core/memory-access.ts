/**
 * What a guest's load or store to a place without memory was: from the transformed instruction that the hart leaves in
 * htinst (priv 21.6.3), or, where it left none, from the instruction itself.
 */

/** Filled by `decodeAccess`: one record a hart, reused. */
export interface MemoryAccess extends Record<string, number | boolean> {
  write: boolean
  bytes: number
  signed: boolean
  /** The register that takes the loaded value, or whose value is stored. */
  register: number
  /** By how much sepc advances when the access is done. */
  length: number
}

export function memoryAccess(): MemoryAccess {
  return { write: false, bytes: 0, signed: false, register: 0, length: 0 }
}

const LOAD = 0x03
const STORE = 0x23

/**
 * Decodes the low 32 bits of htinst. Bit 1 clear: the instruction was compressed, two bytes long; the rest is in the
 * standard form. False: it is not a plain integer load or store, and nothing was filled.
 */
export function decodeTransformed(word: number, access: MemoryAccess): boolean {
  const opcode = (word & 0x7f) | 2
  const width = (word >>> 12) & 7
  if (opcode === LOAD && width !== 7) {
    access.write = false
    access.signed = width < 4
    access.register = (word >>> 7) & 31
  } else if (opcode === STORE && width < 4) {
    access.write = true
    access.signed = false
    access.register = (word >>> 20) & 31
  } else {
    return false
  }
  access.bytes = 1 << (width & 3)
  access.length = (word & 2) === 0 ? 2 : 4
  return true
}
