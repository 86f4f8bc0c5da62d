/**
 * Who enters servers, and when: one that has a hart runs there alone, woken by IPI; others run on the hart on which
 * something has happened for them, ahead of its guest, until they wait. Interrupts go on while they run.
 */
import type { HartPort, StateRecord } from '../../../../hw/port.ts'
import { TOO_BIG } from '../../../../hw/port.ts'
import { time } from '../../../../hw/spec/csrs/counters.ts'
import { scause, stimecmp, stval } from '../../../../hw/spec/csrs/supervisor.ts'
import type { Program } from '../../../../hw/spec/isa/assembler.ts'
import { A0 } from '../../../../hw/spec/sbi.ts'
import { NO_TIME } from '../../../core/guest-context.ts'
import type { PlacedDevice } from '../../../core/placed-device.ts'
import { NOWHERE, RUNNABLE } from '../../../core/vcpu.ts'
import type { Boot } from '../../boot.ts'
import type { Interrupts } from '../../interrupts.ts'
import { OwnHarts } from '../../own-harts.ts'
import type { Plan } from '../../plan.ts'
import type { Running } from '../../running.ts'
import { ServerCredit } from './vmm-side-credit.ts'
import { HUNG, KILLED, type ServerThread, WAITING } from './vmm-side-thread.ts'

const ECALL_FROM_U = 8
/** A server that has not waited for so long does nothing else any more (ticks: 2 ms). */
const PATIENCE = 20_000

/** Addresses in the image. */
interface Places {
  readonly gate: number
  readonly toServer: number
  readonly settle: number
}

export class Servers implements PlacedDevice {
  readonly name = 'servers'
  readonly state: Readonly<Record<string, StateRecord>>
  readonly threads: readonly ServerThread[]
  /** By hart: the server that it is in, or NOWHERE; since when; its timer as it was; whether anything else has happened meanwhile. */
  readonly #inside: Int32Array
  readonly #since: Float64Array
  readonly #timers: Float64Array
  readonly #disturbed: Int32Array
  readonly #credit: ServerCredit
  /** `settling`: guests have not started, everything runs on hart 0. `armed`: when that hart will look at those without a hart. */
  readonly #record = { settling: true, armed: Infinity }
  readonly #own: OwnHarts
  #plan: Plan | undefined
  #interrupts: Interrupts | undefined
  #running: Running | undefined
  #places: Places | undefined

