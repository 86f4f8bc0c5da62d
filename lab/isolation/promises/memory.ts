/** Memory. */
import { anyScenario } from '../generators/scenarios.ts'
import { found, sameAlone, watch } from '../judge.ts'
import { Ownership } from '../ownership.ts'
import type { IsolationPromise } from '../promise.ts'

export const memory: IsolationPromise = {
  name: 'memory',
  sentence:
    'Every page of memory has one owner; no guest reads or writes, by its own accesses or through the VMM, a page that is not its own, and what is in its own pages is what it has put there.',
  arbitrary: anyScenario,
  check(scenario) {
    const observers = [new Ownership()]
    const watched = watch(scenario, observers)
    const sighting = watched.run.sighting ?? sameAlone(scenario, watched, observers)
    return sighting && found('memory', scenario, watched.run, sighting)
  },
}
