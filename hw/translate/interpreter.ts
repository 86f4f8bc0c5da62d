/**
 * The interpreter as one WebAssembly module. Its export `run` is a loop around one `br_table` over the frequent
 * handlers, with budget, record and soft TLB in locals; the others are functions in a table, called from the loop.
 * (One loop was measured against a function a handler and tail calls: 520 against 180 million instructions a second.)
 *
 *   leave: PC and BUDGET are stored
 *     save: store PC (of the record) and BUDGET
 *       next: loop
 *         jump: `target` is where to go on: fetch soft TLB, or the hart translates
 *           function: call through the table
 *             handlers, and br_table on the record's first field
 */
import { BUDGET, PC, STALLS } from '../hart/state.ts'
import type { Instruction } from '../spec/isa/index.ts'
import type { Frame } from './frame.ts'
import { emitHandler } from './handler-emitter.ts'
import { COLD_HANDLERS, FIRST_COLD, HOT_HANDLERS, LAST_IN_LOOP, PAIRS, type Handler } from './handlers.ts'
import type { LineTables } from '../memory/line-tables.ts'
import { LINES, PC_BASE, RECORD, RECORD_SCALE, SLOT, TLB_BASE } from './record.ts'
import { addRuntime, type Runtime } from './runtime.ts'
import { ADDEND, ARRAYS, INDEX_MASK, INDEX_SHIFT } from './soft-tlb.ts'
import { Code } from './wasm-code.ts'
import { I32, I64, ModuleEncoder } from './wasm-encoder.ts'

/** What the interpreter itself charges. */
export interface Costs {
  instruction(instruction: Instruction): number
  /** A misaligned access within a page, on top. */
  readonly misaligned: number
}

/** Where the interpreter works: memory's pages, the record with handler ENTRANCE, and in the cached model the line tables. */
export interface Surroundings {
  readonly memoryPages: number
  readonly entrance: number
  readonly lines: LineTables | undefined
}

/** The module's bytes. */
export function encodeInterpreter({ memoryPages, entrance, lines }: Surroundings, costs: Costs): Uint8Array {
  const module = new ModuleEncoder()
  const runtime = addRuntime(module, costs.misaligned, lines)
  const type = module.type([I32], [I32])
  const define = (body: (code: Code) => void): number => {
    const index = module.declare(type)
    const code = new Code(1)
    body(code)
    module.define(index, code)
    return index
  }
  const illegal = define(code => {
    code.get(0).i32(0).memory('i32Load', BUDGET).call(runtime.prepare).call(runtime.imports.illegal).op('drop').i32(0)
  })
  // Indices up to FIRST_COLD never reach the table but for ILLEGAL.
  const functions = Array.from({ length: FIRST_COLD }, () => illegal)
  for (const handler of COLD_HANDLERS) {
    functions.push(
      define(code =>
        emitHandler(functionFrame(code, runtime), handler.effects, handler, costs.instruction(handler.instruction)),
      ),
    )
  }
  module.table(type, functions)
  const run = module.declare(module.type([], []))
  module.define(run, loop(runtime, type, entrance, costs))
  module.export('run', run)
  return module.encode(memoryPages)
}

/** Adds to STALLS what an instruction costs beyond its one cycle. */
function stall(code: Code, cost: number): void {
  if (cost > 1)
    code
      .i32(0)
      .i32(0)
      .memory('f64Load', STALLS)
      .f64(cost - 1)
      .op('f64Add')
      .memory('f64Store', STALLS)
}

/** A handler as a function of the record's address: returns the next record's, or 0 if PC says where to go on. */
function functionFrame(code: Code, runtime: Runtime): Frame {
  const spend = (cost: number): void => {
    stall(code, cost)
    code.i32(0).i32(0).memory('i32Load', BUDGET).i32(cost).op('i32Sub').memory('i32Store', BUDGET)
  }
  return {
    code,
    runtime,
    slot: 0,
    budget: () => void code.i32(0).memory('i32Load', BUDGET),
    tlb: () => void code.i32(0).memory('i32Load', TLB_BASE),
    lines: () => void code.i32(0).memory('i32Load', LINES),
    afterService: () => {},
    trapped: () => void code.i32(0).op('return'),
    next(cost) {
      spend(cost)
      code.get(0).op('return')
    },
    jump(cost) {
      const target = code.temporary(I64)
      code.set(target)
      code.i32(0).get(target).memory('i64Store', PC)
      spend(cost)
      code.i32(0).op('return')
    },
    resume(cost) {
      spend(cost)
      code.i32(0).op('return')
    },
  }
}

/** From where line 0 of memory would be to where line 0 of code would be. */
function codeBytesFrom({ firstHost, shift, lines, codeHost, recordShift }: LineTables): number {
  return (firstHost >>> shift) + lines - (codeHost >>> recordShift)
}

