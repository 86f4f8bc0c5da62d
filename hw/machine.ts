/**
 * The machine: a board's harts and chips, and the loop that runs them. Harts take turns in fixed slices, none of them
 * past the next event; one that is alone awake runs on to the next event. What a hart does to another's interrupt
 * wires reaches it by an event, so it happens at its cycle whoever ran first.
 */
import type { Board, HartLines, TimeSource } from './board.ts'
import { Bus, type BusWindow } from './bus/bus.ts'
import type { Line, Plain, Saved, Timed } from './bus/chip.ts'
import { BARE_PARTIES, type ModeParties } from './hart/accounts.ts'
import { Hart } from './hart/hart.ts'
import type { InterruptFiles } from './hart/interrupt-files.ts'
import { DONE, RELOAD, type Executor, type HartServices, type Outcome } from './hart/services.ts'
import { SoftwareRegistry } from './hart/software.ts'
import { CSR, F, MODE, PC, RESERVATION } from './hart/state.ts'
import { type CacheCounts, Hierarchy } from './memory/hierarchy.ts'
import { Memory } from './memory/memory.ts'
import type { MmuCounts } from './memory/mmu.ts'
import { MEI, MSI, MTI, SEI } from './spec/csrs/machine.ts'
import { clint } from './spec/devices/clint.ts'
import type { MarkKind, PartMark } from './spec/isa/mark.ts'
import { type Checkpoint, notePages, putBackPages } from './checkpoint.ts'
import { restorePages, savePages, type MachineState } from './machine-state.ts'
import { EventQueue } from './time/events.ts'
import type { LedgerRow } from './time/ledger.ts'
import { rocketFlat, type Prices } from './time/prices.ts'
import { TraceHash } from './time/trace-hash.ts'

export type ExecutorFactory = (memory: Memory, hart: HartServices, index: number, prices: Prices) => Executor

export interface MachineOptions {
  readonly executor: ExecutorFactory
  /** Who owns each mode: see ModeParties. Firmware and a bare guest, unless given. */
  readonly parties?: ModeParties
  readonly prices?: Prices
  /** Cycles of a turn while several harts are awake. */
  readonly slice?: number
  /** The order in which harts take their turns: by number unless given. */
  readonly turns?: readonly number[]
  /** Scale of the path length that TypeScript software is counted to have: 1 unless given. */
  readonly pathLength?: number
}

export interface RunOptions {
  /**
   * Stops at the first instruction boundary at or after this cycle; while several harts are awake, at the end of the
   * turn that comes to it. So where one stops does not change what happens.
   */
  readonly untilCycle?: number
  /** Stops when hart 0 has retired this many more instructions; exactly then, if it is the only one awake. */
  readonly maxInstructions?: number
  /** Stops at marks (hw/spec/isa/mark.ts). */
  readonly marks?: boolean
  /** Asked at each turn's end. */
  readonly until?: () => boolean
  /** Cycles of a turn while several harts are awake, during this run: the machine's own unless given. */
  readonly slice?: number
}

/**
 * Why `run` returned. `idle`: every hart sleeps and no event will ever wake one. `stopped`: a chip ended the run. `mark`:
 * a hart has come to a mark, and every hart to that time.
 */
export type StopReason =
  | { readonly kind: 'cycle' | 'instructions' | 'until' | 'idle' }
  | { readonly kind: 'stopped'; readonly reason: string; readonly code: number }
  | { readonly kind: 'mark'; readonly hart: number; readonly mark: MarkKind }

/** Told of every mark: its number (0 for those that have none), and when. What was due is told when it is. */
export type MarkListener = (hart: number, mark: MarkKind, number: number, cycle: number) => void

/** Told of every trap: hart, mode before it, its code (negative for interrupts), and the cycle. */
export type TrapListener = (hart: number, from: number, code: number, cycle: number) => void

/** Told of every return from a trap: hart, mode before it, and the cycle. */
export type ReturnListener = (hart: number, from: number, cycle: number) => void

type Wire = typeof MSI | typeof MTI | typeof MEI | typeof SEI

const SLICE = 2_000
const WIRES = 'wires'
const DUE_MARKS = 'marks'
/** In words: what of a window is architectural, and alike in every executor. */
const REGISTERS_END = F + 32 * 8

