/**
 * What handlers call: imported services, and functions of the module for what WebAssembly has no instruction for.
 * All imports take and return i32; the index of an operation stands for its name.
 */
import type { CacheBlockOperation, CsrOperation } from '../hart/services.ts'
import { ADDRESS, BUDGET, PC, STALLS, VALUE } from '../hart/state.ts'
import type { LineTables } from '../memory/line-tables.ts'
import type { Action, AmoOperation, FloatOperation } from '../spec/isa/semantics.ts'
import { PC_BASE, SLOT, TLB_BASE } from './record.ts'
import { ADDEND, ARRAYS, INDEX_MASK, INDEX_SHIFT } from './soft-tlb.ts'
import { Code, type MemoryOpcode } from './wasm-code.ts'
import { I32, I64, type ModuleEncoder, type ValueType } from './wasm-encoder.ts'

export const ACTIONS: readonly Action[] = [
  'ecall',
  'ebreak',
  'mret',
  'sret',
  'wfi',
  'illegal',
  'fence',
  'fence.i',
  'sfence.vma',
  'sinval.vma',
  'sfence.w.inval',
  'sfence.inval.ir',
  'hfence.vvma',
  'hfence.gvma',
  'hinval.vvma',
  'hinval.gvma',
  'entry',
  'mark',
  'temporal-fence',
]
export const AMO_OPERATIONS: readonly AmoOperation[] = ['swap', 'add', 'xor', 'and', 'or', 'min', 'max', 'minu', 'maxu']
export const CSR_OPERATIONS: readonly CsrOperation[] = ['write', 'set', 'clear']
export const CACHE_BLOCK_OPERATIONS: readonly CacheBlockOperation[] = ['zero', 'clean', 'flush', 'inval']
export const FLOAT_OPERATIONS: readonly FloatOperation[] = [
  'add',
  'sub',
  'mul',
  'div',
  'sqrt',
  'fmadd',
  'fmsub',
  'fnmadd',
  'fnmsub',
  'min',
  'max',
  'eq',
  'lt',
  'le',
  'classify',
  'to-s',
  'to-d',
  'to-w',
  'to-wu',
  'to-l',
  'to-lu',
  'from-w',
  'from-wu',
  'from-l',
  'from-lu',
]

const MISALIGNED_LOADS: readonly (readonly [number, MemoryOpcode])[] = [
  [8, 'i64Load'],
  [-8, 'i64Load'],
  [4, 'i64Load32U'],
  [-4, 'i64Load32S'],
  [2, 'i64Load16U'],
  [-2, 'i64Load16S'],
]
const MISALIGNED_STORES: readonly (readonly [number, MemoryOpcode])[] = [
  [8, 'i64Store'],
  [4, 'i64Store32'],
  [2, 'i64Store16'],
]

/** The number that stands for a name in the calls of services. */
export function numberOf<T extends string>(names: readonly T[], name: T): number {
  const at = names.indexOf(name)
  if (at < 0) throw new Error(`${name} has no number in the interpreter's services`)
  return at
}

/** Imported functions, with how many i32 parameters each takes. Each returns 0, or 1 if a trap was taken. */
const SERVICES = {
  /** Bytes, negative if the result is sign-extended. */
  load: 1,
  store: 1,
  amo: 2,
  loadReserved: 1,
  storeConditional: 1,
  guestLoad: 3,
  guestStore: 1,
  cacheBlock: 1,
  csr: 4,
  perform: 1,
  float: 3,
  illegal: 0,
  /** Decodes the instruction at SLOT. */
  decode: 0,
  /** Fetches the second half of the instruction at SLOT, and sets SLOT and PC_BASE to where it was decoded to. */
  straddle: 0,
  /** Translates PC. Returns its record's address, or 0 if a trap was taken. */
  fetch: 0,
  /** Host offset, and 1 for a store: the data cache does not have the line as needed. */
  dataMissed: 2,
  /** Address of a record: the instruction cache may not have its line. */
  codeMissed: 1,
} as const
export type Service = keyof typeof SERVICES

