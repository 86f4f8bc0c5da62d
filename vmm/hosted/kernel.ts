/**
 * The host's kernel. Its entries run in HS-mode with interrupts off and are short; it has one stack a hart and none a
 * task, so whoever has to wait leaves what it waits for in its record.
 *
 *   boot … (boot.ts) ─▶ leave
 *   trap (from a process), exit (from a guest), woken (from idling) ─▶ what is owed ─▶ leave
 *   leave ─▶ the current task, or another: put its vCPU (saved), its registers (fetched), its address space (switched),
 *            load its vCPU (loaded)
 *   interrupted: an interrupt in one of the kernel's windows, behind a guest's exit and behind idling
 */
import type { HartPort, Software, StateRecord } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { scause, stval } from '../../hw/spec/csrs/supervisor.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { A0, A1, A2 } from '../../hw/spec/sbi.ts'
import { ActiveSpaces } from './active-spaces.ts'
import { countSwitch } from './accounting.ts'
import { EntryGuard } from '../core/entry-guard.ts'
import { NOWHERE } from '../core/vcpu.ts'
import { Boot } from './boot.ts'
import { Endings } from './endings.ts'
import type { KernelCode } from './image.ts'
import { Interrupts } from './interrupts/interrupts.ts'
import { hartFrameOf, taskFrameOf } from './layout.ts'
import type { Plan } from './plan.ts'
import { IN_CALL, type ProgramThread } from './programs/program-thread.ts'
import { IDLE, TICK } from './scheduler.ts'
import { beginIdle, endIdle } from './scheduling/time-keeping.ts'
import { hasNotes } from './scheduling/preemption-notes.ts'
import { SystemCalls } from './system-call-table.ts'
import { IN_GUEST, IN_USER, NEVER, READY, type Task } from './task.ts'
import { Timers } from './timers.ts'
import { Traps } from './traps.ts'

export class Kernel {
  readonly software: Software
  readonly #code: KernelCode
  readonly #timers: Timers
  readonly #plan: Plan
  readonly #calls: SystemCalls
  /** By hart: the task that is coming, or IDLE. */
  readonly #coming: Int32Array
  readonly #spaces: ActiveSpaces
  readonly #interrupts: Interrupts
  readonly #traps: Traps
  readonly #endings: Endings

