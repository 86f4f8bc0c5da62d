/**
 * An instruction's meaning as data: the declaration is run once against a recorder, which notes every operation as a
 * node. Effects are kept in order; pure nodes hang below the effects that use them, so that an emitter can turn them
 * into stack expressions.
 */
import type { Action, AmoOperation, FloatFormat, FloatOperation, Operand, Semantics } from '../spec/isa/semantics.ts'
import type { Instruction, Operands } from '../spec/isa/index.ts'

export type RegisterField = 'rd' | 'rs1' | 'rs2' | 'rs3'
export type BinaryOperation =
  | 'add'
  | 'sub'
  | 'mul'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr'
  | 'sar'
  | 'rol'
  | 'ror'
  | 'eq'
  | 'lt'
  | 'ltu'
export type Bytes = 1 | 2 | 4 | 8

/** What a node computes or does. Effects that yield a value are used by other nodes like pure ones. */
export type Operation =
  | { readonly kind: 'constant'; readonly value: bigint }
  | { readonly kind: 'register'; readonly file: 'x' | 'f'; readonly field: RegisterField }
  | { readonly kind: 'number'; readonly field: RegisterField }
  | { readonly kind: 'imm' | 'rm' | 'csr number' | 'pc' | 'nextPc' }
  | { readonly kind: 'binary'; readonly operation: BinaryOperation }
  | { readonly kind: 'mulh'; readonly signs: 'ss' | 'uu' | 'su' }
  | {
      readonly kind: 'divide'
      readonly result: 'quotient' | 'remainder'
      readonly sign: 'signed' | 'unsigned'
      readonly bits: 32 | 64
    }
  | { readonly kind: 'select' }
  | { readonly kind: 'extend'; readonly sign: 'signed' | 'unsigned'; readonly bits: number }
  | { readonly kind: 'count'; readonly what: 'clz' | 'ctz' | 'popcount'; readonly bits: 32 | 64 }
  | { readonly kind: 'setRegister'; readonly file: 'x' | 'f'; readonly field: RegisterField }
  | { readonly kind: 'load'; readonly bytes: Bytes; readonly sign: 'signed' | 'unsigned' }
  | { readonly kind: 'store'; readonly bytes: Bytes }
  | { readonly kind: 'amo'; readonly bytes: 4 | 8; readonly operation: AmoOperation }
  | { readonly kind: 'loadReserved' | 'storeConditional'; readonly bytes: 4 | 8 }
  | { readonly kind: 'guestLoad'; readonly bytes: Bytes; readonly sign: 'signed' | 'unsigned'; readonly fetch: boolean }
  | { readonly kind: 'guestStore'; readonly bytes: Bytes }
  | { readonly kind: 'cacheBlock'; readonly operation: 'zero' | 'clean' | 'flush' | 'inval' }
  | { readonly kind: 'jump' | 'branch' | 'requireFloat' }
  | { readonly kind: 'csr'; readonly operation: 'write' | 'set' | 'clear' }
  | { readonly kind: 'perform'; readonly action: Action }
  | { readonly kind: 'float'; readonly operation: FloatOperation; readonly format: FloatFormat }

export interface Node {
  readonly operation: Operation
  readonly from: readonly Node[]
  /** True if it must happen where it stands among the effects. */
  readonly effect: boolean
  /** Nodes and effects that use its value. */
  uses: number
  /** Number of effects recorded before it. */
  readonly after: number
}

const EFFECTS: readonly Operation['kind'][] = [
  'setRegister',
  'load',
  'store',
  'amo',
  'loadReserved',
  'storeConditional',
  'guestLoad',
  'guestStore',
  'cacheBlock',
  'jump',
  'branch',
  'requireFloat',
  'csr',
  'perform',
  'float',
]

