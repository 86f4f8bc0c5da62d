/** The disk's server: requests by message, what became of them by answer. */
import type { Completion } from '../../../../drivers/environment.ts'
import { type NvmeConfig, nvmeDriver } from '../../../../drivers/nvme.ts'
import type { PortEnvironment } from '../../../../drivers/port-environment.ts'
import type { HartPort } from '../../../../hw/port.ts'
import type { ServerWork } from './process.ts'
import {
  answer,
  DONE,
  ERROR,
  FLAG_FAILED,
  FLAG_READY,
  FLUSH,
  MAXIMUM_SHIFT,
  message,
  READ,
  REFUSED,
  TAG_MASK,
  TAG_SHIFT,
} from './vmm-side-messages.ts'

export function diskWork(environment: PortEnvironment, config: NvmeConfig): ServerWork {
  const driver = nvmeDriver(environment, config)
  /** What is to be answered, in order: a ring. `broken`: the driver has refused what it has to take. */
  const state = { first: 0, count: 0, broken: false }
  const words = new Int32Array(driver.depth)

  function say(tag: number, result: number): void {
    words[(state.first + state.count) % driver.depth] = tag | (result << TAG_SHIFT)
    state.count++
  }

  function take(port: HartPort, at: number): void {
    const what = port.load32(at + message.what.at)
    const tag = what & TAG_MASK
    const operation = what >>> TAG_SHIFT
    const sectors = port.load32(at + message.count.at)
    const taken = driver.submit(
      tag,
      operation === FLUSH ? 'flush' : operation === READ ? 'read' : 'write',
      port.load64(at + message.sector.at),
      sectors,
      port.load64(at + message.address.at),
      false,
    )
    if (taken) return
    say(tag, REFUSED)
    if (driver.ready() && sectors >= 1 && sectors <= driver.maximumSectors()) state.broken = true
  }

  function answered(port: HartPort, at: number, most: number): number {
    const count = state.count < most ? state.count : most
    let to = at
    for (let left = count; left > 0; left--) {
      port.store32(to + answer.what.at, words[state.first])
      state.first = state.first + 1 === driver.depth ? 0 : state.first + 1
      to += answer.size
    }
    state.count -= count
    return count
  }

  function flags(): number {
    if (state.broken) return FLAG_FAILED
    if (driver.ready()) return FLAG_READY | (driver.maximumSectors() << MAXIMUM_SHIFT)
    return driver.failure() === '' ? 0 : FLAG_FAILED
  }

  function completed(tag: number, how: Completion): void {
    say(tag, how === 'ok' ? DONE : ERROR)
  }

  driver.onCompleted(completed)
  return {
    start: driver.start,
    take,
    poll: driver.poll,
    answer: answered,
    isBehind: () => state.count > 0,
    flags,
    knows: driver.sectors,
    state: { 'to be answered': state, answers: words },
  }
}
