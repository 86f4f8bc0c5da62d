/**
 * One hart's running entry. A trap or interrupt abandons it: the JavaScript frame is unwound, and what its port calls
 * returned so far is kept as data under a token that the hart finds in t6. The software's state stays as it is, as
 * memory would. When the entry is resumed, it runs again from its beginning, with the state that it saw then and the
 * results that it got then, at no cost and without effect, until it reaches the call at which it was abandoned; there
 * it gets today's state, and goes on.
 */
import type { PartMark } from '../../spec/isa/mark.ts'
import type { Activity, Party } from '../../spec/ledger.ts'
import type { HartPort } from '../../port.ts'
import { RELOAD, TRAPPED, type Outcome } from '../services.ts'
import { BUDGET, DEADLINE, MODE, PC, STALLS, X } from '../state.ts'
import type { PortHost } from './host.ts'
import type { Installation, StateChange, Suspended } from './installation.ts'
import { CALL, CALLS, Log, signedNumber } from './log.ts'
import { pathLength } from './path-length.ts'
import type { StateCopy } from './state-copy.ts'
import { extraCycles, STUB_OFFSETS } from './stubs.ts'
import { fetchText } from './text.ts'

export interface Invocation {
  readonly installation: Installation
  /** Which of the software's entries, and where its `entry` instruction lies. */
  readonly entry: number
  readonly address: number
  readonly physical: number
  readonly resumed?: Suspended
  /** Resumed behind its pending operation, whose result is in t5. */
  readonly done?: boolean
}

const TWO_32 = 0x1_0000_0000
const T5 = 30
const T6 = 31
/** Unwinds an abandoned entry. Made once: it carries nothing. */
const ABANDONED = new Error('an entry was abandoned, and something caught the exception that unwinds it')

export class Frame {
  /** Of the operation that `enter` or `recall` found done already. */
  result = 0
  readonly #host: PortHost
  readonly #words: Int32Array
  readonly #doubles: Float64Array
  readonly #log = new Log()
  #invocation: Invocation | undefined
  #mode = 0
  /** Whether the entry is of a traced build. */
  #traced = 0
  #stubs = -1
  #before: StateCopy | undefined
  #changes: StateChange[] = []
  /** Calls replayed, and to be replayed. */
  #at = 0
  #recorded = 0
  #resuming = false
  #present: StateCopy | undefined
  #charge: (() => void) | undefined
  /** Interrupts may have become pending or enabled. */
  #attention = false
  #ended = false
  #begun = 0
  /** Cycles of waiting for locks, ever. */
  #waited = 0
  /** Of each call: cycles beyond the one in which its instruction retires. */
  readonly #extra: Int32Array
  readonly #scale: number
  /** Of the scaled path length, the part of a cycle that is not yet spent. An entry begins with a half: it rounds. */
  #fraction = 0.5

  constructor(host: PortHost) {
    this.#host = host
    this.#extra = extraCycles(host.prices)
    this.#scale = host.pathLength
    this.#words = host.memory.words
    this.#doubles = host.memory.doubles
  }