export interface Runtime {
  readonly imports: Readonly<Record<Service, number>>
  /** (slot, budget): stores PC, SLOT and BUDGET before a service. */
  readonly prepare: number
  /** (slot, budget, address, bytes as for `load`) → outcome. */
  readonly slowLoad: number
  /** (slot, budget, address, value, bytes) → outcome. */
  readonly slowStore: number
  /** (budget, host, 1 for a store): stores BUDGET and fills a line. */
  readonly missData: number
  /** (budget, slot): likewise. */
  readonly missCode: number
  /** Of the cached model. */
  readonly lines: LineTables | undefined
  readonly mulh: Readonly<Record<'ss' | 'uu' | 'su', number>>
  readonly divide: Readonly<
    Record<'quotient' | 'remainder', Readonly<Record<'signed' | 'unsigned', Readonly<Record<32 | 64, number>>>>>
  >
}

/** Declares the imports and defines the functions. `misaligned` is what a misaligned access stalls; `lines` says where the caches' lines are looked up. */
export function addRuntime(module: ModuleEncoder, misaligned: number, lines: LineTables | undefined): Runtime {
  const imports: Partial<Record<Service, number>> = {}
  for (const [name, parameters] of Object.entries(SERVICES)) {
    imports[name as Service] = module.importFunction(
      name,
      module.type(
        Array.from({ length: parameters }, () => I32 as ValueType),
        [I32],
      ),
    )
  }
  const services = imports as Record<Service, number>
  const define = (
    parameters: readonly ValueType[],
    results: readonly ValueType[],
    body: (code: Code) => void,
  ): number => {
    const index = module.declare(module.type(parameters, results))
    const code = new Code(parameters.length)
    body(code)
    module.define(index, code)
    return index
  }
  const prepare = define([I32, I32], [], code => {
    code
      .i32(0)
      .i32(0)
      .memory('i64Load', PC_BASE)
      .get(0)
      .i32(3)
      .op('i32ShrU', 'i64ExtendI32U', 'i64Add')
      .memory('i64Store', PC)
    code.i32(0).get(0).memory('i32Store', SLOT)
    code.i32(0).get(1).memory('i32Store', BUDGET)
  })
  const mailbox = (code: Code, address: number, from: number): Code => code.i32(0).get(from).memory('i64Store', address)
  const slowLoad = define([I32, I32, I64, I32], [I32], code => {
    const size = code.local(I32)
    // Its absolute value: negative sizes are signed.
    code.get(3).get(3).i32(31).op('i32ShrS').tee(size).op('i32Xor').get(size).op('i32Sub').set(size)
    // In the cached model it may touch two lines: that is the hart's business.
    if (!lines)
      misalignedAccess(code, 'load', size, host => {
        for (const [bytes, opcode] of MISALIGNED_LOADS) {
          code.get(3).i32(bytes).op('i32Eq').if().i32(0).get(host).memory(opcode).memory('i64Store', VALUE).end()
        }
      })
    code.get(0).get(1).call(prepare)
    mailbox(code, ADDRESS, 2).get(3).call(services.load)
  })
  const slowStore = define([I32, I32, I64, I64, I32], [I32], code => {
    if (!lines)
      misalignedAccess(code, 'store', 4, host => {
        for (const [bytes, opcode] of MISALIGNED_STORES) {
          code.get(4).i32(bytes).op('i32Eq').if().get(host).get(3).memory(opcode).end()
        }
      })
    code.get(0).get(1).call(prepare)
    mailbox(code, ADDRESS, 2)
    mailbox(code, VALUE, 3).get(4).call(services.store)
  })
  /** In slowLoad and slowStore: does an access that fails the soft TLB's check only because it is misaligned, and returns. */
  function misalignedAccess(code: Code, access: 'load' | 'store', size: number, does: (host: number) => void): void {
    const [entry, low] = [code.local(I32), code.local(I32)]
    code.get(2).op('i32WrapI64').tee(low).i32(INDEX_SHIFT).op('i32ShrU').i32(INDEX_MASK).op('i32And')
    code.i32(0).memory('i32Load', TLB_BASE).op('i32Add').set(entry)
    code.get(2).i64(-4096n).op('i64And').get(entry).memory('i64Load', ARRAYS[access]).op('i64Eq')
    code.get(low).i32(4095).op('i32And').get(size).op('i32Add').i32(4096).op('i32LeU', 'i32And').if()
    code
      .get(low)
      .get(entry)
      .memory('i32Load', ARRAYS[access] + ADDEND)
      .op('i32Add')
      .set(low)
    does(low)
    code.i32(0).get(1).i32(misaligned).op('i32Sub').memory('i32Store', BUDGET)
    code.i32(0).i32(0).memory('f64Load', STALLS).f64(misaligned).op('f64Add').memory('f64Store', STALLS)
    code.i32(0).op('return').end()
  }
  const miss = (service: Service, parameters: number): number =>
    define(
      Array.from({ length: 1 + parameters }, () => I32 as ValueType),
      [],
      code => {
        code.i32(0).get(0).memory('i32Store', BUDGET)
        for (let at = 1; at <= parameters; at++) code.get(at)
        code.call(services[service]).op('drop')
      },
    )
  const missData = miss('dataMissed', SERVICES.dataMissed)
  const missCode = miss('codeMissed', SERVICES.codeMissed)
  const uu = define([I64, I64], [I64], highProduct)
  // A negative factor counts 2^64 too much as unsigned: subtract the other factor from the high half.
  const signedProduct = (both: boolean) => (code: Code) => {
    code.get(0).get(1).call(uu).get(0).i64(63n).op('i64ShrS').get(1).op('i64And', 'i64Sub')
    if (both) code.get(1).i64(63n).op('i64ShrS').get(0).op('i64And', 'i64Sub')
  }
  const mulh = {
    uu,
    su: define([I64, I64], [I64], signedProduct(false)),
    ss: define([I64, I64], [I64], signedProduct(true)),
  }
  const division = (result: 'quotient' | 'remainder', sign: 'signed' | 'unsigned') => {
    const wide = define([I64, I64], [I64], code => divide(code, result, sign))
    const narrow = define([I64, I64], [I64], code => {
      for (const operand of [0, 1]) {
        code.get(operand)
        if (sign === 'signed') code.op('i64Extend32S')
        else code.i64(0xffff_ffffn).op('i64And')
      }
      code.call(wide).op('i64Extend32S')
    })
    return { 32: narrow, 64: wide }
  }
  const signs = (result: 'quotient' | 'remainder') => ({
    signed: division(result, 'signed'),
    unsigned: division(result, 'unsigned'),
  })
  return {
    imports: services,
    prepare,
    slowLoad,
    slowStore,
    missData,
    missCode,
    lines,
    mulh,
    divide: { quotient: signs('quotient'), remainder: signs('remainder') },
  }
}

