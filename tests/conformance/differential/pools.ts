/** The instructions by what a program must heed when it uses them. */
import { analyse, INSTRUCTIONS, type Instruction } from '../../../hw/spec/isa/index.ts'

export interface Pools {
  readonly alu: readonly Instruction[]
  readonly memory: readonly Instruction[]
  readonly float: readonly Instruction[]
  readonly branches: readonly Instruction[]
  readonly guest: readonly Instruction[]
  readonly csr: readonly Instruction[]
  readonly fences: readonly Instruction[]
  readonly blocks: readonly Instruction[]
}

export function pools(without: readonly string[]): Pools {
  const all = INSTRUCTIONS.filter(({ extension, name }) => !without.includes(extension) && !without.includes(name))
  const sorted = { alu: [], memory: [], float: [], branches: [], guest: [], csr: [], fences: [], blocks: [] } as Record<
    keyof Pools,
    Instruction[]
  >
  for (const instruction of all) {
    const { action, csr, float, jumps, branches, operations, reads, writes } = analyse(instruction)
    if (action !== undefined) {
      if (/^(fence|fence\.i|[sh]fence\.|[sh]inval)/.test(action)) sorted.fences.push(instruction)
    } else if (csr) sorted.csr.push(instruction)
    else if (operations.includes('guestLoad') || operations.includes('guestStore')) sorted.guest.push(instruction)
    else if (operations.includes('cacheBlock')) sorted.blocks.push(instruction)
    else if (jumps || branches) sorted.branches.push(instruction)
    else if (float) sorted.float.push(instruction)
    else if (reads || writes) sorted.memory.push(instruction)
    else sorted.alu.push(instruction)
  }
  return sorted
}
