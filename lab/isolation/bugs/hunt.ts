/** Looks for the first scenario that shows a bug: by the promise that is to catch it, from seed 1 on. */
import fc from 'fast-check'
import { planted, plant } from '../../planting/planting.ts'
import type { Bug } from './bug.ts'

export interface Caught {
  /** Scenarios tried: the last of them, of this seed, shows it. */
  readonly seed: number
  readonly what: string
}

/** Plants it into a copy of the product, and tries a scenario a seed. Undefined: not within so many seeds, or milliseconds of the processor. */
export async function hunt(bug: Bug, from: number, to: number, milliseconds: number): Promise<Caught | undefined> {
  plant(bug.name, [bug])
  const { PROMISES } = await planted<typeof import('../promises/index.ts')>(
    bug.name,
    new URL('../promises/index.ts', import.meta.url),
  )
  const { attempt } = await planted<typeof import('../campaign.ts')>(
    bug.name,
    new URL('../campaign.ts', import.meta.url),
  )
  const { dropArenas } = await planted<typeof import('../arena.ts')>(bug.name, new URL('../arena.ts', import.meta.url))
  const promise = PROMISES.find(({ name }) => name === bug.promise)
  if (!promise) throw new Error(`${bug.name}: there is no promise "${bug.promise}"`)
  const began = process.cpuUsage().user
  try {
    for (let seed = from; seed <= to && process.cpuUsage().user - began < milliseconds * 1000; seed++) {
      const [scenario] = fc.sample(promise.arbitrary, { numRuns: 1, seed })
      const finding = attempt(promise, scenario)
      if (finding) return { seed, what: finding.what }
    }
    return undefined
  } finally {
    dropArenas()
  }
}
