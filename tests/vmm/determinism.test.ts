/** A run is a function of its configuration and seed, and can be put down and taken up anywhere. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import { expect, test } from 'vitest'
import { WORKLOADS } from '../../guests/index.ts'
import type { MachineState } from '../../hw/index.ts'
import { busyGuests, type Course, course, finish, workloadMachine } from './workload-system.ts'

const CASES = WORKLOADS.flatMap(workload =>
  (['bare', 'native', 'hosted'] as const).map(configuration => ({ name: workload.name, workload, configuration })),
)
/** Of the whole run: firmware or set-up, and amid what comes after; cycles that no instruction is likely to end at. */
const PLACES = [0.003, 0.93, 0.97]

function expectBalanced({ ledgers }: Course): void {
  for (const { clock, rows } of ledgers) expect(rows.reduce((sum, { cycles }) => sum + cycles, 0)).toBe(clock)
}

test.each(CASES)(
  '$name, $configuration: two runs are one, also with halts, also when saved and restored',
  ({ workload, configuration }) => {
    const whole = finish(workloadMachine(workload, configuration))
    expectBalanced(whole)
    const halting = workloadMachine(workload, configuration)
    const states = PLACES.map(place => {
      halting.run({ untilCycle: Math.floor(whole.cycles * place) })
      return serialize(halting.save())
    })
    expect(finish(halting)).toEqual(whole)
    // One is taken up by a new machine, the others by one that has come to an end already.
    for (const state of states) {
      const restored = state === states.at(-1) ? workloadMachine(workload, configuration) : halting
      restored.restore(deserialize(state) as MachineState)
      expect(finish(restored)).toEqual(whole)
    }
  },
)

test.each(['native', 'hosted'] as const)('%s: three guests on two harts, saved in the midst', configuration => {
  const END = 33_000_000
  const MIDDLE = 28_234_567
  const whole = busyGuests(configuration)
  whole.run({ untilCycle: END })
  expectBalanced(course(whole))
  const halting = busyGuests(configuration)
  halting.run({ untilCycle: MIDDLE })
  const state = structuredClone(halting.save())
  const restored = busyGuests(configuration)
  restored.restore(state)
  expect(restored.save()).toEqual(state)
  for (const machine of [halting, restored]) {
    machine.run({ untilCycle: END })
    expect(course(machine)).toEqual(course(whole))
  }
})

test('another process takes a saved machine up', () => {
  const workload = WORKLOADS.find(({ name }) => name === 'hypercall')!
  const here = workloadMachine(workload, 'native')
  here.run({ untilCycle: 20_000_000 })
  const state = serialize(here.save())
  const child = fileURLToPath(new URL('take-up.ts', import.meta.url))
  const there = execFileSync(process.execPath, [...process.execArgv, child, workload.name, 'native'], {
    input: state,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  expect(JSON.parse(there)).toEqual(finish(here))
})

test('the seed is part of what is run', () => {
  const workload = WORKLOADS.find(({ name }) => name === 'hypercall')!
  const [one, other] = [7, 8].map(seed => workloadMachine(workload, 'bare', seed))
  expect(one.save().pages).not.toEqual(other.save().pages)
})
