/** Invisibility. */
import fc from 'fast-check'
import { hostile, watched } from '../generators/programs.ts'
import { plain } from '../generators/plain.ts'
import { scenarioOf } from '../generators/scenarios.ts'
import {
  APART,
  BARE,
  HOSTED,
  HOSTED_KERNEL,
  HOSTED_TOGETHER,
  LONE,
  LONE_HOSTED,
  TOGETHER,
} from '../generators/topologies.ts'
import { found, on, same, watch } from '../judge.ts'
import type { IsolationPromise } from '../promise.ts'
import type { Scenario } from '../scenario.ts'

const beside = fc.constantFrom(APART, APART, TOGETHER, TOGETHER, HOSTED, HOSTED_TOGETHER, HOSTED_KERNEL)

/** What a bare machine is compared with: one guest alone, whose program comes to the same there. */
const onBare = plain.map(
  (program): Scenario => ({ topology: LONE, guests: [{ programs: [program] }], actions: [], cycles: 4_000_000 }),
)

export const invisibility: IsolationPromise = {
  name: 'invisibility',
  sentence:
    'Nothing that a guest can read differs when other guests exist or are hostile; and what has nothing to do with its environment comes to what it would on a bare machine.',
  arbitrary: fc.oneof({ weight: 2, arbitrary: scenarioOf(beside, watched, hostile) }, { weight: 1, arbitrary: onBare }),
  check(scenario) {
    const first = watch(scenario, [])
    const { topology } = scenario
    const bare = topology.guests.length === 1
    const other = bare ? BARE : topology.vmm === 'native' ? LONE : LONE_HOSTED
    const how = bare ? 'on a bare machine' : 'alone on the machine'
    const sighting = first.run.sighting ?? same(scenario, first, on(other, scenario), how, [])
    return sighting && found('invisibility', scenario, first.run, sighting)
  },
}
