/** What becomes of the memory of processes that have ended: given back when a hart idles, a part at a time. */
import type { HartPort } from '../../hw/port.ts'
import { giveTables, ROOT_BYTES, type TableTaker } from '../core/g-stage.ts'
import { NOWHERE } from '../core/vcpu.ts'
import { beginTaking, descriptorOf, endTaking } from './memory/descriptors.ts'
import type { Plan } from './plan.ts'
import type { Process } from './process.ts'

export class Endings {
  /** Processes whose memory may not all be back yet. */
  readonly record = { releasing: 0 }
  readonly #plan: Plan
  readonly #giveTable: TableTaker

  constructor(plan: Plan) {
    this.#plan = plan
    this.#giveTable = (port, owner, table) => plan.anonymous.giveTable(port, owner, table)
    plan.rcu.attach((port, process) => this.#taken(port, plan.processes[process]))
  }

  /** Gives a process's memory back once none of its threads is on a hart. */
  release(port: HartPort, process: Process): void {
    const { tasks } = this.#plan
    for (let index = process.firstTask; index <= process.lastTask; index++)
      if (tasks[index].record.hart !== NOWHERE) return
    if (process.record.leaving) return
    process.record.leaving = true
    // An interrupt that is being handled elsewhere may still be about it.
    this.#plan.rcu.defer(port, process.vm.index)
  }

  /** Nobody reads anything of it any more. */
  #taken(port: HartPort, process: Process): void {
    process.record.released = true
    this.record.releasing++
    const { pages, root } = process.vm.ram
    const owner = descriptorOf(process.space.number)
    beginTaking(port, owner)
    for (let index = 0; index < pages.length; index++) pages[index] = 0
    if (this.#plan.policy.form === 'module') giveTables(port, root, owner, this.#giveTable)
    port.fill(root, 0, ROOT_BYTES)
    endTaking(port, owner)
  }

  /** A part of the memory of the processes that have ended. False if none is left. */
  releaseMore(port: HartPort): boolean {
    const counts = this.record
    const { processes, direct, programs } = this.#plan
    if (programs.programs.releaseMore(port)) return true
    if (counts.releasing === 0) return false
    let busy = 0
    for (let index = 0; index < processes.length; index++) {
      const { record, space } = processes[index]
      if (!record.released) continue
      // The disk may still have some of it.
      if (direct.isBusy(processes[index])) busy++
      else if (space.release(port)) return true
    }
    counts.releasing = busy
    return false
  }
}
