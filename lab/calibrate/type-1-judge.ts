/** Real type-1 hypervisors against our native VMM: the same guests, the same machine. */
import { BENCHMARKS, numberOf } from '../../guests/micro/index.ts'
import type { Configuration } from '../study/configurations.ts'
import { measure, type Result } from '../study/measure.ts'
import { runMicro } from '../study/micro.ts'
import type { ImageUsed, Judge, Part, Row } from './calibration.ts'
import { hashOf } from './images.ts'
import { calibrateType1 } from './type-1.ts'
import { readType1Images, type Type1Image } from './type-1-images.ts'
import { measureUnder, PLAIN_WORKLOADS } from './type-1-workloads.ts'

/** The second keeps account of the hart and sees every wfi, as Xvisor does even for one guest. */
const OURS: readonly Configuration[] = ['native', 'native-shared']

/** How Xvisor is set up where it is not as it comes. */
const NOTES: Readonly<Record<string, string>> = {
  'timer-latency-noisy':
    'with a higher priority in Xvisor; with the same, a vCPU that wakes up waits until the turn of the other (10 ms) is over',
}

/** What was found under a real hypervisor. */
interface Real {
  readonly project: string
  readonly name: string
  readonly value: number
}

/** What a part is gathered in. */
interface Findings {
  readonly real: Real[]
  readonly ours: Result[]
  readonly absent: { name: string; why: string }[]
  readonly failures: string[]
}

type Progress = (what: string) => void

async function microbenchmarks(directory: string, { real, ours, absent, failures }: Findings, progress: Progress) {
  for (const { project, results, absent: lacks } of await calibrateType1(directory, progress)) {
    real.push(...results.map(({ name, value }) => ({ project, name, value })))
    absent.push(...lacks.map(({ name, why }) => ({ name, why: `${project}: ${why}` })))
    if (results.length === 0)
      failures.push(
        `${project}: the guest did not begin; its image is to be as docs/calibration-type-1.md describes it`,
      )
  }
  for (const configuration of OURS) {
    progress(`ours (${configuration})`)
    const outcome = await runMicro(configuration, {})
    ours.push(...outcome.results)
    failures.push(...outcome.failures)
  }
}

async function workloads(images: readonly Type1Image[], { real, ours, absent }: Findings, progress: Progress) {
  // Those under which the microbenchmarks have begun.
  const able = images.filter(({ project }) => real.some(found => found.project === project))
  for (const workload of able.length > 0 ? PLAIN_WORKLOADS : []) {
    const { name } = workload
    progress(`workload ${name}`)
    for (const image of able) {
      const { project } = image
      try {
        real.push({ project, name, value: await measureUnder(image, workload) })
      } catch (error) {
        absent.push({ name, why: `${project}: ${(error as Error).message}` })
      }
    }
    for (const configuration of OURS) ours.push(await measure(workload, configuration))
  }
}

/** The fastest of the real ones judges. */
function rowOf(name: string, does: string, { real, ours }: Findings): Row | undefined {
  const values = real.filter(found => found.name === name)
  const fastest = values.toSorted((a, b) => a.value - b.value)[0]
  const mine = ours.filter(({ workload }) => workload === name)
  if (!fastest || mine.length === 0) return undefined
  const note = NOTES[name]
  return {
    name,
    does,
    real: Object.fromEntries(values.map(({ project, value }) => [project, value])),
    judge: fastest.project,
    ours: Object.fromEntries(mine.map(({ configuration, value }) => [configuration, value])),
    orBetter: true,
    ...(note !== undefined && { note }),
  }
}

async function run(directory: string, progress: Progress): Promise<Part> {
  const used: ImageUsed[] = []
  const findings: Findings = { real: [], ours: [], absent: [], failures: [] }
  const { absent, failures } = findings
  try {
    const images = readType1Images(directory)
    for (const { project, version, image } of images) used.push({ name: project, version, sha256: hashOf(image) })
    await microbenchmarks(directory, findings, progress)
    await workloads(images, findings, progress)
  } catch (error) {
    failures.push((error as Error).message)
  }
  const rows = [...BENCHMARKS, ...PLAIN_WORKLOADS].flatMap(({ name, does }) => rowOf(name, does, findings) ?? [])
  const order = (a: { readonly name: string }, b: { readonly name: string }) => numberOf(a.name) - numberOf(b.name)
  return { date: new Date().toISOString(), images: used, rows, absent: absent.toSorted(order), failures }
}

export const type1Judge: Judge = { name: 'type-1', title: 'Real type-1 hypervisors against our native VMM', run }
