/**
 * Turns an instruction's effects into WebAssembly. The same code serves handlers inside the interpreter's loop and
 * handlers that are functions of their own; how a handler begins a service and how it ends is the frame's business.
 */
import { FLOAT, OPERANDS, VALUE } from '../hart/state.ts'
import { emitCsr } from './csr-emitter.ts'
import type { Frame, Variant } from './frame.ts'
import { emitAtomic, emitLoad, emitSlowAccess, emitStore } from './memory-emitter.ts'
import { earlyReads, isRelative, type Node, type Operation } from './meaning-graph.ts'
import { emitNativeFloat } from './native-float.ts'
import { NodeEmitter } from './node-emitter.ts'
import { RECORD, RECORD_SCALE } from './record.ts'
import { ACTIONS, FLOAT_OPERATIONS, numberOf } from './runtime.ts'
import type { Code } from './wasm-code.ts'
import { I32 } from './wasm-encoder.ts'

/** Actions after which the hart has set PC itself. */
const SETS_PC = ['mret', 'sret', 'entry']

/** Emits the whole handler: `effects` are of one instruction that costs `cost` cycles. */
export function emitHandler(frame: Frame, effects: readonly Node[], variant: Variant, cost: number): void {
  new HandlerEmitter(frame, effects, variant, cost).emit()
}

class HandlerEmitter {
  readonly #frame: Frame
  readonly #code: Code
  readonly #effects: readonly Node[]
  readonly #variant: Variant
  readonly #cost: number
  readonly #nodes: NodeEmitter
  readonly #early: Node[][]

  constructor(frame: Frame, effects: readonly Node[], variant: Variant, cost: number) {
    this.#frame = frame
    this.#code = frame.code
    this.#effects = effects
    this.#variant = variant
    this.#cost = cost
    this.#early = earlyReads(effects)
    this.#nodes = new NodeEmitter(frame, variant.length)
  }

  emit(): void {
    let ended = false
    for (const [index, effect] of this.#effects.entries()) {
      for (const read of this.#early[index] ?? []) this.#nodes.keep(read)
      ended = this.#effect(effect)
    }
    if (!ended) this.#end()
  }

  #end(): void {
    const { slot } = this.#frame
    this.#code
      .get(slot)
      .i32(this.#variant.length * RECORD_SCALE)
      .op('i32Add')
      .set(slot)
    this.#frame.next(this.#cost, 0)
  }

  /** Emits an effect; true if it ended the handler. */
  #effect(node: Node): boolean {
    const { operation, from } = node
    const code = this.#code
    switch (operation.kind) {
      case 'setRegister':
        if (operation.file === 'f') code.i32(0).i32(2).memory('i32Store', FLOAT)
        this.#nodes.registerAddress(operation.field)
        this.#nodes.value(from[0])
        code.memory('i64Store')
        return false
      case 'load':
        emitLoad(this.#nodes, node, operation.bytes, operation.sign)
        return false
      case 'store':
        emitStore(this.#nodes, from[0], from[1], operation.bytes)
        return false
      case 'amo':
      case 'loadReserved':
      case 'storeConditional':
        emitAtomic(this.#nodes, node, operation)
        return false
      case 'guestLoad':
      case 'guestStore':
      case 'cacheBlock':
        emitSlowAccess(this.#nodes, node, operation)
        return false
      case 'jump':
        this.#jump(from[0])
        return true
      case 'branch':
        this.#branch(from[0], from[1])
        return false
      case 'requireFloat':
        code.i32(0).memory('i32Load', FLOAT).op('i32Eqz').if()
        this.#nodes.service(() => code.call(this.#frame.runtime.imports.illegal), 1)
        code.end()
        return false
      case 'csr':
        emitCsr(this.#nodes, node, operation.operation, this.#variant.plainCsr)
        return false
      case 'perform':
        if (operation.action === 'fence') return false // harts take turns: nothing to order
        this.#nodes.mailbox(OPERANDS, from[0])
        this.#nodes.mailbox(OPERANDS + 8, from[1])
        this.#nodes.service(
          () => code.i32(numberOf(ACTIONS, operation.action)).call(this.#frame.runtime.imports.perform),
          0,
        )
        if (!SETS_PC.includes(operation.action)) return false
        this.#frame.resume(this.#cost)
        return true
      case 'float':
        this.#float(node, operation)
        return false
      default:
        throw new Error(`${operation.kind} is no effect`)
    }
  }

  #float(node: Node, operation: Extract<Operation, { kind: 'float' }>): void {
    const {
      code,
      runtime: { imports },
    } = this.#frame
    const [a, b, c] = [0, 1, 2].map(at => this.#nodes.inLocal(node.from[at])) as [number, number, number]
    const rounding = code.temporary(I32)
    this.#nodes.value(node.from[3])
    code.op('i32WrapI64').set(rounding)
    const result = this.#nodes.localFor(node)
    code.block()
    emitNativeFloat(code, operation, { a, b, rounding, result })
    for (const [at, local] of [a, b, c].entries())
      code
        .i32(0)
        .get(local)
        .memory('i64Store', OPERANDS + at * 8)
    this.#nodes.service(() => {
      code
        .i32(numberOf(FLOAT_OPERATIONS, operation.operation))
        .i32(Number(operation.format === 'd'))
        .get(rounding)
        .call(imports.float)
    }, 1)
    code.i32(0).memory('i64Load', VALUE).set(result).end()
  }

  #jump(target: Node): void {
    const { code, slot } = this.#frame
    if (this.#variant.near && isRelative(target)) {
      code.get(slot).get(slot).memory('i32Load', RECORD.imm).op('i32Add').set(slot)
      this.#frame.next(this.#cost, 0)
    } else {
      this.#nodes.value(target)
      this.#frame.jump(this.#cost, 0)
    }
  }

  #branch(condition: Node, target: Node): void {
    const { code, slot } = this.#frame
    this.#nodes.condition(condition)
    code.if()
    if (this.#variant.near && isRelative(target)) {
      code.get(slot).get(slot).memory('i32Load', RECORD.imm).op('i32Add').set(slot)
      this.#frame.next(this.#cost, 1)
    } else {
      this.#nodes.value(target)
      this.#frame.jump(this.#cost, 1)
    }
    code.end()
  }
}
