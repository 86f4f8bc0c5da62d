/** What an instruction can do, found by running its meaning against a recorder. */
import type { Instruction, Operands } from './language.ts'
import type { Action, Operand, Semantics } from './semantics.ts'

export interface Analysis {
  /** Reads memory (loads, lr, AMOs, hlv). */
  readonly reads: boolean
  /** Writes memory (stores, sc, AMOs, hsv, cbo.zero). */
  readonly writes: boolean
  /** Always goes elsewhere, or may. */
  readonly jumps: boolean
  readonly branches: boolean
  /** Can trap once it has been fetched and decoded. */
  readonly mayTrap: boolean
  readonly action: Action | undefined
  readonly csr: boolean
  /** Touches the floating-point registers or flags. */
  readonly float: boolean
  /** Operand fields that name x registers read, x registers written, and f registers of either kind. */
  readonly readsX: readonly RegisterField[]
  readonly writesX: readonly RegisterField[]
  readonly readsF: readonly RegisterField[]
  readonly writesF: readonly RegisterField[]
  /** Semantic operations in the order in which they are called: 'load', 'add', … */
  readonly operations: readonly (keyof Semantics<unknown>)[]
}

export type RegisterField = 'rd' | 'rs1' | 'rs2' | 'rs3'

const MEMORY_READS: readonly string[] = ['load', 'loadReserved', 'amo', 'guestLoad']
const MEMORY_WRITES: readonly string[] = ['store', 'storeConditional', 'amo', 'guestStore', 'cacheBlock']
const TRAPPING: readonly string[] = [...MEMORY_READS, ...MEMORY_WRITES, 'csr', 'perform', 'float', 'requireFloat']
/** Actions that no privilege, mode or setting makes trap. */
const HARMLESS: readonly Action[] = ['fence', 'fence.i']

const results = new Map<Instruction, Analysis>()

/** Analyses an instruction; the result is kept. */
export function analyse(instruction: Instruction): Analysis {
  const known = results.get(instruction)
  if (known) return known
  const analysis = record(instruction)
  results.set(instruction, analysis)
  return analysis
}

type Value = 'value'

function record(instruction: Instruction): Analysis {
  const operations: (keyof Semantics<unknown>)[] = []
  const fields = (): Set<RegisterField> => new Set()
  const touched = { x: fields(), setX: fields(), f: fields(), setF: fields() }
  let action: Action | undefined
  const names = new Map<Operand, RegisterField>()
  const operand = (field: RegisterField): Operand => {
    const created: Operand = { operand: 'register' }
    names.set(created, field)
    return created
  }
  const operands: Operands<Value> = {
    rd: operand('rd'),
    rs1: operand('rs1'),
    rs2: operand('rs2'),
    rs3: operand('rs3'),
    imm: 'value',
    rm: 'value',
    csr: 'value',
    number: () => 'value',
  }
  const recorder = new Proxy({} as Semantics<Value>, {
    get:
      (_, property) =>
      (...parameters: unknown[]): Value => {
        const operation = property as keyof Semantics<unknown>
        operations.push(operation)
        if (operation === 'x' || operation === 'setX' || operation === 'f' || operation === 'setF') {
          touched[operation].add(names.get(parameters[0] as Operand)!)
        }
        if (operation === 'perform') action = parameters[0] as Action
        return 'value'
      },
  })
  instruction.meaning(recorder, operands)
  const calls = (among: readonly string[]): boolean => operations.some(operation => among.includes(operation))
  return {
    reads: calls(MEMORY_READS),
    writes: calls(MEMORY_WRITES),
    jumps: calls(['jump']),
    branches: calls(['branch']),
    mayTrap: calls(TRAPPING) && !(action !== undefined && HARMLESS.includes(action)),
    action,
    csr: calls(['csr']),
    float: calls(['requireFloat']),
    readsX: [...touched.x],
    writesX: [...touched.setX],
    readsF: [...touched.f],
    writesF: [...touched.setF],
    operations,
  }
}
