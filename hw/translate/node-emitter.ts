/** Pushes the values of an instruction's nodes, and calls services with them. */
import { VALUE } from '../hart/state.ts'
import type { Frame } from './frame.ts'
import { isTrivial, type Node, type RegisterField } from './meaning-graph.ts'
import { emitBinary, emitCount, emitExtend, isInverted } from './operation-emitter.ts'
import { PC_BASE, RECORD } from './record.ts'
import type { Code, Opcode } from './wasm-code.ts'
import { I64 } from './wasm-encoder.ts'

const COMPARISONS: Partial<Record<string, Opcode>> = { eq: 'i64Eq', lt: 'i64LtS', ltu: 'i64LtU' }

export class NodeEmitter {
  readonly frame: Frame
  readonly code: Code
  readonly #length: 2 | 4
  /** Nodes whose value is kept in a local once computed. */
  readonly #locals = new Map<Node, number>()

  /** `length` is the instruction's, in bytes. */
  constructor(frame: Frame, length: 2 | 4) {
    this.frame = frame
    this.code = frame.code
    this.#length = length
  }

  /** Pushes a node's value. */
  value(node: Node): void {
    const local = this.#locals.get(node)
    if (local !== undefined) {
      this.code.get(local)
      return
    }
    this.#compute(node)
    if (node.uses > 1 && !isTrivial(node)) this.code.tee(this.localFor(node))
  }

  /** A new local for a node's value: whoever asks sets it. */
  localFor(node: Node): number {
    const local = this.code.temporary(I64)
    this.#locals.set(node, local)
    return local
  }

  /** Computes a node's value now, for later use. */
  keep(node: Node): void {
    if (this.#locals.has(node)) return
    this.#compute(node)
    this.code.set(this.localFor(node))
  }

  #compute({ operation, from }: Node): void {
    const code = this.code
    const { slot, runtime } = this.frame
    for (const operand of operation.kind === 'select' ? [from[1], from[2]] : from) this.value(operand)
    switch (operation.kind) {
      case 'constant':
        code.i64(operation.value)
        break
      case 'register':
        this.registerAddress(operation.field)
        code.memory('i64Load')
        break
      case 'number':
        this.registerAddress(operation.field)
        code.i32(3).op('i32ShrU').i32(31).op('i32And', 'i64ExtendI32U')
        break
      case 'imm':
        code.get(slot).memory('i64Load32S', RECORD.imm)
        break
      case 'rm':
      case 'csr number':
        code.get(slot).memory('i64Load16U', RECORD.extra)
        break
      case 'pc':
        this.#pc(0)
        break
      case 'nextPc':
        this.#pc(this.#length)
        break
      case 'binary':
        emitBinary(code, operation.operation)
        break
      case 'mulh':
        code.call(runtime.mulh[operation.signs])
        break
      case 'divide':
        code.call(runtime.divide[operation.result][operation.sign][operation.bits])
        break
      case 'select':
        this.condition(from[0])
        code.op('select')
        break
      case 'extend':
        emitExtend(code, operation.sign, operation.bits)
        break
      case 'count':
        emitCount(code, operation.what, operation.bits)
        break
      default:
        throw new Error(`${operation.kind} has no value here`)
    }
  }

  #pc(beyond: number): void {
    const { slot } = this.frame
    this.code.i32(0).memory('i64Load', PC_BASE).get(slot).i32(3).op('i32ShrU')
    if (beyond > 0) this.code.i32(beyond).op('i32Add')
    this.code.op('i64ExtendI32U', 'i64Add')
  }

  /** Pushes an i32 that is not zero exactly if the node's value is not. */
  condition(node: Node): void {
    const { operation, from } = node
    const code = this.code
    if (!this.#locals.has(node) && operation.kind === 'binary') {
      if (isInverted(node)) {
        this.condition(from[0])
        code.op('i32Eqz')
        return
      }
      const compare = COMPARISONS[operation.operation]
      if (compare) {
        this.value(from[0])
        this.value(from[1])
        code.op(compare)
        return
      }
    }
    this.truth(node)
  }

  /** As `condition`, of a value that is needed as such. */
  truth(node: Node): void {
    this.value(node)
    this.code.i64(0n).op('i64Ne')
  }

  /** Pushes the window address of a register (x0 as destination is the sink). */
  registerAddress(field: RegisterField): void {
    this.code.get(this.frame.slot).memory('i32Load16U', RECORD[field])
  }

  /** Stores a node's value in the window. */
  mailbox(address: number, node: Node): void {
    this.code.i32(0)
    this.value(node)
    this.code.memory('i64Store', address)
  }

  /** A service call: `call` leaves an outcome. `depth` blocks are open. */
  service(call: () => void, depth: number): void {
    const { code, runtime, slot } = this.frame
    code.get(slot)
    this.frame.budget()
    code.call(runtime.prepare)
    call()
    this.afterCall(depth)
  }

  /** Follows a call that left an outcome. */
  afterCall(depth: number): void {
    this.code.if()
    this.frame.trapped(depth + 1)
    this.code.end()
    this.frame.afterService()
  }

  /** A service whose result is VALUE. */
  result(node: Node, call: () => void): void {
    this.service(call, 0)
    this.code.i32(0).memory('i64Load', VALUE).set(this.localFor(node))
  }

  /** A local that holds a node's value. */
  inLocal(node: Node): number {
    const code = this.code
    const known = this.#locals.get(node)
    if (known !== undefined) return known
    this.value(node)
    if (this.#locals.has(node)) {
      code.op('drop')
      return this.#locals.get(node)!
    }
    const address = code.temporary(I64)
    code.set(address)
    return address
  }
}
