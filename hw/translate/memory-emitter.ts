/** Loads, stores and atomics: through the soft TLB, or by a service. */
import { ADDRESS, RESERVATION, VALUE } from '../hart/state.ts'
import { READABLE, WRITABLE } from '../memory/line-tables.ts'
import type { AmoOperation } from '../spec/isa/semantics.ts'
import type { Bytes, Node, Operation } from './meaning-graph.ts'
import type { NodeEmitter } from './node-emitter.ts'
import { emitBinary, emitExtend } from './operation-emitter.ts'
import { AMO_OPERATIONS, CACHE_BLOCK_OPERATIONS, numberOf } from './runtime.ts'
import { ADDEND, ARRAYS, INDEX_MASK, INDEX_SHIFT } from './soft-tlb.ts'
import type { MemoryOpcode } from './wasm-code.ts'
import { I32, I64 } from './wasm-encoder.ts'

const LOADS: Readonly<Record<'signed' | 'unsigned', Readonly<Record<Bytes, MemoryOpcode>>>> = {
  signed: { 1: 'i64Load8S', 2: 'i64Load16S', 4: 'i64Load32S', 8: 'i64Load' },
  unsigned: { 1: 'i64Load8U', 2: 'i64Load16U', 4: 'i64Load32U', 8: 'i64Load' },
}
const STORES: Readonly<Record<Bytes, MemoryOpcode>> = {
  1: 'i64Store8',
  2: 'i64Store16',
  4: 'i64Store32',
  8: 'i64Store',
}

/** Looks the address in `address` up; leaves the entry's address in a local and pushes 1 if it does not serve. */
function probe(nodes: NodeEmitter, address: number, access: 'load' | 'store', bytes: number): number {
  const code = nodes.code
  const entry = code.temporary(I32)
  code.get(address).op('i32WrapI64').i32(INDEX_SHIFT).op('i32ShrU').i32(INDEX_MASK).op('i32And')
  nodes.frame.tlb()
  code.op('i32Add').set(entry)
  code
    .get(address)
    .i64(BigInt(-4096 | (bytes - 1)))
    .op('i64And')
  code.get(entry).memory('i64Load', ARRAYS[access]).op('i64Ne')
  return entry
}

/** Pushes the host offset that a serving entry gives. */
function hostAddress(nodes: NodeEmitter, address: number, entry: number, access: 'load' | 'store'): void {
  nodes.code
    .get(address)
    .op('i32WrapI64')
    .get(entry)
    .memory('i32Load', ARRAYS[access] + ADDEND)
    .op('i32Add')
}

/** In the cached model: fills the line at the host offset in `host` if the data cache does not have it as needed. */
function emitLine(nodes: NodeEmitter, host: number, write: boolean): void {
  const { code, runtime } = nodes.frame
  const { lines } = runtime
  if (!lines) return
  nodes.frame.lines()
  code.get(host).i32(lines.shift).op('i32ShrU', 'i32Add').memory('i32Load8U')
  code
    .i32(write ? WRITABLE : READABLE)
    .op('i32And', 'i32Eqz')
    .if()
  nodes.frame.budget()
  code.get(host).i32(Number(write)).call(runtime.missData)
  nodes.frame.afterService()
  code.end()
}

/** The same for the host offset that a serving entry gives, which it pushes. */
function reachedAddress(nodes: NodeEmitter, address: number, entry: number, access: 'load' | 'store'): void {
  hostAddress(nodes, address, entry, access)
  if (!nodes.frame.runtime.lines) return
  const host = nodes.code.temporary(I32)
  nodes.code.set(host)
  emitLine(nodes, host, access === 'store')
  nodes.code.get(host)
}

