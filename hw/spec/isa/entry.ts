/**
 * The door into TypeScript software: our own instruction, in the opcode that the manual leaves to custom extensions.
 * Its immediate is the index of an entry point in the software's table (see hw/port.ts).
 */
import { instruction } from './language.ts'

// biome-ignore format: a table
export const entry = [
  instruction('entry', '............ 00000 000 00000 0001011', 'index',
    'unpriv "RV32/64G Instruction Set Listings", custom-0',
    (m, i) => m.perform('entry', i.imm, m.constant(0n))),
]
