/** A hardware thread: what executors leave to it, and what the run loop asks of it. */
import type { TimeSource } from '../board.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../bus/chip.ts'
import { FETCH, LOAD, STORE } from '../memory/access.ts'
import type { Hierarchy } from '../memory/hierarchy.ts'
import type { Memory } from '../memory/memory.ts'
import { Mmu, type MissPayer, type MmuState } from '../memory/mmu.ts'
import type { TlbListener } from '../memory/tlb.ts'
import { MEI, mhartid, MSI, MTI, SEI } from '../spec/csrs/machine.ts'
import { type MarkKind, MARKS, type PartMark } from '../spec/isa/mark.ts'
import type { Action, AmoOperation, FloatFormat, FloatOperation } from '../spec/isa/semantics.ts'
import type { Activity, Party } from '../spec/ledger.ts'
import { Ledger, type LedgerState } from '../time/ledger.ts'
import type { Prices } from '../time/prices.ts'
import { AiaCsrs } from './aia.ts'
import { Accounts, type ModeParties } from './accounts.ts'
import { Actions } from './actions.ts'
import { Core } from './core.ts'
import { CsrFile, FLUSH, GUEST, LOOK, NOTHING } from './csr-file.ts'
import { csrException } from './csr-permission.ts'
import { CSR_RULES } from './csr-rules.ts'
import { Faults } from './faults.ts'
import { SoftFloat } from './float/soft-float.ts'
import type { InterruptFiles } from './interrupt-files.ts'
import { INJECTED, Interrupts } from './interrupts.ts'
import { MemoryAccess, type DeviceListener } from './memory-access.ts'
import { cacheBlockException, guestAccessException } from './permission.ts'
import { HartCaches } from './caches.ts'
import type { PortHost } from './port/host.ts'
import {
  DONE,
  RELOAD,
  TRAPPED,
  type CacheBlockOperation,
  type CsrOperation,
  type Executor,
  type Outcome,
} from './services.ts'
import { FCSR, HTIMEDELTA, slot } from './slots.ts'
import { FLOAT, MACHINE, MODE, OPERANDS, PC, RESERVATION, USER, VALUE, VIRTUAL, WINDOW_BYTES } from './state.ts'
import { Timers } from './timers.ts'
import { Traps } from './traps.ts'
import { HartWindow } from './window.ts'

const MODE_WORD = MODE >> 2
const PC_WORD = PC >> 2
const VALUE_WORD = VALUE >> 2
const OPERANDS_WORD = OPERANDS >> 2
const OPERANDS_LONG = OPERANDS >> 3
const PAGE = 4096
const TWO_32 = 0x1_0000_0000
const DYNAMIC_ROUNDING = 7
const LAST_ROUNDING = 4
/** Writes to xscratch, xepc, xcause and xtval do not flush Rocket's pipeline (CSR.scala, write_flush). */
const QUIET_FIRST = 0x340
const QUIET_LAST = 0x343
const ANY_LEVEL = 0x300
/** A soft float operation's fflags; none raised. */
const NO_FLAGS = 0

/** What a hart needs of the machine around it. */
export interface HartSurroundings extends DeviceListener {
  /** The hart has fence.t. */
  readonly temporalFence: boolean
  readonly memory: Memory
  readonly bus: Bus
  readonly time: TimeSource
  readonly clock: Clock
  readonly prices: Prices
  /** On a board with the Advanced Interrupt Architecture; its IMSIC, if it has one. */
  readonly aia: { readonly files: InterruptFiles | undefined } | undefined
  /** In the cached model. */
  readonly hierarchy: Hierarchy | undefined
  /** Scale of counted path lengths. */
  readonly pathLength: number
  readonly parties: ModeParties
  /** BUDGET has run out within an entry: see PortHost. */
  catchUp(): void
  /** Performs an `entry` instruction. */
  enter(hart: Hart, instruction: number): Outcome
  /** A guest has come to where measuring begins or ends: `value` is the part's number, or the cycle at which it is due. */
  mark(hart: number, kind: MarkKind, value: number): Outcome
  /** The same by software in the midst of an entry, where nothing stops. */
  marked(hart: number, kind: PartMark, number: number): void
}

export interface HartState {
  readonly window: Uint8Array
  readonly wires: number
  readonly guestFiles: number
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
  fetchedPage = 0
  fetchedHost = 0
  readonly prices: Prices
  readonly pathLength: number
  readonly caches: HartCaches | undefined
  interleave: (() => void) | undefined
  readonly #surroundings: HartSurroundings
  readonly #core: Core
  readonly #words: Int32Array
  readonly #timers: Timers
  readonly #csrs: CsrFile
  readonly #aia: AiaCsrs | undefined
  readonly #faults: Faults
  readonly #access: MemoryAccess
  readonly #float = new SoftFloat()
  #executor: Executor | undefined
  readonly #window: HartWindow
  readonly #actions: Actions

