/** A program as instruction words and constants, for the area of the vCPU that runs it (guest-runtime.ts). */
import { GUEST_MAP } from '../../hw/spec/guest-map.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { sepc, sie, sscratch, sstatus, stimecmp } from '../../hw/spec/csrs/supervisor.ts'
import { plic } from '../../hw/spec/devices/plic.ts'
import type { Program as Assembled } from '../../hw/spec/isa/assembler.ts'
import { areaOf, CODE_BYTES, FREE_REGISTERS, POOL, POOL_BYTES, STATE, STATE_PAGE } from './guest-runtime.ts'
import {
  add,
  addi,
  auipc,
  branch,
  csr,
  csrImmediate,
  ECALL,
  FENCE_I,
  jal,
  load,
  loadDouble,
  mul,
  NOP,
  SFENCE_VMA,
  SRET,
  store,
  T2,
  T3,
  T4,
  T5,
  T6,
  WFI,
} from './instruction-words.ts'
import { bitsOf, type Program, type Step, type Value } from './scenario.ts'

export interface ProgramImage {
  readonly code: Int32Array
  /** 64-bit constants, as pairs of words. */
  readonly pool: Int32Array
  /** Steps that found no room. */
  readonly left: number
}

const ZERO = 0
const A0 = 10
const A1 = 11
const A4 = 14
const A6 = 16
const A7 = 17
/** What a step's result register holds if nothing comes into it. */
const UNTOUCHED = 0x5a5
const SIE_BIT = 2
const SPP = 0x100
const STIE = 0x20
const SEIE = 0x200
/** The longest step that is not a repetition: with its constants it must fit. */
const ROOM_WORDS = 160
const FILLED = FREE_REGISTERS.length + 32
/** Repetitions within repetitions, at most. */
const DEPTH = 4

type Routine = 'log' | 'repair' | 'digest' | 'finish'

class Emitter {
  readonly words = new Int32Array(CODE_BYTES / 4)
  readonly pool = new Int32Array(POOL_BYTES / 4)
  length = 0
  constants = 0
  left = 0
  readonly #area: number
  readonly #vcpu: number
  readonly #symbols: Assembled['symbols']

  constructor(vcpu: number, symbols: Assembled['symbols']) {
    this.#area = areaOf(vcpu)
    this.#vcpu = vcpu
    this.#symbols = symbols
  }

  hasRoom(): boolean {
    return this.length + ROOM_WORDS < this.words.length && this.constants + 2 * ROOM_WORDS < this.pool.length
  }

  word(word: number): void {
    this.words[this.length++] = word
  }

  /** Where the next word will be. */
  get here(): number {
    return this.#area + this.length * 4
  }

  /** rd = an address near the code. */
  address(rd: number, address: number): void {
    const distance = address - this.here
    this.word(auipc(rd, (distance + 0x800) >> 12))
    this.word(addi(rd, rd, distance))
  }

  constant(value: bigint): number {
    const at = this.constants
    this.pool[at] = Number(BigInt.asIntN(32, value))
    this.pool[at + 1] = Number(BigInt.asIntN(32, value >> 32n))
    this.constants += 2
    return this.#area + POOL + at * 4
  }

  value(rd: number, value: Value): void {
    const bits = BigInt.asIntN(64, bitsOf(value))
    if (bits >= -2048n && bits < 2048n) return this.word(addi(rd, ZERO, Number(bits)))
    const distance = this.constant(bits) - this.here
    this.word(auipc(rd, (distance + 0x800) >> 12))
    this.word(load(8, true, rd, rd, distance))
  }

  /** Where the guest goes on after a trap: `size` words behind these three. */
  resumeAfter(size: number): void {
    this.word(auipc(T6, 0))
    this.word(addi(T6, T6, (size + 3) * 4))
    this.word(csr('write', ZERO, sscratch.number, T6))
  }

  /** One instruction that may trap. */
  attempt(word: number): void {
    this.resumeAfter(1)
    this.word(word)
  }

  routine(name: Routine): void {
    const target = this.#symbols.get(`${name}_${this.#vcpu}`)!
    this.word(jal(name === 'finish' ? ZERO : T6, target - this.here))
  }

