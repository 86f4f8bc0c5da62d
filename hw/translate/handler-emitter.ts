/**
 * Turns an instruction's effects into WebAssembly. The same code serves handlers inside the interpreter's loop and
 * handlers that are functions of their own; how a handler begins a service and how it ends is the frame's business.
 */
import type { CsrOperation } from '../hart/services.ts'
import { ADDRESS, FLOAT, MODE, OPERANDS, RESERVATION, VALUE, VIRTUAL } from '../hart/state.ts'
import type { AmoOperation } from '../spec/isa/semantics.ts'
import { earlyReads, isRelative, isTrivial, type Node, type Operation, type RegisterField } from './meaning-graph.ts'
import { emitNativeFloat } from './native-float.ts'
import { emitBinary, emitCount, emitExtend, isInverted } from './operation-emitter.ts'
import { PC_BASE, RECORD, RECORD_SCALE } from './record.ts'
import { ACTIONS, AMO_OPERATIONS, CACHE_BLOCK_OPERATIONS, CSR_OPERATIONS, FLOAT_OPERATIONS, type Runtime } from './runtime.ts'
import { ADDEND, ARRAYS, INDEX_MASK, INDEX_SHIFT } from './soft-tlb.ts'
import type { Code, MemoryOpcode } from './wasm-code.ts'
import { I32, I64 } from './wasm-encoder.ts'

/** How a handler is embedded. */
export interface Frame {
  readonly code: Code
  /** The local that holds the record's address. */
  readonly slot: number
  readonly runtime: Runtime
  /** Pushes the budget; pushes the base of the soft TLB in force. */
  budget(): void
  tlb(): void
  /** Follows every service: takes over the budget that it left. */
  afterService(): void
  /** Leaves because a trap was taken; `depth` blocks of the handler's own are open. */
  trapped(depth: number): void
  /** Subtracts the cost and goes on at the local `slot`; `depth` as above. */
  next(cost: number, depth: number): void
  /** Subtracts the cost and goes on at the address on the stack; `depth` as above. */
  jump(cost: number, depth: number): void
  /** Subtracts the cost and goes on at PC, which the hart has set. */
  resume(cost: number): void
}

/** What a variant of a handler is for. */
export interface Variant {
  readonly length: 2 | 4
  /** The direct target lies in the same page: the record's imm is a distance in record bytes. */
  readonly near: boolean
  /** The record says where the CSR lies: see plain-csr.ts. */
  readonly plainCsr: boolean
}

/** Actions after which the hart has set PC itself. */
const SETS_PC = ['mret', 'sret', 'entry']

