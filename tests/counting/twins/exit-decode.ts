/** Decodes a load or store that faulted on a device, as an exit handler must. */
export interface Access {
  bytes: number
  register: number
  write: boolean
  signed: boolean
  length: number
}

export function decodeAccess(instruction: number, access: Access): boolean {
  if ((instruction & 3) === 3) {
    access.length = 4
    const opcode = instruction & 0x7f
    const funct3 = (instruction >>> 12) & 7
    if (opcode === 0x03) {
      if (funct3 === 7) return false
      access.write = false
      access.bytes = 1 << (funct3 & 3)
      access.signed = funct3 < 4
      access.register = (instruction >>> 7) & 31
      return true
    }
    if (opcode !== 0x23 || funct3 > 3) return false
    access.write = true
    access.bytes = 1 << funct3
    access.register = (instruction >>> 20) & 31
    return true
  }
  access.length = 2
  access.signed = true
  const funct = (instruction >>> 13) & 7
  if ((instruction & 3) === 0) {
    access.register = ((instruction >>> 2) & 7) + 8
    if (funct === 2 || funct === 3) access.write = false
    else if (funct === 6 || funct === 7) access.write = true
    else return false
    access.bytes = (funct & 1) === 0 ? 4 : 8
    return true
  }
  if ((instruction & 3) !== 2) return false
  if (funct === 2 || funct === 3) {
    access.write = false
    access.register = (instruction >>> 7) & 31
  } else if (funct === 6 || funct === 7) {
    access.write = true
    access.register = (instruction >>> 2) & 31
  } else return false
  access.bytes = (funct & 1) === 0 ? 4 : 8
  return true
}
