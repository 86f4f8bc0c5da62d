/** Real type-1 hypervisors against our native VMM: the same guest, the same machine. */
import { BENCHMARKS, numberOf } from '../../guests/micro/index.ts'
import type { Result } from '../study/measure.ts'
import { runMicro } from '../study/micro.ts'
import type { Configuration } from '../study/configurations.ts'
import type { ImageUsed, Judge, Part, Row } from './calibration.ts'
import { hashOf } from './images.ts'
import { calibrateType1, type Type1Result } from './type-1.ts'
import { readType1Images } from './type-1-images.ts'

/** The second keeps account of the hart and sees every wfi, as Xvisor does even for one guest. */
const OURS: readonly Configuration[] = ['native', 'native-shared']

/** How Xvisor is set up where it is not as it comes. */
const NOTES: Readonly<Record<string, string>> = {
  'timer-latency-noisy':
    'with a higher priority in Xvisor; with the same, a vCPU that wakes up waits until the turn of the other (10 ms) is over',
}

/** The fastest of the real ones judges. */
function rowOf(name: string, does: string, found: readonly Type1Result[], ours: Row['ours']): Row | undefined {
  const real = found.flatMap(({ project, results }) =>
    results.filter(result => result.name === name).map(({ value }) => [project, value] as const),
  )
  const [fastest] = real.toSorted(([, a], [, b]) => a - b)
  if (!fastest) return undefined
  const note = NOTES[name]
  return {
    name,
    does,
    real: Object.fromEntries(real),
    judge: fastest[0],
    ours,
    orBetter: true,
    ...(note !== undefined && { note }),
  }
}

async function run(directory: string, progress: (what: string) => void): Promise<Part> {
  const failures: string[] = []
  const images: ImageUsed[] = []
  const rows: Row[] = []
  const absent: { name: string; why: string }[] = []
  try {
    for (const { project, version, image } of readType1Images(directory))
      images.push({ name: project, version, sha256: hashOf(image) })
    const found = await calibrateType1(directory, progress)
    const ours: Result[] = []
    for (const configuration of OURS) {
      progress(`ours (${configuration})`)
      const { results, failures: failed } = await runMicro(configuration, {})
      ours.push(...results)
      failures.push(...failed)
    }
    for (const { name, does } of BENCHMARKS) {
      const mine = ours.filter(({ workload }) => workload === name)
      const values = Object.fromEntries(mine.map(({ configuration, value }) => [configuration, value]))
      const row = mine.length === 0 ? undefined : rowOf(name, does, found, values)
      if (row) rows.push(row)
      else absent.push({ name, why: mine.length === 0 ? 'ours lacks it' : 'none of them has it' })
    }
    for (const { project, results } of found) {
      if (results.length === 0)
        failures.push(
          `${project}: the guest did not begin; its image is to be as docs/calibration-type-1.md describes it`,
        )
    }
    for (const { project, absent: lacks } of found)
      absent.push(...lacks.map(({ name, why }) => ({ name, why: `${project}: ${why}` })))
  } catch (error) {
    failures.push((error as Error).message)
  }
  const order = (a: { readonly name: string }, b: { readonly name: string }) => numberOf(a.name) - numberOf(b.name)
  return { date: new Date().toISOString(), images, rows, absent: absent.toSorted(order), failures }
}

export const type1Judge: Judge = { name: 'type-1', title: 'Real type-1 hypervisors against our native VMM', run }