  constructor(program: Program, code: KernelCode, plan: Plan) {
    this.#code = code
    this.#timers = new Timers(plan)
    this.#plan = plan
    this.#calls = new SystemCalls(plan)
    this.#interrupts = new Interrupts(plan, this.#timers, code)
    this.#traps = new Traps(plan, this.#calls)
    this.#endings = new Endings(plan)
    this.#coming = new Int32Array(plan.harts).fill(IDLE)
    this.#spaces = new ActiveSpaces(plan.harts, code)
    const boot = new Boot(plan, code, this.#timers, {
      interrupt: port => this.#interrupts.take(port),
      leave: port => this.#leave(port),
    })
    const doors: Readonly<Record<string, (port: HartPort) => void>> = {
      boot: port => boot.boot(port),
      scrub: port => boot.scrub(port),
      settle: port => boot.settle(port),
      secondary: port => boot.secondary(port),
      woken: port => this.#woken(port),
      called: port => boot.called(port),
      saved: port => this.#saved(port),
      fetched: port => this.#fetched(port),
      switched: port => this.#leave(port),
      loaded: port => this.#loaded(port),
      trap: port => this.#trap(port),
      exit: port => this.#exit(port),
      exited: port => this.#leave(port),
      crossed: port => this.#crossed(port),
      monitor_resumed: port => plan.monitor.resumed(port),
      monitor_loaded: port => plan.monitor.loaded(port),
      monitor_exit: port => plan.monitor.exit(port),
      monitor_saved: port => plan.monitor.saved(port),
      interrupted: port => this.#interrupted(port),
    }
    const guard = new EntryGuard(plan.current, 'host kernel')
    const state: Record<string, StateRecord> = {
      coming: this.#coming,
      spaces: this.#spaces.record,
      programmed: this.#timers.programmed,
      kernel: this.#endings.record,
      boot: boot.record,
      inside: guard.record,
      ...plan.state,
    }
    this.software = {
      name: 'host kernel',
      entries: program.entries.map(({ label }) => guard.guard(program.symbols.get(label)!, doors[label])),
      state,
      // A monitor is a program of its own, which nobody traces.
      traced: program.entries.map(({ label }) => plan.policy.build === 'distribution' && !label.startsWith('monitor_')),
    }
  }

  // Coming in.

  /** From a process: a system call, a page fault, an interrupt. */
  #trap(port: HartPort): void {
    if (port.readHigh(scause) !== 0) {
      this.#plan.rcu.passes(port)
      this.#interrupts.take(port)
    } else this.#traps.take(port)
    this.#leave(port)
  }

  #currentProgram(port: HartPort): ProgramThread {
    const { scheduler, tasks, threads, programs } = this.#plan
    return programs.programs.threads[scheduler.current[port.hart] - tasks.length - threads.all.length]
  }

  /** From a guest. */
  #exit(port: HartPort): void {
    this.#plan.module.exit(port, this.#currentTask(port))
    port.jump(this.#code.window)
  }

  /** From a monitor, by way of the host's world switched in again: what interrupted it has been taken. */
  #crossed(port: HartPort): void {
    this.#plan.module.exit(port, this.#currentTask(port))
    this.#leave(port)
  }

  /** From idling: what woke the hart has been taken. */
  #woken(port: HartPort): void {
    port.account('host kernel', 'wake-up', 'scheduling')
    endIdle(port, port.read(time), TICK)
    this.#leave(port)
  }

  /** From the kernel itself: an interrupt. Anything else is an error of its own. */
  #interrupted(port: HartPort): void {
    if (port.readHigh(scause) === 0) this.#panic(port)
    this.#interrupts.take(port)
    port.setX(A0, hartFrameOf(port.hart))
    port.jump(this.#code.toKernel)
  }

  // Going out.

  /** Ends an entry: interrupts the harts that have to know, then goes on with the current task or chooses another. */
  #leave(port: HartPort): void {
    const { scheduler, soft } = this.#plan
    const { hart } = port
    if (this.#timers.isStale(port)) this.#timers.run(port)
    if (soft.pending[hart] !== 0 && soft.runSome(port)) return port.jump(this.#code.rested)
    if (scheduler.kicks[hart] !== 0) return this.#interrupts.send(port)
    const index = scheduler.current[hart]
    if (index === IDLE || scheduler.wanted[hart] !== 0 || scheduler.tasks[index].record.state !== READY)
      return this.#schedule(port)
    this.#resume(port)
  }

  #schedule(port: HartPort): void {
    const { scheduler, module } = this.#plan
    const { hart } = port
    port.account('host kernel', 'schedule', 'scheduling')
    const now = port.read(time)
    this.#timers.run(port)
    scheduler.takeWoken(port)
    scheduler.wanted[hart] = 0
    const next = scheduler.pick(port, now)
    this.#coming[hart] = next
    if (next === scheduler.current[hart]) return next === IDLE ? this.#idle(port) : this.#resume(port)
    if (next !== IDLE) scheduler.tasks[next].record.hart = hart
    const last = scheduler.current[hart]
    if (last === IDLE || !hasNotes(port, last) || !module.save(port)) this.#switchTask(port)
  }

  #saved(port: HartPort): void {
    const { scheduler, module } = this.#plan
    module.hasSaved(port)
    if (this.#coming[port.hart] === scheduler.current[port.hart]) this.#leave(port)
    else this.#switchTask(port)
  }

  /** The old task holds nothing on the hart any more: the new one takes over. */
  #switchTask(port: HartPort): void {
    const { scheduler, tasks, rcu } = this.#plan
    const { hart } = port
    port.account('host kernel', 'schedule', 'scheduling')
    const last = scheduler.current[hart]
    const next = this.#coming[hart]
    countSwitch(port)
    rcu.passes(port)
    scheduler.current[hart] = next
    if (last !== IDLE) {
      const task = scheduler.tasks[last]
      task.record.hart = NOWHERE
      scheduler.putBack(port, task)
      if (last < tasks.length && tasks[last].process.record.ended) this.#endings.release(port, tasks[last].process)
    }
    if (next === IDLE) {
      scheduler.ticks[hart] = NEVER
      return this.#idle(port)
    }
    if (scheduler.ticks[hart] === NEVER) this.#timers.startTick(port)
    // Its cap may end its turn before a tick does.
    if (scheduler.tasks[next].share.cap !== 0) this.#timers.run(port)
    port.setX(A0, scheduler.tasks[next].frame)
    port.setX(A1, this.#code.fetched)
    port.setX(A2, taskFrameOf(last))
    port.jump(this.#code.switchTask)
  }

  /** The new task's registers are there: its address space, if it has another. */
  #fetched(port: HartPort): void {
    const { scheduler, tasks, threads, programs } = this.#plan
    const index = scheduler.current[port.hart]
    if (index >= tasks.length) {
      // A thread of the kernel's runs in whatever address space is there.
      if (index < tasks.length + threads.all.length) return this.#leave(port)
      const thread = this.#currentProgram(port)
      const { space } = programs.programs.spaceOf(port, thread)
      if (!this.#spaces.enter(port, space, thread.frame)) this.#leave(port)
      return
    }
    const { process, frame } = tasks[index]
    if (!this.#spaces.enter(port, process.vm.index, frame)) this.#leave(port)
  }

  /** Nothing to do: scrub what was given back, or wait for an interrupt. Whoever sleeps is looked after by the timer. */
  #idle(port: HartPort): void {
    const { free, scheduler } = this.#plan
    this.#timers.run(port)
    if (scheduler.wanted[port.hart] !== 0 || scheduler.kicks[port.hart] !== 0) return port.jump(this.#code.rested)
    if (this.#keepsHouse(port) && (this.#endings.releaseMore(port) || free.scrub(port)))
      return port.jump(this.#code.rested)
    beginIdle(port, port.read(time))
    port.account('idle', 'nothing to run', 'waiting')
    port.wfi(this.#code.rested)
  }

  /** The current task goes on where it was. */
  #resume(port: HartPort): void {
    const { module, tasks, scheduler } = this.#plan
    const index = scheduler.current[port.hart]
    if (index >= tasks.length) return this.#work(port, index)
    const task = tasks[index]
    const { mode } = task.record
    if (mode === IN_GUEST) {
      if (!module.enter(port, task)) this.#schedule(port)
      return
    }
    if (task.record.holds !== 0) this.#calls.back(port, task)
    // Whoever leaves `run` leaves nothing of the vCPU's on the hart.
    this.#coming[port.hart] = task.index
    if (module.save(port)) return
    if (mode !== IN_USER && !this.#calls.deliver(port, task)) return this.#schedule(port)
    port.account('host kernel', 'return to process', 'world switch')
    port.setX(A0, task.frame)
    port.jump(this.#code.toUser)
  }

  #resumeProgram(port: HartPort): void {
    const thread = this.#currentProgram(port)
    if (thread.record.mode === IN_CALL && !this.#plan.programs.calls.again(port, thread)) return this.#schedule(port)
    port.account('host kernel', 'return to process', 'world switch')
    port.setX(A0, thread.frame)
    port.jump(this.#code.toUser)
  }

  /** A piece of work of a thread of the kernel's, or a program's thread goes on. */
  #work(port: HartPort, index: number): void {
    const { tasks, threads, scheduler } = this.#plan
    if (index >= tasks.length + threads.all.length) return this.#resumeProgram(port)
    const thread = threads.all[index - tasks.length]
    const { process } = thread
    if (process !== undefined && this.#spaces.enter(port, process.vm.index, tasks[process.ioTask].frame)) return
    port.account('host kernel', thread.name, 'computing')
    const due = thread.work(port)
    if (due > port.read(time)) scheduler.sleep(port, thread, due)
    port.jump(this.#code.rested)
  }

  #loaded(port: HartPort): void {
    this.#plan.module.hasLoaded(port, this.#currentTask(port))
    this.#leave(port)
  }

  #keepsHouse({ hart }: HartPort): boolean {
    return hart === this.#plan.scheduler.dedication.housekeeping
  }

  #currentTask(port: HartPort): Task {
    const { scheduler, tasks } = this.#plan
    return tasks[scheduler.current[port.hart]]
  }

  #panic(port: HartPort): void {
    const address = port.read(stval)
    throw new Error(`the host's kernel trapped: cause ${port.read(scause)}, value 0x${address.toString(16)}`)
  }
}
