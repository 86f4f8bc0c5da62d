/** What is kept of entities and queues beside their order: clocks, load averages at both levels, waiting times, pressure. */
import type { HartPort } from '../../../hw/port.ts'
import { TABLES } from '../layout.ts'
import { entity, queue } from './entity.ts'
import { loadAverage, updateLoad } from './load-average.ts'
import { changePressure, pressure } from './pressure.ts'

/** Clears processes' pressure. */
export function createAccounts(port: HartPort, groups: number): void {
  port.fill(TABLES.groups, 0, groups * pressure.size)
}

/** A hart's clocks, brought up to now (ns): the machine's, and the threads', which stands while interrupts are handled. Returns what the latter has advanced by. */
export function advanceClock(port: HartPort, hartQueue: number, now: number): number {
  const before = port.load64(hartQueue + queue.clock.at)
  port.store64(hartQueue + queue.clock.at, now)
  const elapsed = now > before ? now - before : 0
  const interrupted = port.load64(hartQueue + queue.interrupted.at)
  const since = interrupted - port.load64(hartQueue + queue.excluded.at)
  port.store64(hartQueue + queue.excluded.at, interrupted)
  const had = since < elapsed ? elapsed - since : 0
  port.store64(hartQueue + queue.taskClock.at, port.load64(hartQueue + queue.taskClock.at) + had)
  return had
}

/** An interrupt begins: nobody is charged for it. */
export function beginInterrupted(port: HartPort, hartQueue: number, now: number): void {
  port.store64(hartQueue + queue.interruptedSince.at, now)
}

export function endInterrupted(port: HartPort, hartQueue: number, now: number): void {
  const interrupted = hartQueue + queue.interrupted.at
  port.store64(interrupted, port.load64(interrupted) + now - port.load64(hartQueue + queue.interruptedSince.at))
}

/** The load of an entity and of its queue, which it was ready for and running in so far. A process's weighs what its threads ask for. */
export function account(
  port: HartPort,
  node: number,
  at: number,
  now: number,
  isReady: boolean,
  isRunning: boolean,
): void {
  const members = port.load64(node + entity.members.at)
  const weight =
    members === 0 || port.load32(members + queue.load.at + loadAverage.load.at) === 0
      ? port.load32(node + entity.weight.at)
      : port.load32(members + queue.load.at + loadAverage.load.at)
  updateLoad(port, node + entity.load.at, now, weight, isReady, isRunning)
  const current = port.load64(at + queue.current.at)
  const weights = port.load32(at + queue.weights.at) + (current === 0 ? 0 : port.load32(current + entity.weight.at))
  updateLoad(port, at + queue.load.at, now, Math.max(1, weights), port.load32(at + queue.count.at) > 0, current !== 0)
}

/** The load that a hart has had lately. */
export function loadOf(port: HartPort, hartQueue: number): number {
  return port.load32(hartQueue + queue.load.at + loadAverage.load.at)
}

/** A thread waits from now on. */
export function beginsToWait(port: HartPort, node: number, now: number): void {
  port.store64(node + entity.waiting.at, now)
}

/** It has got the hart. */
export function hasWaited(port: HartPort, node: number, now: number): void {
  const waited = now - port.load64(node + entity.waiting.at)
  port.store64(node + entity.waited.at, port.load64(node + entity.waited.at) + waited)
  port.store64(node + entity.switches.at, port.load64(node + entity.switches.at) + 1)
  port.store64(node + entity.began.at, port.load64(node + entity.had.at))
}

/** Threads of a process (or of none) are ready or no longer, run or no longer, on a hart. */
export function press(
  port: HartPort,
  hartQueue: number,
  group: number,
  now: number,
  ready: number,
  running: number,
): void {
  if (group >= 0) changePressure(port, TABLES.groups + group * pressure.size, now, ready, running)
  changePressure(port, hartQueue + queue.pressure.at, now, ready, running)
}
