/** Which handlers the interpreter has, and their indices in its table. */
import { effectsOf, isRelative, type Node } from './meaning-graph.ts'
import type { Variant } from './handler-emitter.ts'
import { INSTRUCTIONS, type Decoded, type Instruction } from '../spec/isa/index.ts'
import { COMPRESSED } from '../spec/isa/c.ts'

/** Handlers that are no instruction's: not decoded yet, straddles the page's end, the page's end, the entrance to `run`. */
export const UNDECODED = 0
export const STRADDLES = 1
export const PAGE_END = 2
export const ENTRANCE = 3
const FIRST_HOT = 4

export interface Handler extends Variant {
  readonly instruction: Instruction
  readonly effects: readonly Node[]
}

const HOT_EFFECTS: readonly Node['operation']['kind'][] = ['setRegister', 'load', 'store', 'jump', 'branch']

/** Instructions that are worth a place in the interpreter's loop; the others are functions of their own. */
function isHot({ extension, name }: Instruction, effects: readonly Node[]): boolean {
  const base = extension === 'rv64i' || name === 'mul' || name === 'mulw'
  return base && effects.every(({ operation }) => HOT_EFFECTS.includes(operation.kind))
}

const hot: Handler[] = []
const cold: Handler[] = []
const shortened = new Set(COMPRESSED.map(({ base }) => base))
for (const instruction of INSTRUCTIONS) {
  const effects = effectsOf(instruction)
  const list = isHot(instruction, effects) ? hot : cold
  const relative = effects.some(({ operation, from }) => (operation.kind === 'jump' || operation.kind === 'branch') && from.some(isRelative))
  for (const length of shortened.has(instruction) ? ([4, 2] as const) : ([4] as const)) {
    for (const near of relative ? [false, true] : [false]) list.push({ instruction, effects, length, near })
  }
}

/** Handlers in the loop have indices from FIRST_HOT on, functions those after them. */
export const HOT_HANDLERS: readonly Handler[] = hot
export const COLD_HANDLERS: readonly Handler[] = cold
export const LAST_IN_LOOP = FIRST_HOT + hot.length - 1
export const ILLEGAL = LAST_IN_LOOP + 1
export const FIRST_COLD = LAST_IN_LOOP + 2

const indices = new Int32Array(INSTRUCTIONS.length * 4).fill(-1)
const key = (instruction: Instruction, length: number, near: boolean): number => instruction.index * 4 + (length & 2) + Number(near)
for (const [at, { instruction, length, near }] of hot.entries()) indices[key(instruction, length, near)] = FIRST_HOT + at
for (const [at, { instruction, length, near }] of cold.entries()) indices[key(instruction, length, near)] = FIRST_COLD + at

/** True if the instruction jumps to an address that its word says. */
export function isDirect(instruction: Instruction): boolean {
  return indices[key(instruction, 4, true)]! >= 0
}

/** The handler for a decoded instruction; `near`: it jumps within its page. */
export function handlerOf({ instruction, length }: Decoded, near: boolean): number {
  return indices[key(instruction, length, near)]!
}