  /** Base of the state page. */
  state(rd: number): void {
    this.address(rd, this.#area + STATE_PAGE)
  }

  get external(): number {
    return GUEST_MAP.plic.base + plic.claim.at + this.#vcpu * plic.claim.stride
  }

  get enable(): number {
    return GUEST_MAP.plic.base + plic.enable.at + this.#vcpu * plic.enable.stride
  }
}

/** Puts a program together. `symbols` are the runtime image's. */
export function assembleProgram(program: Program, vcpu: number, symbols: Assembled['symbols']): ProgramImage {
  const emitter = new Emitter(vcpu, symbols)
  for (const step of program) emit(emitter, step, 0)
  emitter.routine('finish')
  return {
    code: emitter.words.subarray(0, emitter.length),
    pool: emitter.pool.subarray(0, emitter.constants),
    left: emitter.left,
  }
}

function emit(e: Emitter, step: Step, depth: number): void {
  if (!e.hasRoom() || depth > DEPTH) {
    e.left++
    return
  }
  switch (step.op) {
    case 'call': {
      e.value(A7, step.extension)
      e.value(A6, step.function)
      step.arguments.slice(0, 6).forEach((argument, index) => e.value(A0 + index, argument))
      e.attempt(ECALL)
      return e.routine('log')
    }
    case 'load': {
      const { register = A0 } = step
      if (register !== ZERO) e.value(register, UNTOUCHED)
      e.value(A1, step.address)
      e.attempt(load(step.bytes, step.signed, register, A1, 0))
      if (register !== A0) e.word(add(A0, register, ZERO))
      return e.routine('log')
    }
    case 'store': {
      const { register = A0 } = step
      const base = register === A1 ? A0 : A1
      if (register !== ZERO) e.value(register, step.value)
      e.value(base, step.address)
      e.attempt(store(step.bytes, register, base, 0))
      return e.routine('log')
    }
    case 'copy':
      return copy(e, step.address, step.words)
    case 'read':
      e.value(A0, UNTOUCHED)
      e.value(A1, step.csr)
      e.attempt(csr('set', A0, step.csr, ZERO))
      return e.routine('log')
    case 'write':
    case 'set':
    case 'clear':
      e.value(A0, step.value)
      e.value(A1, step.csr)
      e.attempt(csr(step.op, ZERO, step.csr, A0))
      return e.routine('log')
    case 'word': {
      e.value(A0, UNTOUCHED)
      e.value(A1, step.a1)
      e.value(A4, step.a4)
      e.attempt(Number(BigInt.asIntN(32, bitsOf(step.word))))
      e.routine('repair')
      return e.routine('log')
    }
    case 'user': {
      e.value(A0, UNTOUCHED)
      e.value(A1, step.a1)
      e.value(A4, step.a4)
      inUserMode(e, Number(BigInt.asIntN(32, bitsOf(step.word))))
      e.routine('repair')
      return e.routine('log')
    }
    case 'fill':
      return fill(e, step.seed)
    case 'digest':
      return e.routine('digest')
    case 'wait':
      e.value(A0, step.ticks)
      e.word(csr('set', T3, time.number, ZERO))
      e.word(add(T3, T3, A0))
      e.word(csr('write', ZERO, stimecmp.number, T3))
      sleep(e, STIE)
      return e.routine('log')
    case 'listen':
      return listen(e, step.sources, step.ticks)
    case 'compute': {
      e.value(A0, 1)
      e.value(A1, 0x5851_f42d)
      e.value(T3, step.times)
      e.word(mul(A0, A0, A1))
      e.word(addi(A0, A0, 0x7ff))
      e.word(addi(T3, T3, -1))
      e.word(branch('different', T3, ZERO, -12))
      return e.routine('log')
    }
    case 'walk': {
      e.value(A0, 0)
      e.value(A1, step.address)
      e.value(T3, step.times)
      e.value(T4, step.stride)
      // A trap anywhere within goes on behind it.
      e.resumeAfter(4)
      e.word(step.write ? store(8, T3, A1, 0) : load(8, true, A0, A1, 0))
      e.word(add(A1, A1, T4))
      e.word(addi(T3, T3, -1))
      e.word(branch('different', T3, ZERO, -12))
      return e.routine('log')
    }
    case 'repeat':
      return repeat(e, step.times, step.steps, depth)
    case 'fence':
      e.attempt(SFENCE_VMA)
      return e.word(FENCE_I)
  }
}

/** sret to the instruction; if it does not trap itself, the ecall behind it leads back. */
function inUserMode(e: Emitter, word: number): void {
  const lead = [auipc(T6, 0), addi(T6, T6, 6 * 4), csr('write', ZERO, sepc.number, T6)]
  const leave = [addi(T5, ZERO, SPP), csr('clear', ZERO, sstatus.number, T5), SRET]
  const all = [...lead, ...leave, word, ECALL]
  e.resumeAfter(all.length)
  for (const each of all) e.word(each)
}

function copy(e: Emitter, address: Value, words: readonly Value[]): void {
  const most = words.slice(0, 60)
  const first = e.here
  e.value(A0, first)
  e.value(A1, address)
  if (most.length > 0) {
    const pool = most.map(word => e.constant(bitsOf(word)))[0]
    e.address(T5, pool)
    e.resumeAfter(most.length * 2)
    // The handler changes t5 and t6 only if it is called, and then the copy is over.
    most.forEach((_, index) => {
      e.word(load(8, true, T4, T5, index * 8))
      e.word(store(8, T4, A1, index * 8))
    })
  }
  e.routine('log')
}

function fill(e: Emitter, seed: number): void {
  let state = BigInt.asUintN(64, BigInt(Math.floor(seed)) * 0x9e37_79b9_7f4a_7c15n + 0x1234_5678_9abc_def1n)
  const pool = Array.from({ length: FILLED }, () => {
    state = BigInt.asUintN(64, state ^ (state << 13n))
    state ^= state >> 7n
    state = BigInt.asUintN(64, state ^ (state << 17n))
    return e.constant(state)
  })[0]
  e.address(T5, pool)
  FREE_REGISTERS.forEach((register, index) => e.word(load(8, true, register, T5, index * 8)))
  for (let register = 0; register < 32; register++) {
    e.word(loadDouble(register, T5, (FREE_REGISTERS.length + register) * 8))
  }
}

/** Waits in wfi for one of the interrupts in `mask` to have been taken. */
function sleep(e: Emitter, mask: number): void {
  e.state(T5)
  e.word(load(8, true, T4, T5, STATE.interrupts))
  e.value(T3, mask)
  e.word(csr('write', ZERO, sie.number, T3))
  // One that came before is pending: with interrupts off, wfi does not miss it.
  e.word(WFI)
  e.word(csrImmediate('set', sstatus.number, SIE_BIT))
  e.word(csrImmediate('clear', sstatus.number, SIE_BIT))
  // The interrupt's handler has changed t5 and t6 and turned sie off.
  e.state(T5)
  e.word(load(8, true, T2, T5, STATE.interrupts))
  e.word(branch('equal', T2, T4, -24))
  e.word(csr('write', ZERO, sie.number, ZERO))
  e.value(T3, -1)
  e.word(csr('write', ZERO, stimecmp.number, T3))
}

function listen(e: Emitter, sources: number, ticks: number): void {
  for (let source = 1; source < 32; source++) {
    if (((sources >>> source) & 1) === 0) continue
    e.value(A0, 1)
    e.value(A1, GUEST_MAP.plic.base + source * 4)
    e.attempt(store(4, A0, A1, 0))
  }
  e.value(A0, sources & ~1)
  e.value(A1, e.enable)
  e.attempt(store(4, A0, A1, 0))
  e.value(A0, ticks)
  e.word(csr('set', T3, time.number, ZERO))
  e.word(add(T3, T3, A0))
  e.word(csr('write', ZERO, stimecmp.number, T3))
  sleep(e, STIE | SEIE)
  e.value(A0, 0)
  e.value(A1, e.external)
  e.attempt(load(4, false, A0, A1, 0))
  e.routine('log')
  e.attempt(store(4, A0, A1, 0))
}

function repeat(e: Emitter, times: number, steps: readonly Step[], depth: number): void {
  const counter = STATE.counters + depth * 8
  e.state(T5)
  e.value(T4, Math.max(1, times))
  e.word(store(8, T4, T5, counter))
  const start = e.length
  for (const step of steps) emit(e, step, depth + 1)
  e.state(T5)
  e.word(load(8, true, T4, T5, counter))
  e.word(addi(T4, T4, -1))
  e.word(store(8, T4, T5, counter))
  e.word(branch('equal', T4, ZERO, 8))
  e.word(jal(ZERO, (start - e.length) * 4))
  e.word(NOP)
}
