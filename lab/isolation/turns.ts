/** So many scenarios of all promises together: each promise has turns of one length, so that those have more that are tried quicker. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { UserError } from '../user-error.ts'
import type { Verdict } from './campaign.ts'
import { type Outcome, type Plan, SHARE, type Tried, untried, withCrew } from './shares.ts'

/** Long beside what it takes to boot a promise's machines. */
const TURN = 120_000

/** What is kept of a campaign that may be interrupted. */
interface Kept {
  readonly seed: number
  readonly tried: readonly Tried[]
}

/** `file` says how far it is, after each turn, and where to go on from, if it is there. Throws UserError if it is another campaign's. */
export async function tryInTurns(
  plan: Plan,
  total: number,
  file: string | undefined,
  told: (verdict: Verdict) => void,
  finished: (verdict: Verdict) => void,
): Promise<Outcome> {
  const { promises, milliseconds } = plan
  const all = new Map(promises.map(({ name }) => [name, untried(name)]))
  for (const tried of file === undefined ? [] : keptIn(file, plan.seed))
    if (all.has(tried.verdict.promise)) all.set(tried.verdict.promise, tried)
  const end = performance.now() + milliseconds
  const sum = () => [...all.values()].reduce((scenarios, { verdict }) => scenarios + verdict.scenarios, 0)
  return withCrew(plan, async crew => {
    const isOver = () => sum() >= total || performance.now() >= end
    const held = () => [...all].filter(([, { verdict }]) => verdict.finding === undefined)
    while (!isOver() && held().length > 0) {
      for (const [name, tried] of held()) {
        if (isOver()) break
        const runs = tried.next * SHARE + total - sum()
        all.set(name, await crew.go(tried, Math.min(end, performance.now() + TURN), told, runs))
        if (file !== undefined) keep(file, { seed: plan.seed, tried: [...all.values()] })
      }
    }
    const verdicts = [...all.values()].map(({ verdict }) => verdict)
    for (const verdict of verdicts) finished(verdict)
    return verdicts
  })
}

/** What a campaign from this seed has come to; nothing if the file is not there. Throws UserError if it is something else. */
function keptIn(file: string, seed: number): readonly Tried[] {
  if (!existsSync(file)) return []
  let kept: Partial<Kept> = {}
  try {
    kept = JSON.parse(readFileSync(file, 'utf8')) as Partial<Kept>
  } catch (error) {
    throw new UserError(`--resume ${file}: ${(error as Error).message}; name another file`)
  }
  if (kept.seed !== seed || !Array.isArray(kept.tried))
    throw new UserError(`--resume ${file}: this is no campaign from seed ${seed}; name another file, or its --seed`)
  return kept.tried
}

/** Whoever is interrupted while he writes has the last turn's still. */
function keep(file: string, kept: Kept): void {
  writeFileSync(`${file}.new`, JSON.stringify(kept))
  renameSync(`${file}.new`, file)
}