/** A load: its value goes to the node's local. */
export function emitLoad(nodes: NodeEmitter, node: Node, bytes: Bytes, sign: 'signed' | 'unsigned'): void {
  const { code, runtime, slot } = nodes.frame
  const address = nodes.inLocal(node.from[0])
  const value = nodes.localFor(node)
  const entry = probe(nodes, address, 'load', bytes)
  code.if().get(slot)
  nodes.frame.budget()
  code
    .get(address)
    .i32(sign === 'signed' ? -bytes : bytes)
    .call(runtime.slowLoad)
  nodes.afterCall(1)
  code.i32(0).memory('i64Load', VALUE).set(value)
  code.else()
  reachedAddress(nodes, address, entry, 'load')
  code.memory(LOADS[sign][bytes]).set(value).end()
}

/** A store. */
export function emitStore(nodes: NodeEmitter, addressNode: Node, valueNode: Node, bytes: Bytes): void {
  const { code, runtime, slot } = nodes.frame
  const address = nodes.inLocal(addressNode)
  const value = code.temporary(I64)
  nodes.value(valueNode)
  code.set(value)
  const entry = probe(nodes, address, 'store', bytes)
  code.if().get(slot)
  nodes.frame.budget()
  code.get(address).get(value).i32(bytes).call(runtime.slowStore)
  nodes.afterCall(1)
  code.else()
  reachedAddress(nodes, address, entry, 'store')
  code.get(value).memory(STORES[bytes]).end()
}

/** An AMO, lr or sc: the old value, or sc's result, goes to the node's local. */
export function emitAtomic(
  nodes: NodeEmitter,
  node: Node,
  operation: Extract<Operation, { kind: 'amo' | 'loadReserved' | 'storeConditional' }>,
): void {
  const { code, runtime } = nodes.frame
  const { imports } = runtime
  const { bytes, kind } = operation
  const amo = operation.kind === 'amo' ? operation.operation : undefined
  const address = nodes.inLocal(node.from[0])
  const given = code.temporary(I64)
  if (kind !== 'loadReserved') {
    nodes.value(node.from[1])
    code.set(given)
  }
  const result = nodes.localFor(node)
  const host = code.temporary(I32)
  const access = kind === 'loadReserved' ? 'load' : 'store'
  const entry = probe(nodes, address, access, bytes)
  code.if()
  code.i32(0).get(address).memory('i64Store', ADDRESS).i32(0).get(given).memory('i64Store', VALUE)
  nodes.service(() => {
    code.i32(bytes)
    if (amo) code.i32(numberOf(AMO_OPERATIONS, amo))
    code.call(imports[kind])
  }, 1)
  code.i32(0).memory('i64Load', VALUE).set(result)
  code.else()
  hostAddress(nodes, address, entry, access)
  code.set(host)
  emitLine(nodes, host, access === 'store')
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
    amoValue(nodes, amo, result, given, bytes)
    code.memory(STORES[bytes])
  }
  code.end()
}

/** Pushes what an AMO stores; `old` is sign-extended, the low `bytes` of the result count. */
function amoValue(nodes: NodeEmitter, operation: AmoOperation, old: number, given: number, bytes: 4 | 8): void {
  const code = nodes.code
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

/** What is always a service: the hypervisor's accesses and cache blocks. */
export function emitSlowAccess(
  nodes: NodeEmitter,
  node: Node,
  operation: Extract<Operation, { kind: 'guestLoad' | 'guestStore' | 'cacheBlock' }>,
): void {
  const {
    code,
    runtime: { imports },
  } = nodes.frame
  nodes.mailbox(ADDRESS, node.from[0])
  if (operation.kind === 'guestLoad') {
    nodes.result(node, () =>
      code
        .i32(operation.bytes)
        .i32(Number(operation.sign === 'signed'))
        .i32(Number(operation.fetch))
        .call(imports.guestLoad),
    )
  } else if (operation.kind === 'guestStore') {
    nodes.mailbox(VALUE, node.from[1])
    nodes.service(() => code.i32(operation.bytes).call(imports.guestStore), 0)
  } else {
    nodes.service(() => code.i32(numberOf(CACHE_BLOCK_OPERATIONS, operation.operation)).call(imports.cacheBlock), 0)
  }
}