  constructor(threads: readonly ServerThread[], harts: number) {
    this.threads = threads
    this.#inside = new Int32Array(harts).fill(NOWHERE)
    this.#since = new Float64Array(harts)
    this.#timers = new Float64Array(harts)
    this.#disturbed = new Int32Array(harts)
    this.#credit = new ServerCredit(harts)
    this.#own = new OwnHarts(
      threads.map(({ parts }) => parts.hart),
      harts,
    )
    this.state = {
      servers: this.#record,
      'servers inside': this.#inside,
      'servers since': this.#since,
      'servers timers': this.#timers,
      'servers disturbed': this.#disturbed,
      ...this.#credit.state,
      ...Object.assign({}, ...threads.map(({ state }) => state)),
    }
  }

  /** The VMM that they belong to. Set-up. */
  join(plan: Plan, interrupts: Interrupts, running: Running, program: Program): void {
    const at = (label: string): number => program.symbols.get(label)!
    this.#plan = plan
    this.#interrupts = interrupts
    this.#running = running
    this.#places = {
      gate: at('server_gate'),
      toServer: at('to_server'),
      settle: at('settle'),
    }
    this.#own.join(plan, interrupts, running, program)
    const guests = running.next.bind(running)
    running.next = port => {
      if (!this.#goOn(port)) guests(port)
    }
  }

  source(): number {
    return 0
  }

  start(port: HartPort): void {
    for (let index = 0; index < this.threads.length; index++) this.threads[index].prepare(port, this.#places!.gate)
  }

  settled(): boolean {
    return true
  }

  interrupt(): void {
    // They have none of their own: their devices tell them.
  }

  /** True if a server that polls has this hart, which has nothing else to do: it is entered at once. */
  look({ hart }: HartPort): boolean {
    let looks = false
    for (let index = 0; index < this.threads.length; index++) {
      const { parts, record } = this.threads[index]
      const home = parts.hart === NOWHERE ? 0 : parts.hart
      if (!parts.polls || home !== hart || record.status !== WAITING) continue
      record.due = 0
      looks = true
    }
    return looks
  }

  /** On hart 0: clears up after the dead, and says when the next of those that run there wants to be woken. */
  elapsed(port: HartPort): number {
    let next = Infinity
    for (let index = 0; index < this.threads.length; index++) {
      const thread = this.threads[index]
      const { record, parts } = thread
      const look = this.#record.settling ? Infinity : thread.look(port)
      if (look < next) next = look
      if (record.status === KILLED) {
        thread.revive(port)
        next = 0
      } else if (parts.hart <= 0 || this.#record.settling) {
        const due = thread.isWanted(port) ? this.#credit.rest[0] : record.due
        if (due < next) next = due
      }
    }
    this.#record.armed = next
    return next
  }

  /** Something has happened for it: it is entered at the end of this entry, here or on its own hart. */
  wake(port: HartPort, thread: ServerThread): void {
    const { hart } = thread.parts
    this.#running!.kicks[port.hart] |= 1 << (hart === NOWHERE || this.#record.settling ? port.hart : hart)
  }

  /** In place of the VMM's own door: until guests start, servers make their devices ready. */
  settle(port: HartPort, boot: Boot): void {
    this.#interrupts!.handle(port)
    if (!this.#enter(port)) boot.settle(port)
  }

  /** A hart's next: true if that is a server, or waiting for one. */
  #goOn(port: HartPort): boolean {
    this.#record.settling = false
    const { hart } = port
    const inside = this.#inside[hart]
    if (inside !== NOWHERE) {
      if (!this.#own.tell(port)) this.#resume(port, this.threads[inside])
      return true
    }
    if (this.#enter(port)) return true
    if (!this.#own.has(hart)) return false
    let next = this.look(port) ? 0 : Infinity
    for (let index = 0; index < this.threads.length; index++) {
      const { parts, record } = this.threads[index]
      if (parts.hart === hart && record.due < next) next = record.due
    }
    this.#own.attend(port, next)
    return true
  }

  /** Goes into a server that is wanted here, if there is one. */
  #enter(port: HartPort): boolean {
    const { hart } = port
    for (let index = 0; index < this.threads.length; index++) {
      const thread = this.threads[index]
      const own = thread.parts.hart
      if (own !== NOWHERE && own !== hart && !this.#record.settling) continue
      if (!thread.isWanted(port) || (own === NOWHERE && this.#rests(port))) continue
      if (this.#own.tell(port)) return true
      port.account('vmm', 'message', 'world switch')
      thread.deliver(port)
      this.#inside[hart] = index
      this.#disturbed[hart] = 0
      const now = port.read(time)
      this.#since[hart] = now
      const timer = port.read(stimecmp)
      this.#timers[hart] = timer
      if (timer > now + PATIENCE) port.write(stimecmp, now + PATIENCE)
      this.#resume(port, thread)
      return true
    }
    return false
  }

  /** True if guests have to have their turn first. Hart 0 looks after servers that no other hart enters. */
  #rests(port: HartPort): boolean {
    if (this.#record.settling || !this.#credit.isUsedUp(port, this.#plan!)) return false
    this.#running!.kicks[port.hart] |= 1
    return true
  }

  #resume(port: HartPort, thread: ServerThread): void {
    port.setX(A0, thread.record.frame)
    port.jump(this.#places!.toServer)
  }

  /** The hart comes from a server. */
  served(port: HartPort): void {
    const { hart } = port
    const thread = this.threads[this.#inside[hart]]
    const cause = port.read(scause)
    if (cause === TOO_BIG) return this.#interrupted(port, thread)
    port.account('vmm', 'message', 'emulation')
    this.#inside[hart] = NOWHERE
    if (cause === ECALL_FROM_U) thread.called(port)
    else thread.kill(port, cause, port.readLow(stval))
    this.#arm(port, thread)
    this.#back(port)
  }

  #interrupted(port: HartPort, thread: ServerThread): void {
    const { hart } = port
    this.#interrupts!.handle(port)
    this.#disturbed[hart] = 1
    if (port.read(time) - this.#since[hart] > PATIENCE) {
      this.#inside[hart] = NOWHERE
      thread.kill(port, HUNG, 0)
      this.#arm(port, thread)
      return this.#back(port)
    }
    port.write(stimecmp, this.#since[hart] + PATIENCE + 1)
    if (!this.#own.tell(port)) this.#resume(port, thread)
  }

  /** Hart 0 wakes a server that has no hart of its own, and clears up after a dead one: it has to know when. */
  #arm(port: HartPort, { parts, record }: ServerThread): void {
    const { armed } = this.#record
    const isDead = record.status === KILLED
    if (!isDead && (parts.hart > 0 || record.due >= TOO_BIG)) return
    // What it looked forward to before may have been just now.
    if (isDead || record.due < armed || armed <= port.read(time)) this.#running!.kicks[port.hart] |= 1
  }

  /** To another server; or to where the hart came from, as if nothing had been. */
  #back(port: HartPort): void {
    const { hart } = port
    if (this.#record.settling) return port.jump(this.#places!.settle)
    this.#credit.charge(port)
    const running = this.#running!
    const timer = this.#timers[hart]
    port.write(stimecmp, timer >= TOO_BIG ? NO_TIME : timer)
    const index = running.loaded[hart]
    if (index === NOWHERE || this.#disturbed[hart] === 1 || running.kicks[hart] !== 0) return running.next(port)
    const { vcpus, vms } = this.#plan!
    const vcpu = vcpus[index]
    const { status, fencing } = vcpu.record
    if (status !== RUNNABLE || fencing) return running.next(port)
    for (let vm = 0; vm < vms.length; vm++) if (vms[vm].isBehind()) return running.next(port)
    for (let other = 0; other < this.threads.length; other++) {
      if (this.threads[other].isWanted(port)) return running.next(port)
    }
    running.enter(port, vcpu)
  }
}