  constructor(id: number, surroundings: HartSurroundings) {
    const { memory, bus, time, clock, prices, pathLength, parties } = surroundings
    this.id = id
    this.prices = prices
    this.pathLength = pathLength
    this.memory = memory
    this.#words = memory.words
    const window = new HartWindow(memory)
    this.#window = window
    this.#surroundings = surroundings
    this.ledger = new Ledger(parties.machine, 'running', 'computing')
    const core = new Core(id, memory, prices, this.ledger)
    this.#core = core
    const { hierarchy } = surroundings
    this.caches = hierarchy && memory.lines ? new HartCaches(core, hierarchy, memory.lines) : undefined
    this.#timers = new Timers(
      { high: at => window.words[at + 1], long: at => BigInt.asUintN(64, window.longs[at >> 1]) },
      time,
      clock,
    )
    this.interrupts = new Interrupts(window, this.#timers)
    this.accounts = new Accounts(core, parties)
    this.mmu = new Mmu(memory, this, this, prices.translation)
    const { caches } = this
    if (caches) this.mmu.walker.onAccess = (host, write) => caches.data(host, 8, write, 'walk')
    this.traps = new Traps(core, this.accounts, () => this.executor.flush())
    this.#csrs = new CsrFile(core, this.interrupts, this.#timers, this.mmu.pmp, time)
    const { aia } = surroundings
    this.#aia = aia && new AiaCsrs(memory.words, this.interrupts, aia.files)
    this.#csrs.aia = this.#aia
    this.interrupts.files = aia?.files
    this.#faults = new Faults(core, this.mmu, this.traps)
    this.#actions = new Actions(core, this.mmu, this.traps, this.interrupts)
    this.#access = new MemoryAccess(core, this.mmu, this.#faults, bus, surroundings, () => this.executor, caches)
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
    this.#window.claim()
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

  /** Puts this hart's state into linear memory, and takes it out again. */
  enterWindow(): void {
    this.#window.enter()
    this.mmu.pmp.reload()
    this.#core.invalidate()
  }

  leaveWindow(): void {
    this.#core.foldFloat()
    this.#window.leave()
  }

  get present(): boolean {
    return this.#window.present
  }

  /** In wfi: nothing retires until an enabled interrupt is pending. */
  get asleep(): boolean {
    return this.#actions.asleep
  }

  set asleep(asleep: boolean) {
    this.#actions.asleep = asleep
  }

  /** The hart's own cycle. */
  now(): number {
    return this.#window.now()
  }

  /** Instructions retired since reset. */
  retired(): number {
    return this.#window.retired()
  }

  /** Runs until `cycle`, in the window. */
  setDeadline(cycle: number): void {
    this.#window.setDeadline(cycle)
  }

  /** Asleep until `cycle`: its clock goes there, and idle has the cycles. */
  sleepUntil(cycle: number): void {
    const now = this.now()
    if (cycle <= now) return
    this.#window.skip(cycle - now)
    this.ledger.idle(now, cycle)
  }

  /** A wire of the interrupt controllers: MSI, MTI, MEI, or SEI's external part. */
  setWire(interrupt: typeof MSI | typeof MTI | typeof MEI | typeof SEI, level: boolean): void {
    const bit = 1 << interrupt
    if (level) this.interrupts.wires |= bit
    else this.interrupts.wires &= ~bit
  }

  /** The wire of a guest interrupt file: a bit of hgeip. */
  setGuestWire(file: number, level: boolean): void {
    if (level) this.interrupts.guestFiles |= 1 << file
    else this.interrupts.guestFiles &= ~(1 << file)
  }

  takeInterrupt(): boolean {
    const code = this.interrupts.next()
    if (code < 0) return false
    if (code >= INJECTED) this.traps.inject(code - INJECTED)
    else this.traps.interrupt(code)
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
    if (this.#fetchPage(words[PC_WORD], words[PC_WORD + 1], 0) === TRAPPED) return TRAPPED
    this.caches?.code(this.fetchedHost + (words[PC_WORD] & 0xfff))
    return DONE
  }

  fetchSecondHalf(): Outcome {
    const words = this.#words
    const low = (words[PC_WORD] + 2) | 0
    const high = low >= 0 && low < 2 ? (words[PC_WORD + 1] + 1) | 0 : words[PC_WORD + 1]
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
    if (exception !== 0) return this.traps.refuse(exception, this.#faults.instruction())
    this.#core.regimes()
    const outcome = this.#access.guestLoad(bytes, signed, executable)
    if (outcome !== TRAPPED) this.#core.stall(this.#core.prices.pipelineFlush)
    return outcome
  }

  guestStore(bytes: number): Outcome {
    const exception = guestAccessException(this.#words)
    if (exception !== 0) return this.traps.refuse(exception, this.#faults.instruction())
    this.#core.regimes()
    const outcome = this.#access.guestStore(bytes)
    if (outcome !== TRAPPED) this.#core.stall(this.#core.prices.pipelineFlush)
    return outcome
  }

  cacheBlock(operation: CacheBlockOperation): Outcome {
    const exception = cacheBlockException(this.#words, operation)
    if (exception !== 0) return this.traps.refuse(exception, this.#faults.instruction())
    return this.#access.cacheBlock(operation)
  }

  csr(number: number, operation: CsrOperation, reads: boolean, writes: boolean, instruction: number): Outcome {
    const rules = CSR_RULES[number]
    if (!rules) return this.illegal(instruction)
    const words = this.#words
    const exception = csrException(words, number, writes)
    if (exception !== 0) return this.traps.refuse(exception, instruction)
    const reached = (words[MODE_WORD] & VIRTUAL) !== 0 ? rules.whenVirtual : number
    if (this.#aia) {
      const refused = this.#aia.exception(number, reached, writes)
      if (refused !== 0) return this.traps.refuse(refused, instruction)
    } else if (rules.needsAia) return this.illegal(instruction)
    const csrs = this.#csrs
    if (reads || operation !== 'write') csrs.read(reached)
    const { low, high } = csrs
    const effect = writes ? csrs.write(reached, operation, words[OPERANDS_WORD], words[OPERANDS_WORD + 1]) : NOTHING
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
      case 'illegal':
        return this.illegal(instruction)
      case 'fence.i':
        this.executor.fenceI()
        this.caches?.fence()
        return this.#actions.flushed()
      case 'temporal-fence':
        return this.#forget(instruction)
      case 'entry':
        return this.#surroundings.enter(this, instruction)
      case 'mark':
        return this.#mark(MARKS[this.#words[OPERANDS_WORD]])
      default:
        return this.#actions.perform(action, instruction)
    }
  }

  /** fence.t: for M and HS, on boards that have it. */
  #forget(instruction: number): Outcome {
    const mode = this.#words[MODE_WORD]
    if (!this.#surroundings.temporalFence || (mode & VIRTUAL) !== 0 || (mode & 3) === USER)
      return this.illegal(instruction)
    this.executor.fenceI()
    this.caches?.forget()
    this.mmu.forget()
    return this.#actions.flushed()
  }

  #mark(kind: MarkKind): Outcome {
    const words = this.#words
    const value = BigInt.asUintN(64, this.memory.longs[(OPERANDS_WORD + 2) >> 1])
    if (kind !== 'due') return this.#surroundings.mark(this.id, kind, Number(value))
    const delta = (words[MODE_WORD] & VIRTUAL) !== 0 ? BigInt.asUintN(64, this.memory.longs[HTIMEDELTA >> 1]) : 0n
    return this.#surroundings.mark(this.id, kind, this.#surroundings.time.cycleOf(BigInt.asUintN(64, value - delta)))
  }

  float(operation: FloatOperation, format: FloatFormat, rm: number, instruction: number): Outcome {
    const words = this.#words
    const { longs } = this.memory
    const mode = rm === DYNAMIC_ROUNDING ? (words[FCSR] >> 5) & 7 : rm
    if (mode > LAST_ROUNDING) return this.illegal(instruction)
    const float = this.#float
    longs[VALUE >> 3] = float.execute(
      operation,
      format,
      longs[OPERANDS_LONG],
      longs[OPERANDS_LONG + 1],
      longs[OPERANDS_LONG + 2],
      mode,
    )
    if (float.flags !== NO_FLAGS) {
      words[FCSR] |= float.flags
      words[FLOAT >> 2] = 2
    }
    return DONE
  }

  illegal(instruction: number): typeof TRAPPED {
    return this.traps.illegal(instruction)
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
    if (!access.locate(core.data, forWriting ? STORE : LOAD, address | 0, Math.floor(address / TWO_32) | 0, bytes, 0))
      return -2
    if (access.host < 0 || (forWriting && this.memory.watched.has(access.page))) return -1
    return access.host + offset
  }

  priceRun(host: number, bytes: number, forWriting: boolean, activity?: Activity): void {
    if (bytes > 0) this.caches?.data(host, bytes, forWriting, activity)
  }

  account(party: Party, cause: string, activity: Activity): void {
    this.accounts.account(party, cause, activity)
  }

  mark(kind: PartMark, number: number): void {
    this.#surroundings.marked(this.id, kind, number)
  }

  attribute(activity: Activity, cycles: number): void {
    this.ledger.charge(activity, cycles)
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
    const cycles =
      prices.replay + (l2Hit ? prices.l2TlbHit : 0) + reads * prices.pteRead + cacheHits * prices.pteCacheHit
    this.#core.stall(cycles)
    this.ledger.charge('walk', cycles)
  }

  /** A copy of the window, with what executors noted of the FPU folded in. */
  windowBytes(): Uint8Array {
    if (this.present) this.#core.foldFloat()
    return this.#window.save()
  }

  save(): HartState {
    return {
      window: this.windowBytes(),
      wires: this.interrupts.wires,
      guestFiles: this.interrupts.guestFiles,
      timers: this.#timers.save(),
      accounts: this.accounts.save(),
      asleep: this.asleep,
      mmu: this.mmu.save(),
      ledger: this.ledger.save(),
    }
  }

  /** The window must not be this hart's. */
  restore(state: HartState): void {
    this.#window.restore(state.window)
    this.interrupts.wires = state.wires
    this.interrupts.guestFiles = state.guestFiles
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
}
