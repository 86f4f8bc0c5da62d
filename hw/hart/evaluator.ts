/**
 * The reference executor: the declared meanings on bigints, one instruction at a time, nothing cached. Every other
 * executor must leave the same state behind, cycles included:
 *
 * - Before each instruction the budget is looked at; an instruction runs if it is positive.
 * - While an instruction runs, BUDGET and STALLS are those before it (a read of `cycle` does not count itself).
 * - An instruction that retires subtracts its cycles from BUDGET and adds all but one of them to STALLS.
 * - An instruction that traps subtracts nothing: the trap's price is the hart's to charge.
 */
import type { Memory } from '../memory/memory.ts'
import { decode, type Decoded, type Instruction, type Operands } from '../spec/isa/index.ts'
import type { Action, Operand, Semantics } from '../spec/isa/semantics.ts'
import { instructionCycles, type Prices } from '../time/prices.ts'
import { bigintArithmetic } from './bigint-arithmetic.ts'
import { RELOAD, TRAPPED, type Executor, type HartServices, type Outcome } from './services.ts'
import { ADDRESS, BUDGET, F, FLOAT, OPERANDS, PC, STALLS, VALUE, X } from './state.ts'

/** Thrown within an instruction that trapped: nothing of it happens after that. */
const TRAP = new Error('trap taken')
/** Actions after which the hart has set PC itself. */
const SETS_PC: readonly Action[] = ['mret', 'sret', 'entry']
const PAGE_OFFSET = 0xfffn
const FLOAT_OFF = 0
const FLOAT_DIRTY = 2

interface Register extends Operand {
  readonly number: number
}

function register(number: number): Register {
  return { operand: 'register', number }
}

/** Operands are opaque to meanings; here they are all {@link Register}. */
function numberOf(operand: Operand): number {
  return (operand as Register).number
}

/** Makes the executors of a machine's harts. */
export function evaluator(): (memory: Memory, hart: HartServices, hartIndex: number, prices: Prices) => Evaluator {
  return (memory, hart, _, prices) => new Evaluator(memory, hart, instruction => instructionCycles(instruction, prices))
}

/** What the current instruction is, and where it leads. */
interface Current {
  word: number
  pc: bigint
  nextPc: bigint
  target: bigint
  setsPc: boolean
  reload: boolean
}

export class Evaluator implements Executor {
  readonly #memory: Memory
  readonly #hart: HartServices
  readonly #semantics: Semantics<bigint>
  readonly #cost: (instruction: Instruction) => number
  readonly #current: Current = { word: 0, pc: 0n, nextPc: 0n, target: 0n, setsPc: false, reload: false }

  constructor(memory: Memory, hart: HartServices, cost: (instruction: Instruction) => number = instructionCycles) {
    this.#memory = memory
    this.#hart = hart
    this.#cost = cost
    this.#semantics = this.#bind()
  }

