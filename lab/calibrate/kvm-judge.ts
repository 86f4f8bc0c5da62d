/** Real KVMs against our hosted model: the same guest, the same machine. */
import { BENCHMARKS, type Benchmark } from '../../guests/micro/index.ts'
import type { Party } from '../../hw/spec/ledger.ts'
import type { Configuration } from '../study/configurations.ts'
import type { Result } from '../study/measure.ts'
import { runMicro } from '../study/micro.ts'
import type { ImageUsed, Judge, Part, Row, Spent } from './calibration.ts'
import { hasVmm, type HostedVmm, HOSTED_VMMS, vmmArchive } from './hosted-vmms.ts'
import { imageUsed, linuxFor, linuxImagesUsed } from './images.ts'
import { type KvmOutcome, type KvmResult, measureKvm, SETTINGS } from './kvm.ts'

const SMALL_PAGES = {
  configuration: 'hosted-small-pages',
  why: "KVM maps 4 KiB here: the VMM's memory has no large pages",
} as const

/** Where the default is not what Linux does with its own defaults, and why. */
const COUNTERPARTS: Readonly<Record<string, { readonly configuration: Configuration; readonly why: string }>> = {
  'stage2-fault': SMALL_PAGES,
  'page-fault': SMALL_PAGES,
}

/** Our results by configuration and benchmark. */
type Model = ReadonlyMap<string, ReadonlyMap<string, Result>>

async function ours(progress: (what: string) => void, failures: string[]): Promise<Model> {
  const found = new Map<string, ReadonlyMap<string, Result>>()
  const wanted = new Set<Configuration>([
    'hosted',
    ...Object.values(COUNTERPARTS).map(({ configuration }) => configuration),
  ])
  for (const configuration of wanted) {
    progress(`ours (${configuration})`)
    const { results, failures: failed } = await runMicro(configuration, {})
    failures.push(...failed)
    found.set(configuration, new Map(results.map(result => [result.workload, result])))
  }
  return found
}

function spentOf(ledger: Result['ledger'] | KvmResult['ledger'], operations: number): Spent {
  const spent: Partial<Record<Party, number>> = {}
  for (const { party, activity, cycles } of ledger)
    if (party !== 'idle' && activity !== 'waiting') spent[party] = (spent[party] ?? 0) + cycles / operations
  return spent
}

/** A result says what all harts did together; each hart's clock went on by as much. */
function operationsOf({ cycles, value, harts }: Result): number {
  return cycles / harts / value
}

/** All that one VMM gives; a setting that fails is a line. Throws if its image is none. */
function theirs(
  directory: string,
  vmm: HostedVmm,
  progress: (what: string) => void,
  failures: string[],
): Map<string, KvmOutcome> {
  const linux = linuxFor(directory)
  const archive = vmmArchive(directory, vmm)
  const found = new Map<string, KvmOutcome>()
  for (const setting of SETTINGS) {
    progress(`KVM and ${vmm.name}, ${setting.name}`)
    try {
      for (const outcome of measureKvm(linux, archive, vmm, setting)) found.set(outcome.benchmark, outcome)
    } catch (error) {
      failures.push(`${vmm.name}, ${setting.name}: ${(error as Error).message.split('\n').slice(0, 3).join(' ')}`)
    }
  }
  return found
}

function rowOf(
  { name, does }: Benchmark,
  judge: string,
  real: readonly (readonly [string, KvmResult])[],
  model: Model,
): Row | undefined {
  const counterpart = COUNTERPARTS[name]
  const configurations = [...new Set([counterpart?.configuration ?? 'hosted', 'hosted'])]
  const mine = configurations.flatMap(configuration => {
    const result = model.get(configuration)?.get(name)
    return result ? [[configuration, result] as const] : []
  })
  if (real.length === 0 || mine.length === 0) return undefined
  return {
    name,
    does,
    real: Object.fromEntries(real.map(([vmm, { cycles }]) => [vmm, cycles])),
    judge,
    ours: Object.fromEntries(mine.map(([configuration, { value }]) => [configuration, value])),
    spent: Object.fromEntries([
      ...real.map(([vmm, { ledger, operations }]) => [vmm, spentOf(ledger, operations)] as const),
      ...mine.map(([configuration, result]) => [configuration, spentOf(result.ledger, operationsOf(result))] as const),
    ]),
    ...(counterpart && { note: counterpart.why }),
  }
}

async function run(directory: string, progress: (what: string) => void): Promise<Part> {
  const failures: string[] = []
  const images: ImageUsed[] = []
  const real = new Map<string, Map<string, KvmOutcome>>()
  const present = HOSTED_VMMS.filter(vmm => hasVmm(directory, vmm))
  try {
    images.push(...linuxImagesUsed(directory))
    if (present.length === 0)
      failures.push(
        `no hosted VMM in ${directory}: run \`barehart linux --vmm\` for Debian's QEMU, or build kvmtool (docs/calibration.md) as ${HOSTED_VMMS[0].file} there`,
      )
    for (const vmm of present) {
      try {
        const found = theirs(directory, vmm, progress, failures)
        if (found.size > 0) real.set(vmm.name, found)
        images.push(imageUsed(directory, vmm.file, vmm.name))
      } catch (error) {
        failures.push((error as Error).message)
      }
    }
  } catch (error) {
    failures.push((error as Error).message)
  }
  const rows: Row[] = []
  const absent: { name: string; why: string }[] = []
  if (real.size > 0) {
    const model = await ours(progress, failures)
    for (const benchmark of BENCHMARKS) {
      const { name } = benchmark
      const outcomes = [...real].map(([vmm, found]) => [vmm, found.get(name)] as const)
      const results = outcomes.flatMap(([vmm, found]) => (found && 'cycles' in found ? [[vmm, found] as const] : []))
      const judge = results[0]?.[0] ?? ''
      const row = rowOf(benchmark, judge, results, model)
      if (row) rows.push(row)
      else {
        const why = outcomes.flatMap(([, found]) => (found && 'absent' in found ? [found.absent] : []))
        absent.push({ name, why: why[0] ?? (results.length > 0 ? 'ours lacks it' : 'not measured') })
      }
    }
  }
  return { date: new Date().toISOString(), images, rows, absent, failures }
}

export const kvmJudge: Judge = { name: 'kvm', title: "Debian's KVM against our hosted model", run }