/** Runs an instruction's meaning and returns its effects in order. */
export function effectsOf(instruction: Instruction): readonly Node[] {
  const effects: Node[] = []
  const node = (operation: Operation, ...from: readonly Node[]): Node => {
    for (const used of from) used.uses++
    const effect = EFFECTS.includes(operation.kind)
    const created: Node = { operation, from, effect, uses: 0, after: effects.length }
    if (effect) effects.push(created)
    return created
  }
  const binary = (operation: BinaryOperation) => (a: Node, b: Node) => node({ kind: 'binary', operation }, a, b)
  const recorder: Semantics<Node> = {
    constant: value => node({ kind: 'constant', value: BigInt.asIntN(64, value) }),
    x: register => node({ kind: 'register', file: 'x', field: fieldOf(register) }),
    setX: (register, value) => void node({ kind: 'setRegister', file: 'x', field: fieldOf(register) }, value),
    f: register => node({ kind: 'register', file: 'f', field: fieldOf(register) }),
    setF: (register, value) => void node({ kind: 'setRegister', file: 'f', field: fieldOf(register) }, value),
    pc: () => node({ kind: 'pc' }),
    nextPc: () => node({ kind: 'nextPc' }),
    add: binary('add'),
    sub: binary('sub'),
    mul: binary('mul'),
    and: binary('and'),
    or: binary('or'),
    xor: binary('xor'),
    shl: binary('shl'),
    shr: binary('shr'),
    sar: binary('sar'),
    rol: binary('rol'),
    ror: binary('ror'),
    eq: binary('eq'),
    lt: binary('lt'),
    ltu: binary('ltu'),
    mulh: (a, b, signs) => node({ kind: 'mulh', signs }, a, b),
    div: (a, b, sign, bits) => node({ kind: 'divide', result: 'quotient', sign, bits }, a, b),
    rem: (a, b, sign, bits) => node({ kind: 'divide', result: 'remainder', sign, bits }, a, b),
    select: (condition, then, otherwise) => node({ kind: 'select' }, condition, then, otherwise),
    sext: (a, bits) => node({ kind: 'extend', sign: 'signed', bits }, a),
    zext: (a, bits) => node({ kind: 'extend', sign: 'unsigned', bits }, a),
    clz: (a, bits) => node({ kind: 'count', what: 'clz', bits }, a),
    ctz: (a, bits) => node({ kind: 'count', what: 'ctz', bits }, a),
    popcount: (a, bits) => node({ kind: 'count', what: 'popcount', bits }, a),
    load: (address, bytes, sign) => node({ kind: 'load', bytes, sign }, address),
    store: (address, bytes, value) => void node({ kind: 'store', bytes }, address, value),
    amo: (address, bytes, operation, value) => node({ kind: 'amo', bytes, operation }, address, value),
    loadReserved: (address, bytes) => node({ kind: 'loadReserved', bytes }, address),
    storeConditional: (address, bytes, value) => node({ kind: 'storeConditional', bytes }, address, value),
    guestLoad: (address, bytes, sign, fetch) => node({ kind: 'guestLoad', bytes, sign, fetch }, address),
    guestStore: (address, bytes, value) => void node({ kind: 'guestStore', bytes }, address, value),
    cacheBlock: (address, operation) => void node({ kind: 'cacheBlock', operation }, address),
    jump: target => void node({ kind: 'jump' }, target),
    branch: (condition, target) => void node({ kind: 'branch' }, condition, target),
    csr: (number, operation, value, reads, writes) => node({ kind: 'csr', operation }, number, value, reads, writes),
    perform: (action, a, b) => void node({ kind: 'perform', action }, a, b),
    float: (operation, format, a, b, c, rm) => node({ kind: 'float', operation, format }, a, b, c, rm),
    requireFloat: () => void node({ kind: 'requireFloat' }),
  }
  const operands: Operands<Node> = {
    ...OPERANDS,
    imm: node({ kind: 'imm' }),
    rm: node({ kind: 'rm' }),
    csr: node({ kind: 'csr number' }),
    number: register => node({ kind: 'number', field: fieldOf(register) }),
  }
  instruction.meaning(recorder, operands)
  return effects
}

/** True if the node is the address `pc + imm`: the target of direct jumps and branches. */
export function isRelative(node: Node): boolean {
  const { operation, from } = node
  return (
    operation.kind === 'binary' &&
    operation.operation === 'add' &&
    from[0]?.operation.kind === 'pc' &&
    from[1]?.operation.kind === 'imm'
  )
}

interface FieldOperand extends Operand {
  readonly field: RegisterField
}

const operand = (field: RegisterField): FieldOperand => ({ operand: 'register', field })
const OPERANDS = { rd: operand('rd'), rs1: operand('rs1'), rs2: operand('rs2'), rs3: operand('rs3') }

function fieldOf(register: Operand): RegisterField {
  return (register as FieldOperand).field
}

/** True if a node is as cheap to compute again as to keep. */
export function isTrivial({ operation: { kind } }: Node): boolean {
  return (
    kind === 'constant' ||
    kind === 'imm' ||
    kind === 'rm' ||
    kind === 'csr number' ||
    kind === 'pc' ||
    kind === 'nextPc'
  )
}

/**
 * Register reads that an effect uses although an earlier effect may have changed the register since the meaning read
 * it: by index of the effect before which they must be computed.
 */
export function earlyReads(effects: readonly Node[]): Node[][] {
  const early: Node[][] = effects.map(() => [])
  const seen = new Set<Node>()
  const visit = (node: Node, index: number): void => {
    if (seen.has(node) || node.effect) return
    seen.add(node)
    const changed = effects.slice(node.after, index).some(({ operation }) => operation.kind === 'setRegister')
    if (node.operation.kind === 'register' && changed) early[node.after].push(node)
    for (const operand of node.from) visit(operand, index)
  }
  for (const [index, effect] of effects.entries()) for (const operand of effect.from) visit(operand, index)
  return early
}
