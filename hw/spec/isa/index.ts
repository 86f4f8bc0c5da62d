/** The instruction set's door. */
export { analyse, type Analysis } from './analysis.ts'
export { decode, type Decoded } from './decoder.ts'
export { disassemble } from './disassembler.ts'
export { INSTRUCTIONS, instructionNamed } from './instructions.ts'
export type { Declaration, Instruction, Meaning, Operands } from './language.ts'