/** High half of the unsigned product, by 32-bit halves. */
function highProduct(code: Code): void {
  const [middle, carried] = [code.local(I64), code.local(I64)]
  const low = (local: number) => code.get(local).i64(0xffff_ffffn).op('i64And')
  const high = (local: number) => code.get(local).i64(32n).op('i64ShrU')
  low(0)
  low(1)
  code.op('i64Mul').i64(32n).op('i64ShrU')
  high(0)
  low(1)
  code.op('i64Mul', 'i64Add').set(middle)
  low(0)
  high(1)
  code.op('i64Mul')
  low(middle)
  code.op('i64Add').set(carried)
  high(0)
  high(1)
  code.op('i64Mul')
  high(middle)
  code.op('i64Add')
  high(carried)
  code.op('i64Add')
}

/** RISC-V division: by zero all ones and the dividend; the signed overflow wraps. */
function divide(code: Code, result: 'quotient' | 'remainder', sign: 'signed' | 'unsigned'): void {
  const quotient = result === 'quotient'
  code.get(1).op('i64Eqz').if()
  if (quotient) code.i64(-1n)
  else code.get(0)
  code.op('return').end()
  if (sign === 'signed' && quotient) code.get(1).i64(-1n).op('i64Eq').if().i64(0n).get(0).op('i64Sub', 'return').end()
  code.get(0).get(1)
  if (quotient) code.op(sign === 'signed' ? 'i64DivS' : 'i64DivU')
  else code.op(sign === 'signed' ? 'i64RemS' : 'i64RemU')
}
