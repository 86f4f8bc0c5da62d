/** CSR accesses. */
import type { CsrOperation } from '../hart/services.ts'
import { MODE, OPERANDS, VALUE, VIRTUAL } from '../hart/state.ts'
import type { Node } from './meaning-graph.ts'
import type { NodeEmitter } from './node-emitter.ts'
import { RECORD } from './record.ts'
import { CSR_OPERATIONS, numberOf } from './runtime.ts'
import { I32 } from './wasm-encoder.ts'

/** A CSR access: by the handler itself where the CSR is `plain`, else a service. */
export function emitCsr(nodes: NodeEmitter, node: Node, operation: CsrOperation, plain: boolean): void {
  const {
    code,
    runtime: { imports },
  } = nodes.frame
  const [number, , reads, writes] = node.from
  const given = nodes.inLocal(node.from[1])
  const old = nodes.localFor(node)
  if (plain) {
    code.block()
    plainAccess(nodes, operation, given, old, writes)
  }
  code.i32(0).get(given).memory('i64Store', OPERANDS)
  nodes.service(
    () => {
      nodes.value(number)
      code.op('i32WrapI64').i32(numberOf(CSR_OPERATIONS, operation))
      nodes.truth(reads)
      nodes.truth(writes)
      code.call(imports.csr)
    },
    plain ? 1 : 0,
  )
  code.i32(0).memory('i64Load', VALUE).set(old)
  if (plain) code.end()
}

/** Within a block, which it leaves: accesses the CSR where it lies, if the privilege suffices. */
function plainAccess(nodes: NodeEmitter, operation: CsrOperation, given: number, old: number, writes: Node): void {
  const { code, slot } = nodes.frame
  const [mode, at] = [code.temporary(I32), code.temporary(I32)]
  code.block()
  nodes.truth(writes)
  code.get(slot).memory('i32Load', RECORD.imm).op('i32Eqz', 'i32And').brIf(0)
  code
    .i32(0)
    .memory('i32Load', MODE)
    .tee(mode)
    .i32(VIRTUAL - 1)
    .op('i32And')
  code.get(slot).memory('i32Load16U', RECORD.extra).i32(8).op('i32ShrU').i32(3).op('i32And', 'i32LtU').brIf(0)
  code.get(slot).memory('i32Load16U', RECORD.rs3).get(slot).memory('i32Load16U', RECORD.rs2)
  code.get(mode).i32(VIRTUAL).op('i32And', 'select').tee(at).memory('i64Load').set(old)
  nodes.truth(writes)
  code.if().get(at)
  if (operation === 'write') code.get(given)
  else if (operation === 'set') code.get(old).get(given).op('i64Or')
  else code.get(old).get(given).i64(-1n).op('i64Xor', 'i64And')
  code.get(slot).memory('i64Load32S', RECORD.imm).op('i64And').memory('i64Store').end()
  code.br(1).end()
}
