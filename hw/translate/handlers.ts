/** Which handlers the interpreter has, and their indices in its table. */
import { effectsOf, isRelative, type Node } from './meaning-graph.ts'
import type { Variant } from './frame.ts'
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
  const relative = effects.some(
    ({ operation, from }) => (operation.kind === 'jump' || operation.kind === 'branch') && from.some(isRelative),
  )
  for (const length of shortened.has(instruction) ? ([4, 2] as const) : ([4] as const)) {
    for (const near of relative ? [false, true] : [false])
      list.push({ instruction, effects, length, near, plainCsr: false })
  }
  // The forms with an immediate have no room for the mask in their record.
  if (
    effects.some(({ operation }) => operation.kind === 'csr') &&
    instruction.kinds.some(({ field }) => field === 'rs1')
  ) {
    list.push({ instruction, effects, length: 4, near: false, plainCsr: true })
  }
}

/**
 * Pairs that one handler does together, saving a dispatch: what Linux and our kernels execute most. The first only
 * computes or loads: it can change neither the second nor where it is.
 */
const PAIRED = `
  add/2+add/2 ld/2+ld/2 addi/2+addi/2 addi/2+bne/4 sltu/4+sltu/4 lbu/4+lbu/4 lbu/4+addi/4 lbu/4+addi/2 sltiu/4+and/4
  sltu/4+and/2 addi/4+add/4 sltu/4+sd/2 ld/4+ld/4 addi/4+sltu/4 ld/2+add/2 add/2+beq/4 ld/2+addi/2 slli/2+add/2
  add/4+lbu/4 slli/4+srli/4 add/2+jal/2 addiw/2+add/2 addi/4+addi/2 add/2+add/4 add/2+addi/2 addi/4+sltiu/4
  srli/4+add/2 add/2+lbu/4 sltu/4+add/2 sub/4+sltiu/4 and/4+sltu/4 sltu/4+or/2 add/2+sltu/4 andi/2+bne/2
  addi/2+jalr/2 lbu/4+beq/2 addi/2+beq/4 andi/4+andi/4 add/2+bne/4 ld/4+sd/4 ld/4+bltu/4 ld/4+bgeu/4 addi/4+jal/4
  ld/4+add/4 addi/4+bne/4 addi/4+addi/4 lw/4+lw/4 ld/2+sd/2 ld/4+beq/4 lw/4+addiw/4 addiw/4+addiw/4 add/4+add/4
`
  .trim()
  .split(/\s+/)

/** Two handlers in one: indices of handlers in the loop. */
export interface Pair {
  readonly first: number
  readonly second: number
}

const indexOfHot = (text: string): number => {
  const [name, length] = text.split('/')
  const at = hot.findLastIndex(handler => handler.instruction.name === name && handler.length === Number(length))
  if (at < 0) throw new Error(`there is no handler ${text} in the loop`)
  return at
}
/** Of a direct jump, the handler that stays within the page. */
export const PAIRS: readonly Pair[] = PAIRED.map(text => {
  const [first, second] = text.split('+').map(indexOfHot) as [number, number]
  return { first, second }
})

/** Handlers in the loop have indices from FIRST_HOT on, functions those after them. */
export const HOT_HANDLERS: readonly Handler[] = hot
export const COLD_HANDLERS: readonly Handler[] = cold
const FIRST_PAIR = FIRST_HOT + hot.length
export const LAST_IN_LOOP = FIRST_PAIR + PAIRS.length - 1
export const ILLEGAL = LAST_IN_LOOP + 1
export const FIRST_COLD = LAST_IN_LOOP + 2

const indices = new Int32Array(INSTRUCTIONS.length * 8).fill(-1)
const key = (instruction: Instruction, length: number, near: boolean, plainCsr = false): number =>
  instruction.index * 8 + (length & 2) + Number(near) + 4 * Number(plainCsr)
const enter =
  (first: number) =>
  ({ instruction, length, near, plainCsr }: Handler, at: number): void => {
    indices[key(instruction, length, near, plainCsr)] = first + at
  }
hot.forEach(enter(FIRST_HOT))
cold.forEach(enter(FIRST_COLD))

/** True if the instruction jumps to an address that its word says. */
export function isDirect(instruction: Instruction): boolean {
  return indices[key(instruction, 4, true)] >= 0
}

/** The handler for a decoded instruction; `near`: it jumps within its page. */
export function handlerOf({ instruction, length }: Decoded, near: boolean): number {
  return indices[key(instruction, length, near)]
}

/** The handler that accesses a plain CSR by itself, or -1 if the instruction has none. */
export function plainCsrHandler(instruction: Instruction): number {
  return indices[key(instruction, 4, false, true)]
}

const pairs = new Map(
  PAIRS.map(({ first, second }, at) => [(FIRST_HOT + first) * 0x1_0000 + FIRST_HOT + second, FIRST_PAIR + at]),
)
const firsts = new Set(PAIRS.map(({ first }) => FIRST_HOT + first))

/** True if a handler may begin a pair. */
export function beginsPair(handler: number): boolean {
  return firsts.has(handler)
}

/** The handler that does both in turn, or `first` if there is none. */
export function pairOf(first: number, second: number): number {
  return pairs.get(first * 0x1_0000 + second) ?? first
}