const LOADS: Readonly<Record<'signed' | 'unsigned', Readonly<Record<1 | 2 | 4 | 8, MemoryOpcode>>>> = {
  signed: { 1: 'i64Load8S', 2: 'i64Load16S', 4: 'i64Load32S', 8: 'i64Load' },
  unsigned: { 1: 'i64Load8U', 2: 'i64Load16U', 4: 'i64Load32U', 8: 'i64Load' },
}
const STORES: Readonly<Record<1 | 2 | 4 | 8, MemoryOpcode>> = { 1: 'i64Store8', 2: 'i64Store16', 4: 'i64Store32', 8: 'i64Store' }

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
  /** Nodes whose value is kept in a local once computed. */
  readonly #locals = new Map<Node, number>()
  readonly #early: Node[][]

  constructor(frame: Frame, effects: readonly Node[], variant: Variant, cost: number) {
    this.#frame = frame
    this.#code = frame.code
    this.#effects = effects
    this.#variant = variant
    this.#cost = cost
    this.#early = earlyReads(effects)
  }

  emit(): void {
    let ended = false
    for (const [index, effect] of this.#effects.entries()) {
      for (const read of this.#early[index] ?? []) this.#keep(read)
      ended = this.#effect(effect)
    }
    if (!ended) this.#end()
  }

  #end(): void {
    const { slot } = this.#frame
    this.#code.get(slot).i32(this.#variant.length * RECORD_SCALE).op('i32Add').set(slot)
    this.#frame.next(this.#cost, 0)
  }

  /** Emits an effect; true if it ended the handler. */
  #effect(node: Node): boolean {
    const { operation, from } = node
    const code = this.#code
    switch (operation.kind) {
      case 'setRegister':
        if (operation.file === 'f') code.i32(0).i32(2).memory('i32Store', FLOAT)
        this.#registerAddress(operation.field)
        this.#value(from[0]!)
        code.memory('i64Store')
        return false
      case 'load':
        this.#load(node, operation.bytes, operation.sign)
        return false
      case 'store':
        this.#store(from[0]!, from[1]!, operation.bytes)
        return false
      case 'amo': case 'loadReserved': case 'storeConditional':
        this.#atomic(node, operation)
        return false
      case 'guestLoad': case 'guestStore': case 'cacheBlock':
        this.#slowAccess(node, operation)
        return false
      case 'jump':
        this.#jump(from[0]!)
        return true
      case 'branch':
        this.#branch(from[0]!, from[1]!)
        return false
      case 'requireFloat':
        code.i32(0).memory('i32Load', FLOAT).op('i32Eqz').if()
        this.#service(() => code.call(this.#frame.runtime.imports.illegal), 1)
        code.end()
        return false
      case 'csr':
        this.#csr(node, operation.operation)
        return false
      case 'perform':
        if (operation.action === 'fence') return false // harts take turns: nothing to order
        this.#mailbox(OPERANDS, from[0]!)
        this.#mailbox(OPERANDS + 8, from[1]!)
        this.#service(() => code.i32(ACTIONS.indexOf(operation.action)).call(this.#frame.runtime.imports.perform), 0)
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

  /** Pushes a node's value. */
  #value(node: Node): void {
    const local = this.#locals.get(node)
    if (local !== undefined) {
      this.#code.get(local)
      return
    }
    this.#compute(node)
    if (node.uses > 1 && !isTrivial(node)) this.#code.tee(this.#localFor(node))
  }

  #localFor(node: Node): number {
    const local = this.#code.temporary(I64)
    this.#locals.set(node, local)
    return local
  }

  /** Computes a node's value now, for later use. */
  #keep(node: Node): void {
    if (this.#locals.has(node)) return
    this.#compute(node)
    this.#code.set(this.#localFor(node))
  }

  #compute({ operation, from }: Node): void {
    const code = this.#code
    const { slot, runtime } = this.#frame
    for (const operand of operation.kind === 'select' ? [from[1]!, from[2]!] : from) this.#value(operand)
    switch (operation.kind) {
      case 'constant': code.i64(operation.value); break
      case 'register': this.#registerAddress(operation.field); code.memory('i64Load'); break
      case 'number':
        this.#registerAddress(operation.field)
        code.i32(3).op('i32ShrU').i32(31).op('i32And', 'i64ExtendI32U')
        break
      case 'imm': code.get(slot).memory('i64Load32S', RECORD.imm); break
      case 'rm': case 'csr number': code.get(slot).memory('i64Load16U', RECORD.extra); break
      case 'pc': this.#pc(0); break
      case 'nextPc': this.#pc(this.#variant.length); break
      case 'binary': emitBinary(code, operation.operation); break
      case 'mulh': code.call(runtime.mulh[operation.signs]); break
      case 'divide':
        code.call(runtime.divide[operation.result][operation.sign][operation.bits])
        break
      case 'select': this.#condition(from[0]!); code.op('select'); break
      case 'extend': emitExtend(code, operation.sign, operation.bits); break
      case 'count': emitCount(code, operation.what, operation.bits); break
      default: throw new Error(`${operation.kind} has no value here`)
    }
  }

  #pc(beyond: number): void {
    const { slot } = this.#frame
    this.#code.i32(0).memory('i64Load', PC_BASE).get(slot).i32(3).op('i32ShrU')
    if (beyond > 0) this.#code.i32(beyond).op('i32Add')
    this.#code.op('i64ExtendI32U', 'i64Add')
  }

  /** Pushes an i32 that is not zero exactly if the node's value is not. */
  #condition(node: Node): void {
    const { operation, from } = node
    const code = this.#code
    if (!this.#locals.has(node) && operation.kind === 'binary') {
      if (isInverted(node)) {
        this.#condition(from[0]!)
        code.op('i32Eqz')
        return
      }
      const compare = operation.operation === 'eq' ? 'i64Eq' : operation.operation === 'lt' ? 'i64LtS' : operation.operation === 'ltu' ? 'i64LtU' : undefined
      if (compare) {
        this.#value(from[0]!)
        this.#value(from[1]!)
        code.op(compare)
        return
      }
    }
    this.#truth(node)
  }

  #truth(node: Node): void {
    this.#value(node)
    this.#code.i64(0n).op('i64Ne')
  }

  /** Pushes the window address of a register (x0 as destination is the sink). */
  #registerAddress(field: RegisterField): void {
    this.#code.get(this.#frame.slot).memory('i32Load16U', RECORD[field])
  }

  #mailbox(address: number, node: Node): void {
    this.#code.i32(0)
    this.#value(node)
    this.#code.memory('i64Store', address)
  }

  /** A service call: `call` leaves an outcome. `depth` blocks are open. */
  #service(call: () => void, depth: number): void {
    const { code, runtime, slot } = this.#frame
    code.get(slot)
    this.#frame.budget()
    code.call(runtime.prepare)
    call()
    this.#afterCall(depth)
  }

  #afterCall(depth: number): void {
    this.#code.if()
    this.#frame.trapped(depth + 1)
    this.#code.end()
    this.#frame.afterService()
  }

  /** A service whose result is VALUE. */
  #result(node: Node, call: () => void): void {
    this.#service(call, 0)
    this.#code.i32(0).memory('i64Load', VALUE).set(this.#localFor(node))
  }

  /** Looks the address in `address` up; leaves the entry's address in a local and pushes 1 if it does not serve. */
  #probe(address: number, access: 'load' | 'store', bytes: number): number {
    const code = this.#code
    const entry = code.temporary(I32)
    code.get(address).op('i32WrapI64').i32(INDEX_SHIFT).op('i32ShrU').i32(INDEX_MASK).op('i32And')
    this.#frame.tlb()
    code.op('i32Add').set(entry)
    code.get(address).i64(BigInt(-4096 | (bytes - 1))).op('i64And')
    code.get(entry).memory('i64Load', ARRAYS[access]).op('i64Ne')
    return entry
  }

  #hostAddress(address: number, entry: number, access: 'load' | 'store'): void {
    this.#code.get(address).op('i32WrapI64').get(entry).memory('i32Load', ARRAYS[access] + ADDEND).op('i32Add')
  }

  /** A local that holds a node's value. */
  #inLocal(node: Node): number {
    const code = this.#code
    const known = this.#locals.get(node)
    if (known !== undefined) return known
    this.#value(node)
    if (this.#locals.has(node)) {
      code.op('drop')
      return this.#locals.get(node)!
    }
    const address = code.temporary(I64)
    code.set(address)
    return address
  }

  #load(node: Node, bytes: 1 | 2 | 4 | 8, sign: 'signed' | 'unsigned'): void {
    const { code, runtime, slot } = this.#frame
    const address = this.#inLocal(node.from[0]!)
    const value = this.#localFor(node)
    const entry = this.#probe(address, 'load', bytes)
    code.if().get(slot)
    this.#frame.budget()
    code.get(address).i32(sign === 'signed' ? -bytes : bytes).call(runtime.slowLoad)
    this.#afterCall(1)
    code.i32(0).memory('i64Load', VALUE).set(value)
    code.else()
    this.#hostAddress(address, entry, 'load')
    code.memory(LOADS[sign][bytes]).set(value).end()
  }

  #store(addressNode: Node, valueNode: Node, bytes: 1 | 2 | 4 | 8): void {
    const { code, runtime, slot } = this.#frame
    const address = this.#inLocal(addressNode)
    const value = code.temporary(I64)
    this.#value(valueNode)
    code.set(value)
    const entry = this.#probe(address, 'store', bytes)
    code.if().get(slot)
    this.#frame.budget()
    code.get(address).get(value).i32(bytes).call(runtime.slowStore)
    this.#afterCall(1)
    code.else()
    this.#hostAddress(address, entry, 'store')
    code.get(value).memory(STORES[bytes]).end()
  }

  #atomic(node: Node, operation: Extract<Operation, { kind: 'amo' | 'loadReserved' | 'storeConditional' }>): void {
    const { code, runtime } = this.#frame
    const { imports } = runtime
    const { bytes, kind } = operation
    const amo = operation.kind === 'amo' ? operation.operation : undefined
    const address = this.#inLocal(node.from[0]!)
    const given = code.temporary(I64)
    if (kind !== 'loadReserved') {
      this.#value(node.from[1]!)
      code.set(given)
    }
    const result = this.#localFor(node)
    const host = code.temporary(I32)
    const access = kind === 'loadReserved' ? 'load' : 'store'
    const entry = this.#probe(address, access, bytes)
    code.if()
    code.i32(0).get(address).memory('i64Store', ADDRESS).i32(0).get(given).memory('i64Store', VALUE)
    this.#service(() => {
      code.i32(bytes)
      if (amo) code.i32(AMO_OPERATIONS.indexOf(amo))
      code.call(imports[kind])
    }, 1)
    code.i32(0).memory('i64Load', VALUE).set(result)
    code.else()
    this.#hostAddress(address, entry, access)
    code.set(host)
    const load = () => code.get(host).memory(LOADS.signed[bytes])
    if (kind === 'loadReserved') {
      load().set(result)
      code.i32(0).get(host).memory('i32Store', RESERVATION)
    } else if (kind === 'storeConditional') {
      code.i32(0).memory('i32Load', RESERVATION).get(host).op('i32Eq').if()
      code.get(host).get(given).memory(STORES[bytes]).i64(0n).set(result)
      code.else().i64(1n).set(result).end()
      code.i32(0).i32(-1).memory('i32Store', RESERVATION)
    } else if (amo) {
      load().set(result)
      code.get(host)
      this.#amoValue(amo, result, given, bytes)
      code.memory(STORES[bytes])
    }
    code.end()
  }

  /** Pushes what an AMO stores; `old` is sign-extended, the low `bytes` of the result count. */
  #amoValue(operation: AmoOperation, old: number, given: number, bytes: 4 | 8): void {
    const code = this.#code
    if (operation === 'swap') {
      code.get(given)
      return
    }
    if (operation === 'add' || operation === 'xor' || operation === 'and' || operation === 'or') {
      code.get(old).get(given)
      emitBinary(code, operation)
      return
    }
    const signed = operation === 'min' || operation === 'max'
    const extended = (local: number) => {
      code.get(local)
      if (bytes === 4) emitExtend(code, signed ? 'signed' : 'unsigned', 32)
    }
    code.get(old).get(given)
    extended(old)
    extended(given)
    const less = operation === 'min' || operation === 'minu'
    code.op(signed ? (less ? 'i64LtS' : 'i64GtS') : less ? 'i64LtU' : 'i64GtU', 'select')
  }

  #csr(node: Node, operation: CsrOperation): void {
    const { code, runtime: { imports } } = this.#frame
    const [number, , reads, writes] = node.from
    const given = this.#inLocal(node.from[1]!)
    if (this.#variant.plainCsr) {
      const old = this.#localFor(node)
      code.block()
      this.#plainCsr(operation, given, old, writes!)
    }
    code.i32(0).get(given).memory('i64Store', OPERANDS)
    this.#service(() => {
      this.#value(number!)
      code.op('i32WrapI64').i32(CSR_OPERATIONS.indexOf(operation))
      this.#truth(reads!)
      this.#truth(writes!)
      code.call(imports.csr)
    }, this.#variant.plainCsr ? 1 : 0)
    code.i32(0).memory('i64Load', VALUE).set(this.#locals.get(node) ?? this.#localFor(node))
    if (this.#variant.plainCsr) code.end()
  }

  /** Within a block, which it leaves: accesses the CSR where it lies, if the privilege suffices. */
  #plainCsr(operation: CsrOperation, given: number, old: number, writes: Node): void {
    const { code, slot } = this.#frame
    const [mode, at] = [code.temporary(I32), code.temporary(I32)]
    code.block()
    this.#truth(writes)
    code.get(slot).memory('i32Load', RECORD.imm).op('i32Eqz', 'i32And').brIf(0)
    code.i32(0).memory('i32Load', MODE).tee(mode).i32(VIRTUAL - 1).op('i32And')
    code.get(slot).memory('i32Load16U', RECORD.extra).i32(8).op('i32ShrU').i32(3).op('i32And', 'i32LtU').brIf(0)
    code.get(slot).memory('i32Load16U', RECORD.rs3).get(slot).memory('i32Load16U', RECORD.rs2)
    code.get(mode).i32(VIRTUAL).op('i32And', 'select').tee(at).memory('i64Load').set(old)
    this.#truth(writes)
    code.if().get(at)
    if (operation === 'write') code.get(given)
    else if (operation === 'set') code.get(old).get(given).op('i64Or')
    else code.get(old).get(given).i64(-1n).op('i64Xor', 'i64And')
    code.get(slot).memory('i64Load32S', RECORD.imm).op('i64And').memory('i64Store').end()
    code.br(1).end()
  }

  #slowAccess(node: Node, operation: Extract<Operation, { kind: 'guestLoad' | 'guestStore' | 'cacheBlock' }>): void {
    const { code, runtime: { imports } } = this.#frame
    this.#mailbox(ADDRESS, node.from[0]!)
    if (operation.kind === 'guestLoad') {
      this.#result(node, () => code.i32(operation.bytes).i32(Number(operation.sign === 'signed')).i32(Number(operation.fetch)).call(imports.guestLoad))
    } else if (operation.kind === 'guestStore') {
      this.#mailbox(VALUE, node.from[1]!)
      this.#service(() => code.i32(operation.bytes).call(imports.guestStore), 0)
    } else {
      this.#service(() => code.i32(CACHE_BLOCK_OPERATIONS.indexOf(operation.operation)).call(imports.cacheBlock), 0)
    }
  }

  #float(node: Node, operation: Extract<Operation, { kind: 'float' }>): void {
    const { code, runtime: { imports } } = this.#frame
    const [a, b, c] = [0, 1, 2].map(at => this.#inLocal(node.from[at]!)) as [number, number, number]
    const rounding = code.temporary(I32)
    this.#value(node.from[3]!)
    code.op('i32WrapI64').set(rounding)
    const result = this.#localFor(node)
    code.block()
    emitNativeFloat(code, operation, { a, b, rounding, result })
    for (const [at, local] of [a, b, c].entries()) code.i32(0).get(local).memory('i64Store', OPERANDS + at * 8)
    this.#service(() => {
      code.i32(FLOAT_OPERATIONS.indexOf(operation.operation)).i32(Number(operation.format === 'd')).get(rounding).call(imports.float)
    }, 1)
    code.i32(0).memory('i64Load', VALUE).set(result).end()
  }

  #jump(target: Node): void {
    const { code, slot } = this.#frame
    if (this.#variant.near && isRelative(target)) {
      code.get(slot).get(slot).memory('i32Load', RECORD.imm).op('i32Add').set(slot)
      this.#frame.next(this.#cost, 0)
    } else {
      this.#value(target)
      this.#frame.jump(this.#cost, 0)
    }
  }

  #branch(condition: Node, target: Node): void {
    const { code, slot } = this.#frame
    this.#condition(condition)
    code.if()
    if (this.#variant.near && isRelative(target)) {
      code.get(slot).get(slot).memory('i32Load', RECORD.imm).op('i32Add').set(slot)
      this.#frame.next(this.#cost, 1)
    } else {
      this.#value(target)
      this.#frame.jump(this.#cost, 1)
    }
    code.end()
  }
}
