/** Our machine, as the conformance suites build it. */
import { Evaluator } from '../../hw/hart/evaluator.ts'
import { build, type ExecutorFactory, type Machine, type StopReason } from '../../hw/index.ts'
import { virt } from '../../hw/boards/virt.ts'
import { Tier0, Tier0Code } from '../../hw/translate/tier0.ts'
import type { Memory } from '../../hw/memory/memory.ts'
import type { Run } from './tools.ts'

export const EXECUTORS = ['tier0', 'evaluator'] as const
export type ExecutorName = (typeof EXECUTORS)[number]

/** What makes the harts' executors; tier 0's share the memory's code. */
export function executorFactory(name: ExecutorName): ExecutorFactory {
  if (name === 'evaluator') return (memory, hart) => new Evaluator(memory, hart)
  const codes = new WeakMap<Memory, Tier0Code>()
  return (memory, hart, index) => {
    let code = codes.get(memory)
    if (!code) codes.set(memory, (code = new Tier0Code(memory)))
    return new Tier0(memory, hart, index, code)
  }
}

/** A machine without firmware that starts `kernel` (ELF, or raw bytes at the start of RAM) in M-mode. */
export function bareMachine(kernel: Uint8Array, executor: ExecutorName, ramBytes: number): Machine {
  return build(virt({ bios: 'none', kernel, ramBytes }), { executor: executorFactory(executor) })
}

export function explain(stop: StopReason): string {
  return stop.kind === 'stopped' ? `${stop.reason} ${stop.code}` : stop.kind
}

/** Runs an image until it writes to the test finisher; returns part of its RAM. */
export function runOnOurs(executor: ExecutorName, run: Run): Uint8Array {
  const machine = bareMachine(run.image, executor, (Math.ceil(run.image.length / 0x20_0000) + 2) * 0x20_0000)
  const stop = machine.run({ maxInstructions: 20_000_000 })
  if (stop.kind !== 'stopped' || stop.reason !== 'pass') throw new Error(`our machine did not finish: ${explain(stop)}`)
  return machine.memory.read(machine.memory.ram.base + run.resultAt, run.resultBytes)
}