function loop(runtime: Runtime, functionType: number, entrance: number, costs: Costs): Code {
  const code = new Code(0)
  const [slot, budget, tlb, target, entry] = [
    code.local(I32),
    code.local(I32),
    code.local(I32),
    code.local(I64),
    code.local(I32),
  ]
  const { lines: tables } = runtime
  // The flat variant has none of these: three locals more cost it a third of its speed in copies.
  const [lines, line, current] = tables ? [code.local(I32), code.local(I32), code.local(I32)] : [0, 0, 0]
  const bodies = LAST_IN_LOOP + 1
  code.i32(0).memory('i32Load', BUDGET).set(budget).i32(0).memory('i32Load', TLB_BASE).set(tlb).i32(entrance).set(slot)
  if (tables)
    code
      .i32(0)
      .memory('i32Load', LINES)
      .set(lines)
      .i32(entrance >>> tables.recordShift)
      .set(line)
  code.block().block().loop()
  if (tables) {
    // Another line of code than the last instruction's: is it in the cache?
    code.get(slot).i32(tables.recordShift).op('i32ShrU').tee(current).get(line).op('i32Ne').if()
    code.get(current).set(line)
    code.get(lines).get(current).op('i32Add').memory('i32Load8U', codeBytesFrom(tables)).op('i32Eqz').if()
    code.get(budget).get(slot).call(runtime.missCode).i32(0).memory('i32Load', BUDGET).set(budget)
    code.end().end()
  }
  code.block().block()
  for (let at = 0; at < bodies; at++) code.block()
  code.get(slot).memory('i32Load16U', RECORD.handler)
  code.brTable(
    Array.from({ length: bodies }, (_, at) => at),
    bodies,
  )
  let open = bodies
  const begin = (): void => {
    code.end()
    open--
    code.release()
  }
  const toFunction = () => open
  const toJump = () => open + 1
  const toNext = () => open + 2
  const toSave = () => open + 3
  const toLeave = () => open + 4
  begin() // UNDECODED
  // Neither decoding nor fetching a second half ends the instruction: the budget is not looked at.
  code.get(slot).get(budget).call(runtime.prepare).call(runtime.imports.decode).op('drop').br(toNext())
  begin() // STRADDLES
  code.get(slot).get(budget).call(runtime.prepare).call(runtime.imports.straddle).brIf(toLeave())
  code.i32(0).memory('i32Load', BUDGET).set(budget).i32(0).memory('i32Load', SLOT).set(slot).br(toNext())
  begin() // PAGE_END
  code
    .i32(0)
    .memory('i64Load', PC_BASE)
    .get(slot)
    .i32(3)
    .op('i32ShrU', 'i64ExtendI32U', 'i64Add')
    .set(target)
    .br(toJump())
  begin() // ENTRANCE
  code.i32(0).memory('i64Load', PC).set(target).br(toJump())
  const frame: Frame = {
    code,
    runtime,
    slot,
    budget: () => void code.get(budget),
    tlb: () => void code.get(tlb),
    lines: () => void code.get(lines),
    afterService: () => void code.i32(0).memory('i32Load', BUDGET).set(budget),
    trapped: depth => void code.br(toLeave() + depth),
    next(cost, depth) {
      stall(code, cost)
      code
        .get(budget)
        .i32(cost)
        .op('i32Sub')
        .tee(budget)
        .i32(0)
        .op('i32GtS')
        .brIf(toNext() + depth)
        .br(toSave() + depth)
    },
    jump(cost, depth) {
      code.set(target)
      stall(code, cost)
      code
        .get(budget)
        .i32(cost)
        .op('i32Sub')
        .tee(budget)
        .i32(0)
        .op('i32GtS')
        .brIf(toJump() + depth)
      code
        .i32(0)
        .get(target)
        .memory('i64Store', PC)
        .i32(0)
        .get(budget)
        .memory('i32Store', BUDGET)
        .br(toLeave() + depth)
    },
    resume() {
      throw new Error('a handler in the loop does not set PC')
    },
  }
  /** The first of a pair: falls through to the second. */
  const firstFrame: Frame = {
    ...frame,
    next(cost, depth) {
      stall(code, cost)
      code
        .get(budget)
        .i32(cost)
        .op('i32Sub')
        .tee(budget)
        .i32(0)
        .op('i32LeS')
        .brIf(toSave() + depth)
    },
  }
  const emit = (into: Frame, handler: Handler): void =>
    emitHandler(into, handler.effects, handler, costs.instruction(handler.instruction))
  for (const handler of HOT_HANDLERS) {
    begin()
    emit(frame, handler)
  }
  for (const { first, second } of PAIRS) {
    begin()
    emit(firstFrame, HOT_HANDLERS[first])
    emit(frame, HOT_HANDLERS[second])
  }
  if (toFunction() !== 0) throw new Error('the loop has as many blocks as handlers')
  code.end()
  code.i32(0).get(budget).memory('i32Store', BUDGET)
  code
    .get(slot)
    .get(slot)
    .memory('i32Load16U', RECORD.handler)
    .callIndirect(functionType)
    .tee(slot)
    .op('i32Eqz')
    .brIf(3)
  code.i32(0).memory('i32Load', TLB_BASE).set(tlb)
  code.i32(0).memory('i32Load', BUDGET).tee(budget).i32(0).op('i32GtS').brIf(1).br(2)
  code.end() // jump
  code
    .get(target)
    .op('i32WrapI64')
    .i32(INDEX_SHIFT)
    .op('i32ShrU')
    .i32(INDEX_MASK)
    .op('i32And')
    .get(tlb)
    .op('i32Add')
    .set(entry)
  code.get(target).i64(-4096n).op('i64And').get(entry).memory('i64Load', ARRAYS.fetch).op('i64Eq').if()
  code.get(entry).memory('i32Load', ARRAYS.fetch + ADDEND)
  code.get(target).op('i32WrapI64').i32(4094).op('i32And').i32(Math.log2(RECORD_SCALE)).op('i32Shl', 'i32Add').set(slot)
  code.else()
  code.i32(0).get(target).memory('i64Store', PC).i32(0).get(budget).memory('i32Store', BUDGET)
  code.call(runtime.imports.fetch).tee(slot).op('i32Eqz').brIf(3)
  code.i32(0).memory('i32Load', BUDGET).set(budget)
  code.end()
  code.i32(0).get(target).get(slot).i32(3).op('i32ShrU', 'i64ExtendI32U', 'i64Sub').memory('i64Store', PC_BASE)
  code.br(0)
  code.end() // next
  code.end() // save
  code.get(slot).get(budget).call(runtime.prepare)
  code.end() // leave
  return code
}
