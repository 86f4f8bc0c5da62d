/** Memory. */
import fc from 'fast-check'
import { anyScenario } from '../generators/scenarios.ts'
import { isTranslated, mistranslated, translatedScenario } from '../generators/translations.ts'
import { found, sameAlone, watch } from '../judge.ts'
import { Ownership } from '../ownership.ts'
import type { IsolationPromise } from '../promise.ts'

export const memory: IsolationPromise = {
  name: 'memory',
  sentence:
    'Every page of memory has one owner; no guest reads or writes, by its own accesses or through the VMM, a page that is not its own, and what is in its own pages is what it has put there.',
  arbitrary: fc.oneof({ weight: 4, arbitrary: anyScenario }, { weight: 1, arbitrary: translatedScenario }),
  check(scenario) {
    const observers = [new Ownership()]
    const watched = watch(scenario, observers)
    const sighting =
      watched.run.sighting ??
      (isTranslated(scenario) ? mistranslated(scenario, watched.arena) : sameAlone(scenario, watched, observers))
    return sighting && found('memory', scenario, watched.run, sighting)
  },
}