export class Machine {
  readonly board: Board
  readonly memory: Memory
  readonly bus = new Bus()
  readonly harts: readonly Hart[]
  readonly events: EventQueue
  readonly software = new SoftwareRegistry()
  readonly time: TimeSource
  readonly #hierarchy: Hierarchy | undefined
  readonly #slice: number
  readonly #turns: readonly Hart[]
  readonly #chips = new Map<string, Partial<Timed & Saved>>()
  readonly #hash = new TraceHash()
  readonly #trapListeners: TrapListener[] = []
  readonly #markListeners: MarkListener[] = []
  /** The hart in the window, and whether it is executing; the event being delivered has its own time. */
  #inside = 0
  #running = false
  #nested = false
  #time = 0
  #end = 0
  #stopped: StopReason | undefined
  #marks = false

  constructor(board: Board, options: MachineOptions) {
    this.board = board
    this.#slice = options.slice ?? SLICE
    const prices = options.prices ?? rocketFlat
    this.memory = new Memory(board.regions, board.harts, prices.caches?.data.lineBytes)
    if (prices.caches && prices.memory) {
      this.#hierarchy = new Hierarchy(this.memory, board.harts, prices.caches, prices.memory)
      this.#hierarchy.onCodeGone = (hart, host) => this.harts[hart].executor.lineGone?.(host)
    }
    this.events = new EventQueue(
      board.frequency,
      board.cyclesPerTick,
      () => this.now(),
      due => this.#shorten(due),
    )
    const numbers = Array.from({ length: board.harts }, (_, id) => id)
    this.events.enroll(WIRES, { due: (kind, payload) => this.#wireEvent(kind, payload) })
    this.events.enroll(DUE_MARKS, { due: (_, hart) => this.#marked(Number(hart), 'due', 0) })
    const aia = new Map<number, { readonly files: InterruptFiles | undefined }>()
    this.time = board.wire({
      memory: this.memory,
      bus: this.bus,
      harts: numbers.map(id => this.#lines(id)),
      clock: name => this.events.clock(name),
      enroll: (name, chip) => this.#enroll(name, chip),
      aia: (hart, files) => void aia.set(hart, { files }),
      stop: (reason, code) => this.stop(reason, code),
    })
    const { memory, bus, time } = this
    const surroundings = {
      memory,
      bus,
      time,
      prices,
      hierarchy: this.#hierarchy,
      temporalFence: board.temporalFence ?? false,
      pathLength: options.pathLength ?? 1,
      parties: options.parties ?? BARE_PARTIES,
      accessed: (window: BusWindow, offset: number, _bytes: number, low: number, high: number, write: boolean) =>
        this.#accessed(window, offset, low, high, write),
      catchUp: () => this.#catchUp(),
      enter: (hart: Hart, instruction: number) => this.software.enter(hart, instruction),
      mark: (hart: number, kind: MarkKind, value: number) => this.#mark(hart, kind, value),
      marked: (hart: number, kind: PartMark, number: number) => this.#marked(hart, kind, number),
    }
    this.harts = numbers.map(
      id => new Hart(id, { ...surroundings, aia: aia.get(id), clock: this.events.clock(`hart ${id}`) }),
    )
    this.#turns = (options.turns ?? numbers).map(id => this.harts[id])
    if (new Set(this.#turns).size !== board.harts || this.#turns.includes(undefined as never))
      throw new Error(`turns ${options.turns?.join(', ')}: each of ${board.harts} harts has one`)
    for (const hart of this.harts) {
      hart.executor = options.executor(memory, hart, hart.id, prices)
      this.events.enroll(`hart ${hart.id}`, { due: () => hart.due() })
      hart.traps.observer = (from, code) => this.#trapped(hart, from, code)
    }
    memory.onWritten((host, bytes) => this.#written(host, bytes))
    for (const hart of this.harts) {
      if (hart.id > 0) this.harts[hart.id - 1].leaveWindow()
      hart.reset(board.resetVector)
    }
    this.#inside = board.harts - 1
    this.#enter(0)
    const hierarchy = this.#hierarchy
    if (hierarchy) memory.onDma = (host, bytes, write) => hierarchy.dma(host, bytes, write, this.now())
  }

  /** The current cycle: of the hart that runs, of the event that happens, or the one that every hart has reached. */
  now(): number {
    return this.#running ? this.harts[this.#inside].now() : this.#time
  }

  run(options: RunOptions = {}): StopReason {
    const reason = this.#run(options)
    // Those asleep have idled up to here.
    for (const hart of this.harts) if (hart.asleep) hart.sleepUntil(this.#time)
    return reason
  }

  #run(options: RunOptions): StopReason {
    const { untilCycle = Infinity, maxInstructions = Infinity, until, marks = false, slice = this.#slice } = options
    this.#marks = marks
    const first = this.harts[0]
    const lastInstruction = first.retired() + maxInstructions
    this.#stopped = undefined
    for (;;) {
      while (this.events.next() <= this.#time) this.#deliver()
      if (this.#stopped) return this.#stopped
      if (this.#time >= untilCycle) return { kind: 'cycle' }
      const left = lastInstruction - first.retired()
      if (left <= 0) return { kind: 'instructions' }
      if (until?.()) return { kind: 'until' }
      const awake = this.#wake()
      const next = this.events.next()
      if (awake === 0) {
        const end = Math.min(next, untilCycle)
        if (end < Infinity) this.#time = end
        if (next === Infinity) return { kind: 'idle' }
        continue
      }
      this.#end = Math.min(next, awake > 1 ? this.#time + slice : Math.min(untilCycle, this.#time + left))
      for (const hart of this.#turns) this.#turn(hart, hart === first ? lastInstruction : Infinity)
      this.#advance()
    }
  }

  /**
   * Lets other harts run in the midst of an entry: `schedule` says, for each port operation from now on (numbered from
   * 0), for how many cycles they run before it, 0 for not at all. Harts that are asleep stay so. Undefined: no more.
   */
  interleave(schedule: ((operation: number) => number) | undefined): void {
    let operation = 0
    const before =
      schedule &&
      ((): void => {
        if (this.#nested) return
        const cycles = schedule(operation++)
        if (cycles > 0) this.#runOthers(cycles)
      })
    for (const hart of this.harts) hart.interleave = before
  }

  /** Ends the run after the instruction that is being executed, or before the next turn. */
  stop(reason: string, code: number): void {
    this.#stopped = { kind: 'stopped', reason, code }
    this.#shorten(this.now())
  }

  #mark(hart: number, kind: MarkKind, value: number): Outcome {
    if (kind === 'due') {
      if (value < Infinity) this.events.schedule(value, DUE_MARKS, kind, hart)
      return RELOAD
    }
    this.#marked(hart, kind, value)
    if (!this.#marks) return DONE
    this.#stopped = { kind: 'mark', hart, mark: kind }
    this.#shorten(this.now())
    return RELOAD
  }

  /** Tells of a mark. Harts that sleep have idled up to it. */
  #marked(hart: number, kind: MarkKind, number: number): void {
    if (this.#markListeners.length === 0) return
    const now = this.now()
    for (const other of this.harts) if (other.asleep) other.sleepUntil(Math.min(now, this.events.next()))
    for (const listener of this.#markListeners) listener(hart, kind, number, now)
  }

  /** Rows of a hart's ledger up to now: they sum to its clock. */
  ledger(hart: number): readonly LedgerRow[] {
    const of = this.harts[hart]
    return of.ledger.rows(of.now())
  }

  /** `listener` may look, and change nothing. */
  onMark(listener: MarkListener): void {
    this.#markListeners.push(listener)
  }

  mmuCounts(hart: number): MmuCounts {
    return this.harts[hart].mmu.counts()
  }

  /** What the caches of all harts did; undefined without caches. */
  cacheCounts(): CacheCounts | undefined {
    return this.#hierarchy?.counts()
  }

  onTrap(listener: TrapListener): void {
    this.#trapListeners.push(listener)
  }

  /** `listener` may look, and change nothing. */
  onReturn(listener: ReturnListener): void {
    for (const hart of this.harts) {
      const { traps } = hart
      const before = traps.returned
      traps.returned = from => {
        before?.(from)
        listener(hart.id, from, hart.now())
      }
    }
  }

  /** x0 to x31, pc and mode of a hart, for people. */
  registers(hart: number): { readonly x: readonly bigint[]; readonly pc: bigint; readonly mode: number } {
    const window = this.harts[hart].windowBytes()
    const longs = new BigUint64Array(window.buffer)
    return { x: [...longs.subarray(0, 32)], pc: longs[PC >> 3], mode: new Int32Array(window.buffer)[MODE >> 2] }
  }

  /** A hash of all traps, device accesses and events so far, and of the harts' state now. */
  traceHash(): string {
    const hash = this.#hash.copy()
    for (const hart of this.harts) {
      const window = new Int32Array(hart.windowBytes().buffer)
      hash.addWords(window.subarray(2, 64))
      hash.addWords(window.subarray(F >> 2, REGISTERS_END >> 2))
      hash.addWords(window.subarray(PC >> 2, (PC >> 2) + 2))
      hash.addWords(window.subarray(CSR >> 2))
      hash.addNumber(hart.now())
      hash.addNumber(hart.retired())
    }
    return hash.digest()
  }

  save(): MachineState {
    return { ...this.#saveAllButPages(), pages: savePages(this.memory) }
  }

  #saveAllButPages(): Omit<MachineState, 'pages'> {
    return {
      board: this.board.name,
      time: this.#time,
      harts: this.harts.map(hart => hart.save()),
      events: this.events.save(),
      chips: [...this.#chips].flatMap(([name, chip]) => (chip.save ? [[name, chip.save()] as const] : [])),
      software: this.software.save(),
      ...(this.#hierarchy && { caches: this.#hierarchy.save() }),
      hash: this.#hash.save(),
    }
  }

  /** Takes the state of a machine built alike, with the same software installed. */
  restore(state: MachineState): void {
    if (state.board !== this.board.name || state.harts.length !== this.harts.length) {
      throw new Error(
        `the snapshot is of board "${state.board}" with ${state.harts.length} harts, not of "${this.board.name}" with ${this.harts.length}`,
      )
    }
    const hierarchy = this.#hierarchy
    if ((state.caches === undefined) !== (hierarchy === undefined))
      throw new Error(`the snapshot is of a machine ${state.caches ? 'with' : 'without'} caches, this one is not`)
    restorePages(this.memory, state.pages)
    this.#restoreAllButPages(state)
  }

  /**
   * Notes the state as it is, for `rollback` to go back to, often and cheaply: what has not changed meanwhile is not copied.
   * Only the last checkpoint can be gone back to.
   */
  checkpoint(): Checkpoint {
    for (const hart of this.harts) hart.executor.flush()
    return { ...this.#saveAllButPages(), noted: notePages(this.memory) }
  }

  /** The state becomes what `restore` of the same moment would make it, bit for bit. */
  rollback(checkpoint: Checkpoint): void {
    putBackPages(this.memory, checkpoint.noted)
    this.#restoreAllButPages(checkpoint)
  }

  #restoreAllButPages(state: Omit<MachineState, 'pages'>): void {
    const hierarchy = this.#hierarchy
    if (state.caches) hierarchy?.restore(state.caches)
    for (const [id, hart] of this.harts.entries()) hart.restore(state.harts[id])
    this.events.restore(state.events)
    for (const [name, saved] of state.chips) {
      const chip = this.#chips.get(name)
      if (!chip?.restore) throw new Error(`the snapshot has a chip "${name}", which is not on this board`)
      chip.restore(saved)
    }
    this.software.restore(state.software)
    this.#hash.restore(state.hash)
    this.#time = state.time
    this.harts[0].enterWindow()
    this.#inside = 0
    // An error in software may have ended a run in its midst.
    this.#running = false
    this.#nested = false
  }

  /** Wakes harts that an enabled interrupt awaits; how many are awake. */
  #wake(): number {
    let awake = 0
    for (const hart of this.harts) {
      if (hart.asleep && hart.interrupts.wakes()) {
        hart.asleep = false
        hart.sleepUntil(this.#time)
      }
      if (!hart.asleep) awake++
    }
    return awake
  }

  /** To where every hart that is awake has come, but not past the turn's end. */
  #advance(): void {
    let reached = this.#end
    const awake = this.harts.some(hart => !hart.asleep)
    for (const hart of this.harts) if (!awake || !hart.asleep) reached = Math.min(reached, hart.now())
    this.#time = Math.max(this.#time, reached)
  }

  /** Runs a hart to the turn's end, or until it has retired `last` instructions. An instruction takes a cycle at least. */
  #turn(hart: Hart, last: number): void {
    if (hart.asleep || hart.now() >= this.#end) return
    this.#enter(hart.id)
    this.#running = true
    while (!hart.asleep && this.#stopped === undefined) {
      const now = hart.now()
      if (now >= this.#end) break
      const left = last === Infinity ? Infinity : last - hart.retired()
      if (left <= 0) break
      hart.setDeadline(Math.min(this.#end, now + left))
      if (!hart.takeInterrupt()) hart.executor.run()
    }
    this.#running = false
  }

  /** Nested in a port operation of the hart that runs. The others hold no JavaScript frame: entries end or are abandoned. */
  #runOthers(cycles: number): void {
    const hart = this.harts[this.#inside]
    const end = this.#end
    this.#nested = true
    for (const other of this.#turns) {
      if (other === hart) continue
      this.#end = Math.min(this.events.next(), Math.max(hart.present ? hart.now() : 0, other.now()) + cycles)
      this.#turn(other, Infinity)
    }
    this.#nested = false
    this.#enter(hart.id)
    this.#running = true
    this.#end = Math.min(end, this.events.next())
    hart.setDeadline(this.#end)
  }

  #enter(id: number): void {
    if (this.#inside === id) return
    this.harts[this.#inside].leaveWindow()
    this.harts[id].enterWindow()
    this.#inside = id
  }

  #deliver(): void {
    const event = this.events.take()
    this.#hash.addNumber(event.due)
    this.#hash.addText(event.target)
    this.#hash.addText(event.kind)
    this.events.deliver(event)
  }

  /** Something falls due at `due`: whoever runs stops there. */
  #shorten(due: number): void {
    if (due >= this.#end) return
    this.#end = due
    if (this.#running) this.harts[this.#inside].setDeadline(due)
  }

  /** Within an entry: events happen now, and the entry goes on. */
  #catchUp(): void {
    const hart = this.harts[this.#inside]
    const now = hart.now()
    while (this.events.next() <= now) this.#deliver()
    this.#end = Math.max(this.#end, now)
    hart.setDeadline(Math.max(now + 1, Math.min(this.events.next(), now + this.#slice)))
  }

  #accessed(window: BusWindow, offset: number, low: number, high: number, write: boolean): Outcome {
    const hash = this.#hash
    hash.addNumber(window.base + offset)
    hash.add(low)
    hash.add(high)
    hash.add(write ? 1 : 0)
    // Whoever sets the time moves every comparator's event.
    if (write && Object.is(window.chip, this.time) && offset >= clint.mtime.at)
      for (const hart of this.harts) hart.due()
    return this.harts[this.#inside].interrupts.next() < 0 ? DONE : RELOAD
  }

  #trapped(hart: Hart, from: number, code: number): void {
    const hash = this.#hash
    const now = hart.now()
    hash.add(hart.id)
    hash.add(code)
    hash.addNumber(now)
    hash.add(this.memory.words[PC >> 2])
    for (const listener of this.#trapListeners) listener(hart.id, from, code, now)
  }

  #lines(id: number): HartLines {
    const line = (wire: Wire): Line => ({ set: level => this.#setWire(id, wire, level) })
    return {
      msip: line(MSI),
      mtip: line(MTI),
      meip: line(MEI),
      seip: line(SEI),
      guest: file => ({ set: level => this.#setWire(id, -file, level) }),
    }
  }

  /** Guest interrupt files are negative. */
  #setWire(id: number, wire: number, level: boolean): void {
    const hart = this.harts[id]
    // Another hart may be behind the one that runs, or ahead of it: for it, this happens at this cycle.
    if (this.#running && id !== this.#inside) this.events.schedule(this.now(), WIRES, `${id}`, { wire, level })
    else drive(hart, wire, level)
  }

  #wireEvent(kind: string, payload: Plain): void {
    const { wire, level } = payload as { wire: number; level: boolean }
    drive(this.harts[Number(kind)], wire, level)
  }

  #enroll(name: string, chip: Partial<Timed & Saved>): void {
    if (this.#chips.has(name)) throw new Error(`two chips are called "${name}"`)
    this.#chips.set(name, chip)
    const { due } = chip
    if (due) this.events.enroll(name, { due: (kind, payload) => due.call(chip, kind, payload) })
  }

  /** RAM was written past the fast paths: predecoded code and a reservation there are void. */
  #written(host: number, bytes: number): void {
    for (const hart of this.harts) hart.executor.written(host, bytes)
    const reserved = this.memory.words[RESERVATION >> 2]
    if (reserved >= 0 && host < reserved + 8 && reserved < host + bytes) this.memory.words[RESERVATION >> 2] = -1
  }
}

function drive(hart: Hart, wire: number, level: boolean): void {
  if (wire < 0) hart.setGuestWire(-wire, level)
  else hart.setWire(wire as Wire, level)
}
