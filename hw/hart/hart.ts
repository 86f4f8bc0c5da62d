/** A hardware thread: what executors leave to it, and what the run loop asks of it. */
import type { TimeSource } from '../board.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../bus/chip.ts'
import { FETCH, LOAD, STORE } from '../memory/access.ts'
import type { Memory } from '../memory/memory.ts'
import { Mmu, type MissPayer, type MmuState } from '../memory/mmu.ts'
import type { TlbListener } from '../memory/tlb.ts'
import { MEI, mhartid, MSI, MTI, SEI } from '../spec/csrs/machine.ts'
import type { Action, AmoOperation, FloatFormat, FloatOperation } from '../spec/isa/semantics.ts'
import type { Activity, Party } from '../spec/ledger.ts'
import { Ledger, type LedgerState } from '../time/ledger.ts'
import type { Prices } from '../time/prices.ts'
import { Accounts, type ModeParties } from './accounts.ts'
import { BREAKPOINT, ECALL_U, ILLEGAL } from './causes.ts'
import { Core } from './core.ts'
import { CsrFile, FLUSH, GUEST, LOOK, NOTHING } from './csr-file.ts'
import { csrException } from './csr-permission.ts'
import { CSR_RULES } from './csr-rules.ts'
import { Faults } from './faults.ts'
import { SoftFloat } from './float/soft-float.ts'
import { Interrupts } from './interrupts.ts'
import { MemoryAccess, type DeviceListener } from './memory-access.ts'
import {
  cacheBlockException, fenceException, guestAccessException, guestFenceException, invalidationFenceException, sretException, wfiException,
} from './permission.ts'
import type { PortHost } from './port/host.ts'
import { DONE, RELOAD, TRAPPED, type CacheBlockOperation, type CsrOperation, type Executor, type Outcome } from './services.ts'
import { FCSR, slot } from './slots.ts'
import {
  BUDGET, DEADLINE, FLOAT, MACHINE, MODE, OPERANDS, PC, RESERVATION, STALLS, SUPERVISOR, VALUE, VIRTUAL, WINDOW_BYTES,
} from './state.ts'
import { Timers } from './timers.ts'
import { Traps } from './traps.ts'

const MODE_WORD = MODE >> 2
const PC_WORD = PC >> 2
const VALUE_WORD = VALUE >> 2
const OPERANDS_WORD = OPERANDS >> 2
const OPERANDS_LONG = OPERANDS >> 3
const PAGE = 4096
const TWO_32 = 0x1_0000_0000
const ASIDS = 0xffff
const VMIDS = 0x3fff
const DYNAMIC_ROUNDING = 7
const LAST_ROUNDING = 4
/** Writes to xscratch, xepc, xcause and xtval do not flush Rocket's pipeline (CSR.scala, write_flush). */
const QUIET_FIRST = 0x340
const QUIET_LAST = 0x343
const ANY_LEVEL = 0x300
/** BUDGET is 32 bits. */
const LONGEST_TURN = 2 ** 30
/** A soft float operation's fflags; none raised. */
const NO_FLAGS = 0

/** What a hart needs of the machine around it. */
export interface HartSurroundings extends DeviceListener {
  readonly memory: Memory
  readonly bus: Bus
  readonly time: TimeSource
  readonly clock: Clock
  readonly prices: Prices
  readonly parties: ModeParties
  /** BUDGET has run out within an entry: see PortHost. */
  catchUp(): void
  /** Performs an `entry` instruction. */
  enter(hart: Hart, instruction: number): Outcome
  /** A guest has come to where measuring begins or ends. */
  mark(hart: number, mark: 'start' | 'end'): Outcome
}

export interface HartState {
  readonly window: Uint8Array
  readonly wires: number
  readonly timers: readonly number[]
  readonly accounts: readonly number[]
  readonly asleep: boolean
  readonly mmu: MmuState
  readonly ledger: LedgerState
}

