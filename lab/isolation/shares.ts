/** Promises tried by several threads: shares of scenarios, each with a seed of its own, so that what is found does not depend on who tried it. */
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Verdict } from './campaign.ts'
import { type FileCoverage, joined } from './coverage.ts'
import type { IsolationPromise } from './promise.ts'

/** What a thread is asked to do: so many scenarios of a promise, or (`cover`) to say what has been executed. */
export interface Share {
  readonly promise: string
  readonly seed: number
  readonly path?: string
  readonly runs: number
  readonly milliseconds: number
}
export interface ShareDone {
  readonly verdict: Verdict
  readonly causes: readonly (readonly [code: number, times: number])[]
}
export type ThreadMessage = { readonly share: Share } | { readonly cover: true }

export interface Plan {
  readonly promises: readonly IsolationPromise[]
  /** As fast-check counts them: one a share. */
  readonly seed: number
  readonly path?: string
  /** Of each promise, at the most. */
  readonly runs: number
  /** Of all promises together. */
  readonly milliseconds: number
  readonly bug?: string
  readonly covers: boolean
  /** Two unless given, if the machine has as many. */
  readonly threads?: number
}

export interface Outcome {
  readonly verdicts: readonly Verdict[]
  /** Exits by cause; negative for interrupts. */
  readonly causes: ReadonlyMap<number, number>
  readonly coverage: readonly FileCoverage[]
}

/** Unless more or fewer are asked for. */
const THREADS = 2
/** Scenarios of a share. */
export const SHARE = 25

/** How far a promise has been tried. */
export interface Tried {
  /** The next share: all before it are done. */
  readonly next: number
  readonly verdict: Verdict
}

/** Not at all. */
export function untried(promise: string): Tried {
  return {
    next: 0,
    verdict: { promise, scenarios: 0, exits: 0, seconds: 0, finding: undefined, again: undefined },
  }
}

/** Tries them one after the other. `told` is told whenever a share is done. */
export async function tryAll(
  plan: Plan,
  told: (verdict: Verdict) => void,
  finished: (verdict: Verdict) => void,
): Promise<Outcome> {
  const { promises, milliseconds } = plan
  return withCrew(plan, async crew => {
    const verdicts: Verdict[] = []
    for (const { name } of promises) {
      const { verdict } = await crew.go(untried(name), performance.now() + milliseconds / promises.length, told)
      verdicts.push(verdict)
      finished(verdict)
    }
    return verdicts
  })
}

/** Threads that try promises. */
export interface Crew {
  /** Goes on with a promise until `deadline` (of performance.now), until it has been tried as often as the plan says (or `runs`), or is broken; one share at the least. */
  go(tried: Tried, deadline: number, told: (verdict: Verdict) => void, runs?: number): Promise<Tried>
}

/** Has a crew do something, with what else has been seen. */
export async function withCrew(plan: Plan, work: (crew: Crew) => Promise<readonly Verdict[]>): Promise<Outcome> {
  const { path, bug, covers, threads = Math.min(THREADS, availableParallelism()) } = plan
  const workers = Array.from({ length: path === undefined ? threads : 1 }, () => startThread(bug, covers))
  const causes = new Map<number, number>()
  try {
    const verdicts = await work({
      go: (tried, deadline, told, runs = plan.runs) => goOn(workers, { ...plan, runs }, causes, tried, deadline, told),
    })
    const coverage = covers
      ? joined(await Promise.all(workers.map(worker => ask<readonly FileCoverage[]>(worker, { cover: true }))))
      : []
    return { verdicts, causes, coverage }
  } finally {
    await Promise.all(workers.map(worker => worker.terminate()))
  }
}

async function goOn(
  workers: readonly Worker[],
  { seed, path, runs }: Plan,
  causes: Map<number, number>,
  tried: Tried,
  deadline: number,
  told: (verdict: Verdict) => void,
): Promise<Tried> {
  const began = performance.now()
  const before = tried.verdict.seconds
  const first = tried.next
  let next = first
  let total = tried.verdict
  /** The share in which the promise was broken: earlier ones go on, since the first counts. */
  let broken = Infinity
  const work = async (worker: Worker) => {
    while (next * SHARE < runs && next < broken && (next === first || performance.now() < deadline)) {
      const share = next++
      const left = Math.max(1, deadline - performance.now())
      const { verdict, causes: seen } = await ask<ShareDone>(worker, {
        share: {
          promise: total.promise,
          seed: seed + share,
          runs: Math.min(SHARE, runs - share * SHARE),
          milliseconds: left,
          ...(path !== undefined && { path }),
        },
      })
      for (const [code, times] of seen) causes.set(code, (causes.get(code) ?? 0) + times)
      const isFirst = verdict.finding !== undefined && share < broken
      if (isFirst) broken = share
      total = {
        ...total,
        scenarios: total.scenarios + verdict.scenarios,
        exits: total.exits + verdict.exits,
        seconds: before + (performance.now() - began) / 1000,
        ...(isFirst && { finding: verdict.finding, again: verdict.again }),
      }
      told(total)
      if (path !== undefined) return
    }
  }
  await Promise.all(workers.map(work))
  return { next, verdict: total }
}

async function ask<T>(worker: Worker, message: ThreadMessage): Promise<T> {
  worker.postMessage(message)
  const [answer] = (await once(worker, 'message')) as [T]
  return answer
}

/** One in which sources are counted as they are loaded, with a bug planted if one is named; what was packed is counted already. */
function startThread(bug: string | undefined, covers: boolean): Worker {
  const source = import.meta.url.endsWith('.ts')
  const load = (path: string) => ['--import', new URL(path, import.meta.url).href]
  return new Worker(new URL(source ? './thread.ts' : './thread.js', import.meta.url), {
    workerData: { covers },
    ...(bug !== undefined && { env: { ...process.env, BAREHART_BUG: bug } }),
    execArgv: source ? [...load('../counting/register.ts'), ...(bug === undefined ? [] : load('./bugs/plant.ts'))] : [],
  })
}