  run(): void {
    const { words } = this.#memory
    while (words[BUDGET >> 2] > 0) {
      if (this.#step() === RELOAD) return
    }
  }

  fill(): void {}
  drop(): void {}
  flush(): void {}
  written(): void {}
  fenceI(): void {}

  #step(): Outcome {
    const { longs, words, doubles } = this.#memory
    const word = this.#fetch()
    if (word === undefined) return TRAPPED
    const decoded = decode(word)
    if (!decoded) return this.#hart.illegal((word & 3) === 3 ? word : word & 0xffff)
    const current = this.#current
    current.word = decoded.word
    current.pc = BigInt.asUintN(64, longs[PC >> 3])
    current.nextPc = current.target = BigInt.asUintN(64, current.pc + BigInt(decoded.length))
    current.setsPc = current.reload = false
    try {
      decoded.instruction.meaning(this.#semantics, operandsOf(decoded))
    } catch (error) {
      if (error === TRAP) return TRAPPED
      throw error
    }
    if (!current.setsPc) longs[PC >> 3] = current.target
    const cost = this.#cost(decoded.instruction)
    words[BUDGET >> 2] = words[BUDGET >> 2] - cost
    doubles[STALLS >> 3] = doubles[STALLS >> 3] + cost - 1
    return current.reload ? RELOAD : 0
  }

  /** The word at PC, its upper half 0 if the instruction is compressed; undefined if fetching trapped. */
  #fetch(): number | undefined {
    const { longs, view } = this.#memory
    if (this.#hart.fetch() === TRAPPED) return undefined
    const offset = Number(longs[PC >> 3] & PAGE_OFFSET)
    const host = this.#hart.fetchedHost + offset
    const low = view.getUint16(host, true)
    if ((low & 3) !== 3) return low
    if (offset !== 0xffe) return view.getUint32(host, true)
    if (this.#hart.fetchSecondHalf() === TRAPPED) return undefined
    return (low | (Number(longs[VALUE >> 3] & 0xffffn) << 16)) >>> 0
  }

  /** Takes note of how a service ended. */
  #done(outcome: Outcome): void {
    if (outcome === TRAPPED) throw TRAP
    if (outcome === RELOAD) this.#current.reload = true
  }

  #bind(): Semantics<bigint> {
    const { longs, words } = this.#memory
    const hart = this.#hart
    const current = this.#current
    const done = (outcome: Outcome): void => this.#done(outcome)
    const valued = (outcome: Outcome): bigint => {
      done(outcome)
      return longs[VALUE >> 3]
    }
    const at = (address: bigint, value = 0n): void => {
      longs[ADDRESS >> 3] = address
      longs[VALUE >> 3] = value
    }
    const operands = (...values: readonly bigint[]): void => {
      for (const [index, value] of values.entries()) longs[(OPERANDS >> 3) + index] = value
    }
    return {
      ...bigintArithmetic,
      x: operand => longs[(X >> 3) + numberOf(operand)],
      setX(operand, value) {
        if (numberOf(operand) !== 0) longs[(X >> 3) + numberOf(operand)] = value
      },
      f: operand => longs[(F >> 3) + numberOf(operand)],
      setF(operand, value) {
        longs[(F >> 3) + numberOf(operand)] = value
        words[FLOAT >> 2] = FLOAT_DIRTY
      },
      pc: () => current.pc,
      nextPc: () => BigInt.asIntN(64, current.nextPc),
      load(address, bytes, sign) {
        at(address)
        return valued(hart.load(bytes, sign === 'signed'))
      },
      store(address, bytes, value) {
        at(address, value)
        done(hart.store(bytes))
      },
      amo(address, bytes, operation, value) {
        at(address, value)
        return valued(hart.amo(bytes, operation))
      },
      loadReserved(address, bytes) {
        at(address)
        return valued(hart.loadReserved(bytes))
      },
      storeConditional(address, bytes, value) {
        at(address, value)
        return valued(hart.storeConditional(bytes))
      },
      guestLoad(address, bytes, sign, fetch) {
        at(address)
        return valued(hart.guestLoad(bytes, sign === 'signed', fetch))
      },
      guestStore(address, bytes, value) {
        at(address, value)
        done(hart.guestStore(bytes))
      },
      cacheBlock(address, operation) {
        at(address)
        done(hart.cacheBlock(operation))
      },
      jump(target) {
        current.target = target
      },
      branch(condition, target) {
        if (condition !== 0n) current.target = target
      },
      csr(number, operation, value, reads, writes) {
        operands(value)
        return valued(hart.csr(Number(number), operation, reads !== 0n, writes !== 0n, current.word))
      },
      perform(action, a, b) {
        operands(a, b)
        done(hart.perform(action, current.word))
        current.setsPc = SETS_PC.includes(action)
      },
      float(operation, format, a, b, c, rm) {
        operands(a, b, c)
        return valued(hart.float(operation, format, Number(rm), current.word))
      },
      requireFloat() {
        if (words[FLOAT >> 2] === FLOAT_OFF) done(hart.illegal(current.word))
      },
    }
  }
}

function operandsOf(decoded: Decoded): Operands<bigint> {
  return {
    rd: register(decoded.rd),
    rs1: register(decoded.rs1),
    rs2: register(decoded.rs2),
    rs3: register(decoded.rs3),
    imm: BigInt(decoded.imm),
    rm: BigInt(decoded.rm),
    csr: BigInt(decoded.csr),
    number: operand => BigInt(numberOf(operand)),
  }
}