  run(invocation: Invocation, port: HartPort): Outcome {
    const { installation, resumed } = invocation
    this.#invocation = invocation
    this.#traced = installation.software.traced?.[invocation.entry] === true ? 1 : 0
    this.#mode = this.#words[MODE >> 2]!
    this.#stubs = installation.stubsFrom(invocation.physical, invocation.address)
    this.#attention = false
    this.#ended = false
    this.#begun = this.#spent()
    this.#at = 0
    this.#charge = undefined
    installation.runs += 1
    pathLength[0] = 0
    pathLength[2] = this.#traced
    this.#fraction = 0.5
    if (resumed) this.#rewind(resumed)
    else {
      this.#log.length = 0
      this.#recorded = 0
      this.#changes = []
      this.#before = installation.takeCopy(this.#host.id)
    }
    try {
      installation.software.entries[invocation.entry](port)
    } catch (error) {
      if (error === ABANDONED) return TRAPPED
      throw error instanceof Error ? Object.assign(error, { message: `${this.#name()}: ${error.message}` }) : error
    }
    if (!this.#ended) throw new Error(`${this.#name()} ended without jump, sret, ecall or wfi`)
    this.#drain()
    installation.returnCopy(this.#host.id, this.#before!)
    return RELOAD
  }

  /** Begins an operation. True if it has happened already: `result` is what it returned. */
  enter(call: number): boolean {
    if (this.recall(call)) return true
    if (this.#ended) throw new Error(`${CALLS[call]} after the entry's end`)
    if (this.#resuming && this.#goLive(call)) return true
    this.#drain()
    const host = this.#host
    if (host.interleave !== undefined) this.#interleave(host.interleave)
    if (this.#words[BUDGET >> 2] <= 0) {
      this.#checkLength()
      host.catchUp()
      this.#attention = true
    }
    if (this.#attention) {
      this.#attention = false
      if (host.takeInterrupt()) this.abandon(-1)
    }
    return false
  }

  /** True if nothing can come between operations for so many cycles: no event, no other hart, nothing to be replayed, no cache to miss. */
  isCalm(cycles: number): boolean {
    const { interleave, caches } = this.#host
    return (
      this.#words[BUDGET >> 2] > cycles &&
      this.#at >= this.#recorded &&
      interleave === undefined &&
      caches === undefined
    )
  }

  /** The same for an operation that is no instruction: nothing can come in between. */
  recall(call: number): boolean {
    const at = this.#at
    if (at >= this.#recorded) return false
    if (this.#log.calls[at] !== call) this.#astray(call)
    this.result = this.#log.results[at]!
    this.#at = at + 1
    for (const change of this.#changes) if (change.at === at) this.#invocation!.installation.copier.put(change.state)
    return true
  }

  /** The operation is done: what it returned, and how many instructions retired. */
  settle(call: number, result: number, instructions: number): number {
    const extra = this.#extra[call]
    this.#words[BUDGET >> 2] -= instructions + extra
    if (extra !== 0) this.#doubles[STALLS >> 3] += extra
    // What the machine itself computed meanwhile, with tables that software shares, is nobody's path length.
    pathLength[0] = 0
    if (this.#stubs >= 0) this.#setPc(this.#invocation!.address)
    this.#log.append(call, result)
    return result
  }

  remember(call: number, result: number): number {
    this.#log.append(call, result)
    return result
  }

  spend(instructions: number): void {
    this.#words[BUDGET >> 2] -= instructions
  }

  /** From here a trap is one of the stub instruction for this kind of call. */
  atStub(call: number): void {
    if (this.#stubs >= 0) this.#setPc(this.#stubs + STUB_OFFSETS[call])
  }

  attend(outcome: Outcome): void {
    if (outcome === RELOAD) this.#attention = true
  }

  end(instructions: number): void {
    this.#words[BUDGET >> 2] -= instructions
    this.#ended = true
  }

  account(party: Party, cause: string, activity: Activity): void {
    if (this.#resuming) {
      this.#charge = () => this.#host.account(party, cause, activity)
      return
    }
    // What has been computed up to here is charged as before.
    this.#drain()
    this.#host.account(party, cause, activity)
  }

  /** One that was told before the entry was abandoned is not told again. */
  mark(kind: PartMark, number: number): void {
    if (this.#resuming) return
    this.#drain()
    this.#host.mark(kind, number)
  }

  /** A trap was taken, in the midst of `pending` or (-1) between two operations. */
  abandon(pending: number): never {
    const { installation, entry, address, physical, resumed } = this.#invocation!
    const { length } = this.#log
    const token = installation.suspend({
      entry,
      address,
      physical,
      pending,
      hart: resumed?.hart ?? this.#host.id,
      mode: this.#mode,
      calls: this.#log.calls.slice(0, length),
      results: this.#log.results.slice(0, length),
      before: this.#before!,
      changes: this.#changes.filter(change => change.at < length),
    })
    this.#words[(X + T6 * 8) >> 2] = token
    this.#words[((X + T6 * 8) >> 2) + 1] = 0
    throw ABANDONED
  }

  /** Spends what has been computed since it was last asked. */
  #drain(): void {
    const counted = pathLength[0]
    pathLength[0] = 0
    if (this.#scale === 1) this.#words[BUDGET >> 2] -= counted
    else {
      const exact = counted * this.#scale + this.#fraction
      const whole = Math.floor(exact)
      this.#fraction = exact - whole
      this.#words[BUDGET >> 2] -= whole
    }
    const { caches } = this.#host
    if (caches !== undefined) fetchText(caches, pathLength[1], counted)
  }

  #rewind(resumed: Suspended): void {
    const { copier } = this.#invocation!.installation
    this.#log.load(resumed.calls, resumed.results)
    this.#recorded = resumed.calls.length
    this.#before = resumed.before
    this.#changes = [...resumed.changes]
    this.#resuming = true
    this.#present = copier.make()
    copier.put(resumed.before)
  }

  /** True if the first live operation was done by the stub instruction, or by whoever emulated it. */
  #goLive(call: number): boolean {
    const { installation, resumed, done } = this.#invocation!
    const present = this.#present!
    this.#resuming = false
    installation.copier.put(present)
    this.#changes.push({ at: this.#log.length, state: present })
    pathLength[0] = 0
    this.#charge?.()
    if (!done) return false
    if (call !== resumed!.pending) this.#astray(call)
    const low = this.#words[(X + T5 * 8) >> 2] >>> 0
    const high = this.#words[((X + T5 * 8) >> 2) + 1] >>> 0
    const plain = wordSized(call) ? low : Math.min(high * TWO_32 + low, 2 ** 53)
    const signed = call === CALL.load64Signed
    this.result = this.settle(call, signed ? signedNumber(this.#words, (X + T5 * 8) >> 2) : plain, 0)
    return true
  }

  #interleave(others: () => void): void {
    const { installation } = this.#invocation!
    const { runs } = installation
    others()
    pathLength[2] = this.#traced
    if (installation.runs !== runs) this.#changes.push({ at: this.#log.length, state: installation.copier.make() })
  }

  /** Cycles, but those that caches take to be filled, and locks to be free: how much an entry may do does not depend on others. */
  #spent(): number {
    return this.now() - (this.#host.caches?.stalled ?? 0) - this.#waited
  }

  /** The hart has waited for a lock. */
  waited(cycles: number): void {
    this.#waited += cycles
  }

  #checkLength(): void {
    const { installation } = this.#invocation!
    const length = this.#spent() - this.#begun
    if (length > installation.longest) {
      throw new Error(
        `has taken ${length} cycles; an entry may take ${installation.longest}, then it must re-queue itself`,
      )
    }
  }

  #astray(call: number): never {
    throw new Error(
      `was abandoned after ${this.#recorded} port calls and, resumed, did ${CALLS[call]} as number ${this.#at}: ` +
        'an entry may depend on nothing but the port and registered state',
    )
  }

  /** The hart's cycle. */
  now(): number {
    return this.#doubles[DEADLINE >> 3] - this.#words[BUDGET >> 2]
  }

  #setPc(address: number): void {
    this.#words[PC >> 2] = address | 0
    this.#words[(PC >> 2) + 1] = Math.floor(address / TWO_32) | 0
  }

  #name(): string {
    const { installation, entry } = this.#invocation!
    return `${installation.software.name}, entry ${entry}`
  }
}

/** AMOs leave a sign-extended word in t5. */
function wordSized(call: number): boolean {
  const name = CALLS[call]
  return name.endsWith('32')
}
