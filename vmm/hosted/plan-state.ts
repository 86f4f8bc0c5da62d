/** All that the host remembers, by names, so that it can be saved and brought back. Set-up. */
import type { StateRecord } from '../../hw/port.ts'
import type { PendingAccess } from '../core/exits.ts'
import type { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'

type State = Readonly<Record<string, StateRecord>>

/** That of `parts`, and of processes, threads and vCPUs by their numbers. */
export function stateOf(
  parts: readonly State[],
  processes: readonly Process[],
  scheduler: Scheduler,
  pending: readonly PendingAccess[],
): State {
  const state = together([...parts, schedulerState(scheduler)])
  const vcpus = processes.flatMap(({ vm }) => vm.vcpus)
  processes.forEach(({ vm, record, space, input, eventTasks }, index) => {
    Object.assign(state, {
      [`vm ${index}`]: vm.record,
      [`crash ${index}`]: vm.crashCode,
      [`pages ${index}`]: vm.ram.pages,
      [`process ${index}`]: record,
      [`space ${index}`]: space.record,
      [`input ${index}`]: input,
      [`event tasks ${index}`]: eventTasks,
    })
  })
  scheduler.tasks.forEach(({ record }, index) => Object.assign(state, { [`task ${index}`]: record }))
  vcpus.forEach(({ record }, index) =>
    Object.assign(state, { [`vcpu ${index}`]: record, [`pending ${index}`]: pending[index] }),
  )
  return state
}

/** All parts' state; two that call theirs the same would lose one. */
function together(parts: readonly Readonly<Record<string, StateRecord>>[]): Record<string, StateRecord> {
  const all: Record<string, StateRecord> = {}
  for (const part of parts) {
    for (const [name, record] of Object.entries(part)) {
      if (all[name] !== undefined) throw new Error(`two parts of the host's kernel have state called ${name}`)
      all[name] = record
    }
  }
  return all
}

function schedulerState(scheduler: Scheduler): Record<string, StateRecord> {
  const { current, wanted, ticks, kicks, timers, evening, queues, caps } = scheduler
  const { pages, groupPages, since } = queues
  return {
    current,
    wanted,
    ticks,
    since,
    kicks,
    timers: timers.pages,
    evening,
    queues: pages,
    groupPages,
    caps: caps.record,
    'timer homes': timers.homes,
  }
}
