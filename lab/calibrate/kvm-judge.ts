/** Real KVMs against our hosted model: the same guest, the same machine. */
import { BENCHMARKS } from '../../guests/micro/index.ts'
import type { Configuration } from '../study/configurations.ts'
import { runMicro } from '../study/micro.ts'
import type { ImageUsed, Judge, Part, Row } from './calibration.ts'
import { hasVmm, type HostedVmm, HOSTED_VMMS } from './hosted-vmms.ts'
import { imageUsed, linuxFor, linuxImagesUsed } from './images.ts'
import { type KvmOutcome, measureKvm, SETTINGS } from './kvm.ts'

/** Where the default is not what Linux does with its own defaults, and why. */
const COUNTERPARTS: Readonly<Record<string, { readonly configuration: Configuration; readonly why: string }>> = {
  'stage2-fault': {
    configuration: 'hosted-small-pages',
    why: "KVM maps 4 KiB here: the VMM's memory has no large pages",
  },
}

async function ours(progress: (what: string) => void, failures: string[]): Promise<Map<string, Map<string, number>>> {
  const found = new Map<string, Map<string, number>>()
  const wanted = new Set<Configuration>([
    'hosted',
    ...Object.values(COUNTERPARTS).map(({ configuration }) => configuration),
  ])
  for (const configuration of wanted) {
    progress(`ours (${configuration})`)
    const { results, failures: failed } = await runMicro(configuration, {})
    failures.push(...failed)
    found.set(configuration, new Map(results.map(({ workload, value }) => [workload, value])))
  }
  return found
}

/** All that one VMM gives; a setting that fails is a line. */
function theirs(
  directory: string,
  vmm: HostedVmm,
  progress: (what: string) => void,
  failures: string[],
): Map<string, KvmOutcome> {
  const linux = linuxFor(directory)
  const found = new Map<string, KvmOutcome>()
  for (const setting of SETTINGS) {
    progress(`KVM and ${vmm.name}, ${setting.name}`)
    try {
      for (const outcome of measureKvm(linux, directory, vmm, setting)) found.set(outcome.benchmark, outcome)
    } catch (error) {
      failures.push(`${vmm.name}, ${setting.name}: ${(error as Error).message.split('\n').slice(0, 3).join(' ')}`)
    }
  }
  return found
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
      real.set(vmm.name, theirs(directory, vmm, progress, failures))
      images.push(imageUsed(directory, vmm.file, vmm.name))
    }
  } catch (error) {
    failures.push((error as Error).message)
  }
  const judge = present[0]?.name ?? ''
  const model = real.size > 0 ? await ours(progress, failures) : new Map<string, Map<string, number>>()
  const rows: Row[] = []
  const absent: { name: string; why: string }[] = []
  for (const { name, does } of BENCHMARKS) {
    const outcomes = [...real].map(([vmm, found]) => [vmm, found.get(name)] as const)
    const cycles = outcomes.flatMap(([vmm, found]) =>
      found && 'cycles' in found ? [[vmm, found.cycles] as const] : [],
    )
    const counterpart = COUNTERPARTS[name]
    const order = [...new Set([counterpart?.configuration ?? 'hosted', 'hosted'])]
    const mine = order.flatMap(configuration => {
      const value = model.get(configuration)?.get(name)
      return value === undefined ? [] : [[configuration, value] as const]
    })
    if (cycles.length > 0 && mine.length > 0)
      rows.push({
        name,
        does,
        real: Object.fromEntries(cycles),
        judge,
        ours: Object.fromEntries(mine),
        ...(counterpart && { note: counterpart.why }),
      })
    else if (real.size > 0) {
      const why = outcomes.flatMap(([, found]) => (found && 'absent' in found ? [found.absent] : []))
      absent.push({ name, why: why[0] ?? (mine.length === 0 ? 'ours lacks it' : 'not measured') })
    }
  }
  return { date: new Date().toISOString(), images, rows, absent, failures }
}

export const kvmJudge: Judge = { name: 'kvm', title: "Debian's KVM against our hosted model", run }
