/** Every instruction of the machine, in the order of its extensions. */
import type { Instruction } from './language.ts'
import { rv64i } from './rv64i.ts'

const extensions = { rv64i }

/** Every instruction of the machine, by its index. Compressed ones are forms of these: see c.ts. */
export const INSTRUCTIONS: readonly Instruction[] = Object.entries(extensions)
  .flatMap(([extension, declarations]) => declarations.map(declaration => ({ ...declaration, extension })))
  .map((declaration, index) => ({ ...declaration, index }))

const byName = new Map(INSTRUCTIONS.map(instruction => [instruction.name, instruction]))

/** The instruction of that name, or undefined. */
export function instructionNamed(name: string): Instruction | undefined {
  return byName.get(name)
}
