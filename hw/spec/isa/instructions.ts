/** Every instruction of the machine, in the order of its extensions. */
import type { Instruction } from './language.ts'
import { a } from './a.ts'
import { d } from './d.ts'
import { entry } from './entry.ts'
import { f } from './f.ts'
import { h } from './h.ts'
import { m } from './m.ts'
import { fenceT } from './fence-t.ts'
import { mark } from './mark.ts'
import { privileged } from './privileged.ts'
import { rv64i } from './rv64i.ts'
import { svinval } from './svinval.ts'
import { zba } from './zba.ts'
import { zbb } from './zbb.ts'
import { zbs } from './zbs.ts'
import { zicbo } from './zicbo.ts'
import { zicond } from './zicond.ts'
import { zicsr } from './zicsr.ts'
import { zifencei } from './zifencei.ts'

const extensions = {
  rv64i,
  m,
  a,
  f,
  d,
  zicsr,
  zifencei,
  zba,
  zbb,
  zbs,
  zicond,
  zicbo,
  privileged,
  h,
  svinval,
  entry,
  mark,
  fenceT,
}

/** Every instruction of the machine, by its index. Compressed ones are forms of these: see c.ts. */
export const INSTRUCTIONS: readonly Instruction[] = Object.entries(extensions)
  .flatMap(([extension, declarations]) => declarations.map(declaration => ({ ...declaration, extension })))
  .map((declaration, index) => ({ ...declaration, index }))

const byName = new Map(INSTRUCTIONS.map(instruction => [instruction.name, instruction]))

/** The instruction of that name, or undefined. */
export function instructionNamed(name: string): Instruction | undefined {
  return byName.get(name)
}
