/** The port of one hart: each operation is a RISC-V instruction, or a short run of them, on the hart beneath. */
import type { Csr } from '../../spec/csr.ts'
import type { PartMark } from '../../spec/isa/mark.ts'
import type { Activity, Party } from '../../spec/ledger.ts'
import type { Action, AmoOperation } from '../../spec/isa/semantics.ts'
import { TOO_BIG, type HartPort } from '../../port.ts'
import { TRAPPED, type CsrOperation, type Outcome } from '../services.ts'
import { ADDRESS, MODE, OPERANDS, PC, VALUE, X } from '../state.ts'
import { PAGE_BYTES } from '../../spec/address.ts'
import { CHUNK_BYTES, CHUNKS_OF_PAGE, copyChunk, fillChunk, fillPage, PAGE_CYCLES, SET_UP } from './bulk.ts'
import { Frame, type Invocation } from './frame.ts'
import type { PortHost } from './host.ts'
import { LOCK_BYTES, releaseLock, takeLock } from './lock.ts'
import { CALL, signedNumber } from './log.ts'

const TWO_32 = 0x1_0000_0000
/** High words from here on mean 2^53 or more. */
const HIGH_LIMIT = 0x20_0000

const SRET_WORD = 0x1020_0073
const FENCE_WORD = 0x0330_000f
const FENCE_I_WORD = 0x0000_100f
const FENCE_T_WORD = 0x0000_100b
/** Address in t4, ASID or VMID in t5; zero where all are meant. */
const SFENCE_VMA_WORD = 0x1200_0073
const HFENCE_VVMA_WORD = 0x2200_0073
const HFENCE_GVMA_WORD = 0x6200_0073
const T4 = 29
const T5 = 30

export class Port implements HartPort {
  readonly #host: PortHost
  readonly #frame: Frame
  readonly #words: Int32Array
  hart: number

  constructor(host: PortHost) {
    this.#host = host
    this.#frame = new Frame(host)
    this.#words = host.memory.words
    this.hart = host.id
  }

  /** Runs an entry, from its beginning or from where it was abandoned. The hart goes on at PC. */
  run(invocation: Invocation): Outcome {
    const frame = this.#frame
    this.hart = invocation.resumed?.hart ?? this.#host.id
    return frame.run(invocation, this)
  }

  load8(address: number): number {
    return this.#frame.enter(CALL.load8) ? this.#frame.result : this.#load(CALL.load8, address, 1)
  }

  load16(address: number): number {
    return this.#frame.enter(CALL.load16) ? this.#frame.result : this.#load(CALL.load16, address, 2)
  }

  load32(address: number): number {
    return this.#frame.enter(CALL.load32) ? this.#frame.result : this.#load(CALL.load32, address, 4)
  }

  load64(address: number): number {
    return this.#frame.enter(CALL.load64) ? this.#frame.result : this.#load(CALL.load64, address, 8)
  }

  load64Signed(address: number): number {
    const call = CALL.load64Signed
    return this.#frame.enter(call) ? this.#frame.result : this.#load(call, address, 8)
  }