export class Hart implements PortHost, TlbListener, MissPayer {
  readonly id: number
  readonly memory: Memory
  readonly ledger: Ledger
  readonly mmu: Mmu
  readonly interrupts: Interrupts
  readonly traps: Traps
  readonly accounts: Accounts
  /** In wfi: nothing retires until an enabled interrupt is pending. */
  asleep = false
  fetchedPage = 0
  fetchedHost = 0
  interleave: (() => void) | undefined
  readonly #surroundings: HartSurroundings
  readonly #core: Core
  readonly #words: Int32Array
  readonly #timers: Timers
  readonly #csrs: CsrFile
  readonly #faults: Faults
  readonly #access: MemoryAccess
  readonly #float = new SoftFloat()
  #executor: Executor | undefined
  readonly #window: Uint8Array
  /** What is in it while another hart's state is. */
  readonly #stored = new Uint8Array(WINDOW_BYTES)
  readonly #storedWords = new Int32Array(this.#stored.buffer)
  readonly #storedLongs = new BigInt64Array(this.#stored.buffer)
  readonly #storedDoubles = new Float64Array(this.#stored.buffer)
  #present = false

  constructor(id: number, surroundings: HartSurroundings) {
    const { memory, bus, time, clock, prices, parties } = surroundings
    this.id = id
    this.memory = memory
    this.#words = memory.words
    this.#window = memory.bytes.subarray(0, WINDOW_BYTES)
    this.#surroundings = surroundings
    this.ledger = new Ledger(parties.machine, 'running', 'computing')
    const core = new Core(id, memory, prices, this.ledger)
    this.#core = core
    this.#timers = new Timers(
      {
        high: at => (this.#present ? core.words : this.#storedWords)[at + 1]!,
        long: at => BigInt.asUintN(64, (this.#present ? core.longs : this.#storedLongs)[at >> 1]!),
      }, time, clock,
    )
    this.interrupts = new Interrupts(core.words, this.#timers)
    this.accounts = new Accounts(core, parties)
    this.mmu = new Mmu(memory, this, this)
    this.traps = new Traps(core, this.accounts, () => this.executor.flush())
    this.#csrs = new CsrFile(core, this.interrupts, this.#timers, this.mmu.pmp, time)
    this.#faults = new Faults(core, this.mmu, this.traps)
    this.#access = new MemoryAccess(core, this.mmu, this.#faults, bus, surroundings, () => this.executor)
  }

  get executor(): Executor {
    if (!this.#executor) throw new Error(`hart ${this.id} has no executor yet`)
    return this.#executor
  }

  set executor(executor: Executor) {
    this.#executor = executor
  }

  // ---- The run loop's side ----

  /** In M-mode at `pc`, everything else as the manual's reset says. The window must be this hart's. */
  reset(pc: number): void {
    const words = this.#words
    this.#present = true
    words.fill(0, 0, WINDOW_BYTES >> 2)
    this.#csrs.reset()
    words[slot(mhartid.name)] = this.id
    words[PC_WORD] = pc | 0
    words[PC_WORD + 1] = Math.floor(pc / TWO_32)
    words[MODE_WORD] = MACHINE
    words[RESERVATION >> 2] = -1
    this.#core.invalidate()
    this.#core.updateFloat()
    this.accounts.begin()
  }

  /** Puts this hart's state into the window, or takes it out. Others may have stored meanwhile: no reservation survives. */
  enterWindow(): void {
    this.memory.bytes.set(this.#stored, 0)
    this.#words[RESERVATION >> 2] = -1
    this.#present = true
    this.interrupts.words = this.#words
    this.mmu.pmp.reload()
    this.#core.invalidate()
  }

  leaveWindow(): void {
    this.#stored.set(this.#window)
    this.#present = false
    this.interrupts.words = this.#storedWords
  }

  get present(): boolean {
    return this.#present
  }

  /** The hart's own cycle. */
  now(): number {
    if (this.#present) return this.#core.now()
    return this.#storedDoubles[DEADLINE >> 3]! - this.#storedWords[BUDGET >> 2]!
  }

  /** Instructions retired since reset. */
  retired(): number {
    return this.now() - (this.#present ? this.#core.doubles : this.#storedDoubles)[STALLS >> 3]!
  }

  /** Runs until `cycle`, in the window. */
  setDeadline(cycle: number): void {
    const now = this.#core.now()
    const deadline = Math.min(cycle, now + LONGEST_TURN)
    this.#core.doubles[DEADLINE >> 3] = deadline
    this.#words[BUDGET >> 2] = deadline - now
  }

  /** Asleep until `cycle`: its clock goes there, and idle has the cycles. */
  sleepUntil(cycle: number): void {
    const now = this.now()
    if (cycle <= now) return
    const doubles = this.#present ? this.#core.doubles : this.#storedDoubles
    doubles[DEADLINE >> 3]! += cycle - now
    doubles[STALLS >> 3]! += cycle - now
    this.ledger.idle(now, cycle)
  }

  /** A wire of the interrupt controllers: MSI, MTI, MEI, or SEI's external part. */
  setWire(interrupt: typeof MSI | typeof MTI | typeof MEI | typeof SEI, level: boolean): void {
    const bit = 1 << interrupt
    if (level) this.interrupts.wires |= bit
    else this.interrupts.wires &= ~bit
  }

  takeInterrupt(): boolean {
    const code = this.interrupts.next()
    if (code < 0) return false
    this.traps.interrupt(code)
    return true
  }

  /** A comparator's event is due. */
  due(): void {
    this.#timers.update()
  }

  // ---- The executor's side ----

  fetch(): Outcome {
    const core = this.#core
    core.regimes()
    const words = this.#words
    return this.#fetchPage(words[PC_WORD]!, words[PC_WORD + 1]!, 0)
  }

  fetchSecondHalf(): Outcome {
    const words = this.#words
    const low = (words[PC_WORD]! + 2) | 0
    const high = low >= 0 && low < 2 ? (words[PC_WORD + 1]! + 1) | 0 : words[PC_WORD + 1]!
    const { fetchedPage, fetchedHost } = this
    this.#core.regimes()
    if (this.#fetchPage(low, high, 2) === TRAPPED) return TRAPPED
    words[VALUE_WORD] = this.memory.view.getUint16(this.fetchedHost + (low & 0xfff), true)
    words[VALUE_WORD + 1] = 0
    this.fetchedPage = fetchedPage
    this.fetchedHost = fetchedHost
    return DONE
  }

  load(bytes: number, signed: boolean): Outcome {
    return this.#access.load(bytes, signed)
  }

  store(bytes: number): Outcome {
    return this.#access.store(bytes)
  }

  amo(bytes: number, operation: AmoOperation): Outcome {
    return this.#access.amo(bytes, operation)
  }

  loadReserved(bytes: number): Outcome {
    return this.#access.loadReserved(bytes)
  }

  storeConditional(bytes: number): Outcome {
    return this.#access.storeConditional(bytes)
  }

  guestLoad(bytes: number, signed: boolean, executable: boolean): Outcome {
    const exception = guestAccessException(this.#words)
    if (exception !== 0) return this.#refuse(exception, this.#faults.instruction())
    this.#core.regimes()
    const outcome = this.#access.guestLoad(bytes, signed, executable)
    if (outcome !== TRAPPED) this.#core.stall(this.#core.prices.pipelineFlush)
    return outcome
  }

  guestStore(bytes: number): Outcome {
    const exception = guestAccessException(this.#words)
    if (exception !== 0) return this.#refuse(exception, this.#faults.instruction())
    this.#core.regimes()
    const outcome = this.#access.guestStore(bytes)
    if (outcome !== TRAPPED) this.#core.stall(this.#core.prices.pipelineFlush)
    return outcome
  }

  cacheBlock(operation: CacheBlockOperation): Outcome {
    const exception = cacheBlockException(this.#words, operation)
    if (exception !== 0) return this.#refuse(exception, this.#faults.instruction())
    return this.#access.cacheBlock(operation)
  }

  csr(number: number, operation: CsrOperation, reads: boolean, writes: boolean, instruction: number): Outcome {
    const rules = CSR_RULES[number]
    if (!rules) return this.illegal(instruction)
    const words = this.#words
    const exception = csrException(words, number, writes)
    if (exception !== 0) return this.#refuse(exception, instruction)
    const reached = (words[MODE_WORD]! & VIRTUAL) !== 0 ? rules.whenVirtual : number
    const csrs = this.#csrs
    if (reads || operation !== 'write') csrs.read(reached)
    const { low, high } = csrs
    const effect = writes ? csrs.write(reached, operation, words[OPERANDS_WORD]!, words[OPERANDS_WORD + 1]!) : NOTHING
    words[VALUE_WORD] = low
    words[VALUE_WORD + 1] = high
    if (!writes) return DONE
    const quiet = (number | ANY_LEVEL) >= QUIET_FIRST && (number | ANY_LEVEL) <= QUIET_LAST
    if (!quiet) this.#core.stall(this.#core.prices.pipelineFlush)
    if (effect === NOTHING) return DONE
    if ((effect & GUEST) !== 0) this.mmu.walker.guestCache.clear()
    if ((effect & FLUSH) !== 0) this.executor.flush()
    // What was voided, the executor knows; the run loop is needed only to take an interrupt.
    return (effect & LOOK) !== 0 && this.interrupts.next() >= 0 ? RELOAD : DONE
  }

  perform(action: Action, instruction: number): Outcome {
    switch (action) {
      case 'ecall': return this.#environmentCall()
      case 'ebreak': return this.#breakpoint()
      case 'illegal': return this.illegal(instruction)
      case 'mret':
        if (this.#words[MODE_WORD] !== MACHINE) return this.illegal(instruction)
        this.traps.returnFromMachine()
        return RELOAD
      case 'sret': return this.#supervisorReturn(instruction)
      case 'wfi': return this.#wait(instruction)
      case 'fence': return DONE
      case 'fence.i':
        this.executor.fenceI()
        return this.#flushed()
      case 'entry': return this.#surroundings.enter(this, instruction)
      case 'mark': return this.#surroundings.mark(this.id, this.#words[OPERANDS_WORD] === 0 ? 'start' : 'end')
      default: return this.#fence(action, instruction)
    }
  }

  float(operation: FloatOperation, format: FloatFormat, rm: number, instruction: number): Outcome {
    const words = this.#words
    const { longs } = this.memory
    const mode = rm === DYNAMIC_ROUNDING ? (words[FCSR]! >> 5) & 7 : rm
    if (mode > LAST_ROUNDING) return this.illegal(instruction)
    const float = this.#float
    longs[VALUE >> 3] = float.execute(
      operation, format, longs[OPERANDS_LONG]!, longs[OPERANDS_LONG + 1]!, longs[OPERANDS_LONG + 2]!, mode,
    )
    if (float.flags !== NO_FLAGS) {
      words[FCSR]! |= float.flags
      words[FLOAT >> 2] = 2
    }
    return DONE
  }

  illegal(instruction: number): typeof TRAPPED {
    return this.#refuse(ILLEGAL, instruction)
  }

  // ---- The port's side ----

  catchUp(): void {
    this.#surroundings.catchUp()
  }

  reach(address: number, bytes: number, forWriting: boolean): number {
    const core = this.#core
    core.regimes()
    const access = this.#access
    const offset = address % PAGE
    if (offset + bytes > PAGE) return -1
    if (!access.locate(core.data, forWriting ? STORE : LOAD, address | 0, Math.floor(address / TWO_32) | 0, bytes, 0)) return -2
    if (access.host < 0 || (forWriting && this.memory.watched.has(access.page))) return -1
    return access.host + offset
  }

  /** The flat model's caches always hit: nothing beyond the cycle to retire. */
  priceRun(): void {}

  account(party: Party, cause: string, activity: Activity): void {
    this.accounts.account(party, cause, activity)
  }

  /** Stalls for something that is not an instruction, charged to an activity of whoever runs. */
  charge(cycles: number, activity: Activity): void {
    this.#core.stall(cycles)
    this.ledger.charge(activity, cycles)
  }

  // ---- What the TLBs tell ----

  drop(virtualPage: number): void {
    this.executor.drop(virtualPage)
  }

  flush(): void {
    this.executor.flush()
  }

  missed(l2Hit: boolean, reads: number, cacheHits: number): void {
    const { prices } = this.#core
    const cycles = prices.replay + (l2Hit ? prices.l2TlbHit : 0) + reads * prices.pteRead + cacheHits * prices.pteCacheHit
    this.#core.stall(cycles)
    this.ledger.charge('walk', cycles)
  }

  save(): HartState {
    if (this.#present) this.#core.foldFloat()
    return {
      window: this.#present ? this.memory.bytes.slice(0, WINDOW_BYTES) : this.#stored.slice(),
      wires: this.interrupts.wires,
      timers: this.#timers.save(),
      accounts: this.accounts.save(),
      asleep: this.asleep,
      mmu: this.mmu.save(),
      ledger: this.ledger.save(),
    }
  }

  /** The window must not be this hart's. */
  restore(state: HartState): void {
    this.#stored.set(state.window)
    this.#present = false
    this.interrupts.words = this.#storedWords
    this.interrupts.wires = state.wires
    this.#timers.restore(state.timers)
    this.accounts.restore(state.accounts)
    this.asleep = state.asleep
    this.mmu.restore(state.mmu)
    this.ledger.restore(state.ledger)
    this.executor.flush()
  }

  #fetchPage(low: number, high: number, offset: number): Outcome {
    const core = this.#core
    const access = this.#access
    const { fetching } = core
    if (!access.locate(fetching, FETCH, low, high, 2, offset)) return TRAPPED
    if (access.host < 0) return this.#faults.access(fetching, FETCH, low, high)
    this.fetchedPage = access.page
    this.fetchedHost = access.host
    access.fill(fetching, FETCH, low, high)
    return DONE
  }

  #refuse(exception: number, instruction: number): typeof TRAPPED {
    this.traps.exception(exception, instruction | 0, 0, false)
    return TRAPPED
  }

  #environmentCall(): Outcome {
    const mode = this.#words[MODE_WORD]!
    // U and VU share a code; HS, VS and M have their own (H_cause_ecall).
    const privilege = mode & 3
    const code = ECALL_U + (privilege === SUPERVISOR && (mode & VIRTUAL) !== 0 ? 2 : privilege)
    this.traps.exception(code, 0, 0, false)
    return TRAPPED
  }

  #breakpoint(): Outcome {
    const words = this.#words
    this.traps.exception(BREAKPOINT, words[PC_WORD]!, words[PC_WORD + 1]!, (words[MODE_WORD]! & VIRTUAL) !== 0)
    return TRAPPED
  }

  #supervisorReturn(instruction: number): Outcome {
    const words = this.#words
    const exception = sretException(words)
    if (exception !== 0) return this.#refuse(exception, instruction)
    if ((words[MODE_WORD]! & VIRTUAL) !== 0) this.traps.returnFromVirtual()
    else this.traps.returnFromSupervisor()
    return RELOAD
  }

  #wait(instruction: number): Outcome {
    const exception = wfiException(this.#words)
    if (exception !== 0) return this.#refuse(exception, instruction)
    this.asleep = !this.interrupts.wakes()
    return this.#flushed()
  }

  #fence(action: Action, instruction: number): Outcome {
    const words = this.#words
    const exception = action === 'sfence.vma' || action === 'sinval.vma' ? fenceException(words)
      : action === 'sfence.w.inval' || action === 'sfence.inval.ir' ? invalidationFenceException(words)
        : guestFenceException(words, action === 'hfence.gvma' || action === 'hinval.gvma')
    if (exception !== 0) return this.#refuse(exception, instruction)
    const low = words[OPERANDS_WORD]!
    const high = words[OPERANDS_WORD + 1]!
    const one = ((instruction >>> 15) & 31) !== 0
    const ofGuest = action === 'hfence.gvma' || action === 'hinval.gvma'
    const space = ((instruction >>> 20) & 31) === 0 ? -1 : words[OPERANDS_WORD + 2]! & (ofGuest ? VMIDS : ASIDS)
    const { mmu } = this
    switch (action) {
      case 'sfence.vma':
      case 'sinval.vma':
        if ((words[MODE_WORD]! & VIRTUAL) !== 0) mmu.fenceVirtual(one, low, high, space)
        else mmu.fenceSupervisor(one, low, high, space)
        break
      case 'hfence.vvma':
      case 'hinval.vvma':
        mmu.fenceVirtual(one, low, high, space)
        break
      case 'hfence.gvma':
      case 'hinval.gvma':
        mmu.fenceGuest(space)
        break
    }
    return this.#flushed()
  }

  #flushed(): Outcome {
    this.#core.stall(this.#core.prices.pipelineFlush)
    return RELOAD
  }
}
