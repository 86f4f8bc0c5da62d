/** What the kernel does by the clock: the scheduler's tick, tasks that sleep until a time, drivers that want to be called. */
import type { HartPort } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { stimecmp } from '../../hw/spec/csrs/supervisor.ts'
import { countTick } from './accounting.ts'
import type { Plan } from './plan.ts'
import { TICK } from './scheduler.ts'
import { advanceTicks } from './scheduling/time-keeping.ts'
import { SOFT_SCHED } from './soft-interrupts.ts'
import { NEVER } from './task.ts'

/** A comparator that is never reached: all ones. */
const NO_TIME = -1

export class Timers {
  /** By hart: what its comparator is set to. */
  readonly programmed: Float64Array
  readonly #plan: Plan

  constructor(plan: Plan) {
    this.#plan = plan
    this.programmed = new Float64Array(plan.harts).fill(NEVER)
  }

  /** True if a driver wants to be called before the hart's timer is due. */
  isStale(port: HartPort): boolean {
    const { due, scheduler } = this.#plan
    const { quiet, housekeeping } = scheduler.dedication
    if (!quiet[port.hart]) return due[0] < this.programmed[port.hart]
    // Drivers are looked after elsewhere.
    if (due[0] < this.programmed[housekeeping]) {
      this.programmed[housekeeping] = due[0]
      scheduler.interrupt(port, housekeeping)
    }
    return false
  }

  /** Does what is due; then the hart's timer is set to what comes next. */
  run(port: HartPort): void {
    const { scheduler, devices, due } = this.#plan
    const { hart } = port
    const now = port.read(time)
    if (now >= scheduler.ticks[hart] || now >= scheduler.capDue(hart)) {
      scheduler.ticks[hart] = nextTick(now)
      const isOverdue = scheduler.isOverdue(port, now)
      const index = scheduler.current[hart]
      countTick(port, index >= 0, index >= 0 && scheduler.tasks[index].record.guest)
      this.#plan.rcu.check(port)
      advanceTicks(port, now, TICK)
      if (isOverdue) scheduler.wanted[hart] = 1
      this.#plan.soft.raise(hart, SOFT_SCHED)
    }
    const quiet = scheduler.dedication.quiet[hart]
    if (due[0] <= now && !quiet) {
      due[0] = NEVER
      let next = NEVER
      for (let index = 0; index < devices.length; index++) next = Math.min(next, devices[index].elapsed(port))
      due[0] = Math.min(due[0], next)
    }
    const drivers = quiet ? NEVER : due[0]
    const next = Math.min(scheduler.wakeDue(port, now), scheduler.ticks[hart], scheduler.capDue(hart), drivers)
    this.programmed[hart] = next
    port.write(stimecmp, next === NEVER ? NO_TIME : next)
  }

  /** The hart has work again: its tick begins. */
  startTick(port: HartPort): void {
    const { ticks, dedication } = this.#plan.scheduler
    const { hart } = port
    if (dedication.quiet[hart]) return
    ticks[hart] = nextTick(port.read(time))
    if (ticks[hart] >= this.programmed[hart]) return
    this.programmed[hart] = ticks[hart]
    port.write(stimecmp, ticks[hart])
  }
}

/** Ticks are multiples of the period, whenever a hart begins to have them: as Linux's, which go on where they were after idling. */
function nextTick(now: number): number {
  return (Math.floor(now / TICK) + 1) * TICK
}
