/** Invisibility. */
import fc from 'fast-check'
import { ExitModel } from '../exit-model.ts'
import { hostile, watched } from '../generators/programs.ts'
import { deviced, DEVICED_MIB, touching } from '../generators/deviced.ts'
import { plain, plainDevices } from '../generators/plain.ts'
import { scenarioOf } from '../generators/scenarios.ts'
import {
  APART,
  BARE,
  HOSTED,
  HOSTED_KERNEL,
  HOSTED_TOGETHER,
  LONE,
  LONE_HOSTED,
  SMALL_PAGES,
  TOGETHER,
  WANDERING,
} from '../generators/topologies.ts'
import { found, on, same, sameAlone, watch } from '../judge.ts'
import type { IsolationPromise } from '../promise.ts'
import type { Scenario } from '../scenario.ts'
import { dmaTopologies } from '../topologies-io.ts'

const withDevices = fc.constantFrom(
  ...dmaTopologies().map(topology => ({
    ...topology,
    guests: topology.guests.map(guest => ({ ...guest, memoryMiB: DEVICED_MIB })),
  })),
)
const beside = fc.constantFrom(APART, APART, TOGETHER, TOGETHER, HOSTED, HOSTED_TOGETHER, HOSTED_KERNEL)

interface CompareScenario extends Scenario {
  readonly against: 'a bare machine' | 'a machine of its own' | 'silent neighbours'
}

/** Guest 0 has a vCPU; the others are as ever. */
const anywhere = fc.constantFrom(LONE, APART, TOGETHER, TOGETHER, WANDERING, SMALL_PAGES, HOSTED, HOSTED_TOGETHER)

const compared =
  (against: CompareScenario['against']) =>
  (scenario: Scenario): CompareScenario => ({ ...scenario, against })

export const invisibility: IsolationPromise = {
  name: 'invisibility',
  sentence:
    'Nothing that a guest can read differs when other guests exist or are hostile: its environment answers as the specifications say, and all else comes to what it would on a bare machine.',
  arbitrary: fc.oneof(
    { weight: 1, arbitrary: scenarioOf(beside, watched, hostile).map(compared('a machine of its own')) },
    { weight: 1, arbitrary: scenarioOf(anywhere, plain, hostile).map(compared('a bare machine')) },
    { weight: 1, arbitrary: scenarioOf(anywhere, plainDevices, hostile).map(compared('a bare machine')) },
    {
      weight: 1,
      arbitrary: scenarioOf(withDevices, deviced, fc.oneof(hostile, touching)).map(compared('silent neighbours')),
    },
  ),
  check(scenario) {
    const first = watch(scenario, [new ExitModel()])
    const { against } = scenario as CompareScenario
    const lone = scenario.topology.vmm === 'native' ? LONE : LONE_HOSTED
    const sighting =
      first.run.sighting ??
      (against === 'silent neighbours'
        ? sameAlone(scenario, first, [])
        : same(scenario, first, on(against === 'a bare machine' ? BARE : lone, scenario), `on ${against}`, []))
    return sighting && found('invisibility', scenario, first.run, sighting)
  },
}