  store8(address: number, value: number): void {
    if (!this.#frame.enter(CALL.store8)) this.#store(CALL.store8, address, 1, value)
  }

  store16(address: number, value: number): void {
    if (!this.#frame.enter(CALL.store16)) this.#store(CALL.store16, address, 2, value)
  }

  store32(address: number, value: number): void {
    if (!this.#frame.enter(CALL.store32)) this.#store(CALL.store32, address, 4, value)
  }

  store64(address: number, value: number): void {
    if (!this.#frame.enter(CALL.store64)) this.#store(CALL.store64, address, 8, value)
  }

  copy(to: number, from: number, bytes: number): void {
    for (let done = 0; done < bytes; ) {
      const room = CHUNK_BYTES - Math.max((to + done) % CHUNK_BYTES, (from + done) % CHUNK_BYTES)
      const chunk = Math.min(bytes - done, room)
      if (!this.#frame.enter(CALL.copy)) {
        this.#settleRun(CALL.copy, copyChunk(this.#host, to + done, from + done, chunk, done === 0))
      }
      done += chunk
    }
  }

  fill(to: number, byte: number, bytes: number): void {
    for (let done = 0; done < bytes; ) {
      const chunk = Math.min(bytes - done, CHUNK_BYTES - ((to + done) % CHUNK_BYTES))
      if (!this.#frame.enter(CALL.fill)) {
        if (
          (to + done) % PAGE_BYTES === 0 &&
          bytes - done >= PAGE_BYTES &&
          this.#fillPage(to + done, byte, done === 0)
        ) {
          done += PAGE_BYTES
          continue
        }
        this.#settleRun(CALL.fill, fillChunk(this.#host, to + done, byte, chunk, done === 0))
      }
      done += chunk
    }
  }

  swap32(address: number, value: number): number {
    return this.#frame.enter(CALL.swap32) ? this.#frame.result : this.#amo(CALL.swap32, 'swap', address, value)
  }

  add32(address: number, value: number): number {
    return this.#frame.enter(CALL.add32) ? this.#frame.result : this.#amo(CALL.add32, 'add', address, value)
  }

  and32(address: number, value: number): number {
    return this.#frame.enter(CALL.and32) ? this.#frame.result : this.#amo(CALL.and32, 'and', address, value)
  }

  or32(address: number, value: number): number {
    return this.#frame.enter(CALL.or32) ? this.#frame.result : this.#amo(CALL.or32, 'or', address, value)
  }

  /** lr.w, bne, sc.w, bnez: over again while the reservation is lost. */
  swap32If(address: number, expected: number, value: number): number {
    const frame = this.#frame
    if (frame.enter(CALL.swap32If)) return frame.result
    const host = this.#host
    for (;;) {
      this.#put(ADDRESS, address)
      if (host.loadReserved(4) === TRAPPED) frame.abandon(CALL.swap32If)
      const old = this.#words[VALUE >> 2] >>> 0
      if (old !== expected >>> 0) return frame.settle(CALL.swap32If, old, 2)
      this.#put(ADDRESS, address)
      this.#put(VALUE, value)
      if (host.storeConditional(4) === TRAPPED) frame.abandon(CALL.swap32If)
      if (this.#words[VALUE >> 2] === 0) return frame.settle(CALL.swap32If, old, 4)
      frame.spend(4)
    }
  }

  lock(address: number): boolean {
    const frame = this.#frame
    if (frame.enter(CALL.lock)) return frame.result !== 0
    const host = this.#host.reach(address, LOCK_BYTES, true)
    if (host === -2) frame.abandon(CALL.lock)
    const wait = takeLock(this.#host, host, address, frame.now())
    if (wait > 0) frame.waited(wait)
    return frame.settle(CALL.lock, wait < 0 ? 0 : 1, wait < 0 ? 2 : 4) !== 0
  }

  unlock(address: number): void {
    const frame = this.#frame
    if (frame.enter(CALL.unlock)) return
    const host = this.#host.reach(address, LOCK_BYTES, true)
    if (host === -2) frame.abandon(CALL.unlock)
    releaseLock(this.#host, host, address, frame.now())
    frame.settle(CALL.unlock, 0, 1)
  }

  guestLoad32(address: number): number {
    return this.#guest(CALL.guestLoad32, address, 4, false)
  }

  guestFetch16(address: number): number {
    return this.#guest(CALL.guestFetch16, address, 2, true)
  }

  read(csr: Csr): number {
    if (this.#frame.enter(CALL.read)) return this.#frame.result
    this.#csr(CALL.read, csr, 'set', 0, true)
    return this.#frame.settle(CALL.read, this.#taken(), 1)
  }

  readLow(csr: Csr): number {
    if (this.#frame.enter(CALL.readLow)) return this.#frame.result
    this.#csr(CALL.readLow, csr, 'set', 0, true)
    return this.#frame.settle(CALL.readLow, this.#words[VALUE >> 2] >>> 0, 1)
  }

  /** csrr and srli. */
  readHigh(csr: Csr): number {
    if (this.#frame.enter(CALL.readHigh)) return this.#frame.result
    this.#csr(CALL.readHigh, csr, 'set', 0, true)
    return this.#frame.settle(CALL.readHigh, this.#words[(VALUE >> 2) + 1] >>> 0, 2)
  }

  write(csr: Csr, value: number): void {
    if (this.#frame.enter(CALL.write)) return
    this.#csr(CALL.write, csr, 'write', value, false)
    this.#frame.settle(CALL.write, 0, 1)
  }

  set(csr: Csr, mask: number): void {
    if (this.#frame.enter(CALL.set)) return
    this.#csr(CALL.set, csr, 'set', mask, false)
    this.#frame.settle(CALL.set, 0, 1)
  }

  clear(csr: Csr, mask: number): void {
    if (this.#frame.enter(CALL.clear)) return
    this.#csr(CALL.clear, csr, 'clear', mask, false)
    this.#frame.settle(CALL.clear, 0, 1)
  }

  x(register: number): number {
    const frame = this.#frame
    if (frame.recall(CALL.x)) return frame.result
    ours(register)
    return frame.remember(CALL.x, this.#get(X + register * 8))
  }

  setX(register: number, value: number): void {
    const frame = this.#frame
    if (frame.recall(CALL.setX)) return
    ours(register)
    this.#put(X + register * 8, value)
    frame.remember(CALL.setX, 0)
  }

  fence(): void {
    this.#perform(CALL.fence, 'fence', FENCE_WORD)
  }

  fenceI(): void {
    this.#perform(CALL.fenceI, 'fence.i', FENCE_I_WORD)
  }

  fenceT(): void {
    this.#perform(CALL.fenceT, 'temporal-fence', FENCE_T_WORD)
  }

  sfenceVma(address?: number, asid?: number): void {
    this.#perform(CALL.sfenceVma, 'sfence.vma', SFENCE_VMA_WORD, address, asid)
  }

  hfenceVvma(address?: number, asid?: number): void {
    this.#perform(CALL.hfenceVvma, 'hfence.vvma', HFENCE_VVMA_WORD, address, asid)
  }

  hfenceGvma(address?: number, vmid?: number): void {
    this.#perform(CALL.hfenceGvma, 'hfence.gvma', HFENCE_GVMA_WORD, address, vmid)
  }

  jump(address: number): void {
    this.#frame.enter(CALL.end)
    this.#put(PC, address)
    this.#frame.end(1)
  }

  sret(): void {
    this.#frame.enter(CALL.end)
    if (this.#host.perform('sret', SRET_WORD) === TRAPPED) this.#frame.abandon(CALL.end)
    this.#frame.end(1)
  }

  ecall(next: number): void {
    this.#before(next)
  }

  wfi(next: number): void {
    this.#before(next)
  }

  account(party: Party, cause: string, activity: Activity): void {
    this.#frame.account(party, cause, activity)
  }

  mark(kind: PartMark, number: number): void {
    this.#frame.mark(kind, number)
  }

  /** Falls through to the instruction before `next`: it is real, and the hart runs it itself. */
  #before(next: number): void {
    this.#frame.enter(CALL.end)
    this.#put(PC, next - 4)
    this.#frame.end(0)
  }

  #load(call: number, address: number, bytes: number): number {
    const frame = this.#frame
    this.#put(ADDRESS, address)
    frame.atStub(call)
    const outcome = this.#host.load(bytes, false)
    if (outcome === TRAPPED) this.#trapped(call, address, 0)
    frame.attend(outcome)
    const signed = call === CALL.load64Signed
    return frame.settle(call, signed ? signedNumber(this.#words, VALUE >> 2) : this.#taken(), 1)
  }

  #store(call: number, address: number, bytes: number, value: number): void {
    const frame = this.#frame
    this.#put(ADDRESS, address)
    this.#put(VALUE, value)
    frame.atStub(call)
    const outcome = this.#host.store(bytes)
    if (outcome === TRAPPED) this.#trapped(call, address, value)
    frame.attend(outcome)
    frame.settle(call, 0, 1)
  }

  #amo(call: number, operation: AmoOperation, address: number, value: number): number {
    const frame = this.#frame
    this.#put(ADDRESS, address)
    this.#put(VALUE, value)
    frame.atStub(call)
    const outcome = this.#host.amo(4, operation)
    if (outcome === TRAPPED) this.#trapped(call, address, value)
    frame.attend(outcome)
    return frame.settle(call, this.#words[VALUE >> 2] >>> 0, 1)
  }

  /** A fault inside is fixed up: the hart's own trap handler would step over the instruction and return. */
  #guest(call: number, address: number, bytes: number, fetch: boolean): number {
    const frame = this.#frame
    if (frame.enter(call)) return frame.result
    const mode = this.#words[MODE >> 2]
    this.#put(ADDRESS, address)
    const outcome = this.#host.guestLoad(bytes, false, fetch)
    if (outcome !== TRAPPED) return frame.settle(call, this.#words[VALUE >> 2] >>> 0, 1)
    if (this.#words[MODE >> 2] !== mode || this.#host.perform('sret', SRET_WORD) === TRAPPED) frame.abandon(call)
    return frame.settle(call, -1, 1)
  }

  /** The instruction's register is t5, so that whoever emulates it finds the operand and leaves the result there. */
  #csr(call: number, csr: Csr, operation: CsrOperation, value: number, reads: boolean): void {
    this.#put(OPERANDS, value)
    const funct3 = operation === 'write' ? 1 : operation === 'set' ? 2 : 3
    const word = (csr.number << 20) | ((reads ? 0 : T5) << 15) | (funct3 << 12) | ((reads ? T5 : 0) << 7) | 0x73
    const outcome = this.#host.csr(csr.number, operation, reads, !reads, word)
    if (outcome === TRAPPED) this.#trapped(call, 0, value)
    this.#frame.attend(outcome)
  }

  #perform(call: number, action: Action, word: number, first?: number, second?: number): void {
    const frame = this.#frame
    if (frame.enter(call)) return
    this.#put(OPERANDS, first ?? 0)
    this.#put(OPERANDS + 8, second ?? 0)
    const registers = ((first === undefined ? 0 : T4) << 15) | ((second === undefined ? 0 : T5) << 20)
    const outcome = this.#host.perform(action, word | registers)
    if (outcome === TRAPPED) this.#trapped(call, first ?? 0, second ?? 0)
    frame.attend(outcome)
    frame.settle(call, 0, 1)
  }

  /** Chunk by chunk to whoever measures, all at once to the host. False if something could come between two of them. */
  #fillPage(to: number, byte: number, first: boolean): boolean {
    const frame = this.#frame
    if (!frame.isCalm(PAGE_CYCLES)) return false
    const instructions = fillPage(this.#host, to, byte)
    if (instructions === 0) return false
    if (instructions < 0) frame.abandon(CALL.fill)
    for (let chunk = 0; chunk < CHUNKS_OF_PAGE; chunk++) {
      frame.settle(CALL.fill, 0, instructions + (first && chunk === 0 ? SET_UP : 0))
    }
    this.#host.attribute('copy', CHUNKS_OF_PAGE * instructions + (first ? SET_UP : 0))
    return true
  }

  #settleRun(call: number, instructions: number): void {
    if (instructions < 0) this.#frame.abandon(call)
    this.#frame.settle(call, 0, instructions)
    this.#host.attribute('copy', instructions)
  }

  #trapped(call: number, first: number, second: number): never {
    this.#put(X + T4 * 8, first)
    this.#put(X + T5 * 8, second)
    this.#frame.abandon(call)
  }

  /** VALUE as a number. */
  #taken(): number {
    return this.#get(VALUE)
  }

  #get(at: number): number {
    const high = this.#words[(at >> 2) + 1] >>> 0
    return high >= HIGH_LIMIT ? TOO_BIG : high * TWO_32 + (this.#words[at >> 2] >>> 0)
  }

  #put(at: number, value: number): void {
    this.#words[at >> 2] = value | 0
    this.#words[(at >> 2) + 1] = Math.floor(value / TWO_32) | 0
  }
}

/** t4, t5 and t6 are the port's own; x0 is nobody's. */
function ours(register: number): void {
  if (register < 1 || register > 28)
    throw new RangeError(`x${register} is not software's: the port uses x29, x30 and x31`)
}
