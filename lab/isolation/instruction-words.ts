/** Words of the instructions that programs are made of. Registers are numbers; immediates are bytes. */

export const T2 = 7
export const T3 = 28
export const T4 = 29
export const T5 = 30
export const T6 = 31

export const NOP = 0x13
export const ECALL = 0x73
export const WFI = 0x1050_0073
export const SRET = 0x1020_0073
export const FENCE_I = 0x100f
export const SFENCE_VMA = 0x1200_0073

const immediate = (bits: number) => (bits & 0xfff) << 20

export function addi(rd: number, rs1: number, bits: number): number {
  return immediate(bits) | (rs1 << 15) | (rd << 7) | 0x13
}

export function auipc(rd: number, upper: number): number {
  return (upper << 12) | (rd << 7) | 0x17
}

/** A load of so many bytes (1, 2, 4, 8), unsigned if asked and shorter than 8. */
export function load(bytes: number, signed: boolean, rd: number, rs1: number, offset: number): number {
  const width = 31 - Math.clz32(bytes)
  return immediate(offset) | (rs1 << 15) | ((signed || bytes === 8 ? width : width + 4) << 12) | (rd << 7) | 0x03
}

export function loadDouble(fd: number, rs1: number, offset: number): number {
  return immediate(offset) | (rs1 << 15) | (3 << 12) | (fd << 7) | 0x07
}

export function store(bytes: number, rs2: number, rs1: number, offset: number): number {
  const width = 31 - Math.clz32(bytes)
  return ((offset >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (width << 12) | ((offset & 31) << 7) | 0x23
}

const FUNCT3 = { write: 1, set: 2, clear: 3 } as const

export function csr(how: keyof typeof FUNCT3, rd: number, number: number, rs1: number): number {
  return (number << 20) | (rs1 << 15) | (FUNCT3[how] << 12) | (rd << 7) | 0x73
}

/** With an immediate of 5 bits. */
export function csrImmediate(how: keyof typeof FUNCT3, number: number, bits: number): number {
  return (number << 20) | (bits << 15) | ((FUNCT3[how] | 4) << 12) | 0x73
}

export function jal(rd: number, offset: number): number {
  return (
    (((offset >> 20) & 1) << 31) |
    (((offset >> 1) & 0x3ff) << 21) |
    (((offset >> 11) & 1) << 20) |
    (((offset >> 12) & 0xff) << 12) |
    (rd << 7) |
    0x6f
  )
}

const CONDITIONS = { equal: 0, different: 1 } as const

export function branch(condition: keyof typeof CONDITIONS, rs1: number, rs2: number, offset: number): number {
  return (
    (((offset >> 12) & 1) << 31) |
    (((offset >> 5) & 0x3f) << 25) |
    (rs2 << 20) |
    (rs1 << 15) |
    (CONDITIONS[condition] << 12) |
    (((offset >> 1) & 15) << 8) |
    (((offset >> 11) & 1) << 7) |
    0x63
  )
}

export function mul(rd: number, rs1: number, rs2: number): number {
  return (1 << 25) | (rs2 << 20) | (rs1 << 15) | (rd << 7) | 0x33
}

export function add(rd: number, rs1: number, rs2: number): number {
  return (rs2 << 20) | (rs1 << 15) | (rd << 7) | 0x33
}
