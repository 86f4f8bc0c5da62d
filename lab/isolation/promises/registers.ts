/** Registers. */
import { ExitModel } from '../exit-model.ts'
import { anyScenario } from '../generators/scenarios.ts'
import { found, sameAlone, watch } from '../judge.ts'
import type { IsolationPromise } from '../promise.ts'
import { Starts } from '../starts.ts'

export const registers: IsolationPromise = {
  name: 'registers',
  sentence:
    'When a vCPU goes on after an exit, on whichever hart, each of its integer and floating-point registers and CSRs is what it was, but for what the exit was to change by the specification.',
  arbitrary: anyScenario,
  check(scenario) {
    const observers = [new ExitModel(), new Starts()]
    const watched = watch(scenario, observers)
    const sighting = watched.run.sighting ?? sameAlone(scenario, watched, observers)
    return sighting && found('registers', scenario, watched.run, sighting)
  },
}
