/** The micro guest under Debian's KVM and a hosted VMM, on our machine: exact cycles from its marks. */
import { BENCHMARKS, type Benchmark, bootargsFor, numberOf } from '../../guests/micro/index.ts'
import type { LinuxImages } from '../linux/debian.ts'
import { LinuxConsole } from '../linux/console.ts'
import { MicroRecorder, type SpanRow, type Spans } from '../study/micro-recorder.ts'
import type { HostedVmm } from './hosted-vmms.ts'

/** What the guest and the machine said of a benchmark. Cycles are per operation. */
export interface KvmResult {
  readonly benchmark: string
  /** By its marks; by the guest's clock where its marks do not pair. */
  readonly cycles: number
  /** As the guest's own clock has it. */
  readonly cyclesByClock: number
  readonly operations: number
  /** Of all harts, of all operations. */
  readonly ledger: readonly SpanRow[]
}
export interface KvmAbsence {
  readonly benchmark: string
  readonly absent: string
}
export type KvmOutcome = KvmResult | KvmAbsence

/** Benchmarks that one boot of the host measures. */
export interface Setting {
  readonly name: string
  readonly harts: number
  readonly vcpus: number
  readonly benchmarks: readonly string[]
}

const namesOf = (benchmarks: readonly Benchmark[]) => benchmarks.map(({ name }) => name)

/**
 * As our own VMMs are measured (lab/study/micro-machine.ts): two vCPUs and a hart to spare, without which a backend in a
 * thread of its own waits for a turn of a vCPU's to end; and on one hart what shares it.
 */
export const SETTINGS: readonly Setting[] = [
  { name: 'two vCPUs', harts: 3, vcpus: 2, benchmarks: namesOf(BENCHMARKS.filter(({ neighbour }) => !neighbour)) },
  { name: 'two guests', harts: 1, vcpus: 1, benchmarks: namesOf(BENCHMARKS.filter(({ neighbour }) => neighbour)) },
]

const RAM_BYTES = 512 * 2 ** 20
const GUEST_MIB = 64
/** Cycles of a turn while the guest is measured: what a hart stores to memory is seen by the other at a turn's end. */
const SLICE = 20
const CYCLES_A_TICK = 100
/** Of the machine: until the host's own start-up work is over, and at most for a guest. */
const SETTLE_SECONDS = 5
const GUEST_SECONDS = 60

/** Whoever owns the modes when Linux is the host. */
const PARTIES = {
  machine: 'firmware',
  supervisor: 'host kernel',
  user: 'vmm process',
  virtualSupervisor: 'guest',
  virtualUser: 'guest',
} as const

/** Boots the host, with a VMM's archive, and runs the setting's benchmarks. Throws if the host or the guest fails. */
export function measureKvm(
  linux: LinuxImages,
  archive: Uint8Array,
  vmm: HostedVmm,
  { harts, vcpus, benchmarks }: Setting,
): readonly KvmOutcome[] {
  const host = new LinuxConsole({
    images: linux,
    harts,
    ramBytes: RAM_BYTES,
    archive,
    parties: PARTIES,
  })
  host.must(`sleep ${SETTLE_SECONDS}`)
  host.must('load kvm')
  const recorder = new MicroRecorder(host.machine)
  const chosen = BENCHMARKS.filter(({ name }) => benchmarks.includes(name))
  const groups = Map.groupBy(chosen, ({ neighbour }) => neighbour)
  const said = [...groups].map(([neighbour, group]) => runGroup(host, vmm, vcpus, group, neighbour)).join('')
  const spans = recorder.spans()
  return chosen.map(({ name }) =>
    outcome(
      name,
      said,
      spans.find(({ number }) => number === numberOf(name)),
    ),
  )
}

/** Runs the guest for these benchmarks, with the neighbour that they need; returns what it said. */
function runGroup(
  host: LinuxConsole,
  vmm: HostedVmm,
  vcpus: number,
  group: readonly Benchmark[],
  neighbour: Benchmark['neighbour'],
): string {
  const bootargs = bootargsFor(namesOf(group))
  const run = vmm.command({ vcpus, memory: GUEST_MIB, bootargs, disk: true })
  host.slice = SLICE
  if (!neighbour) return host.must(run, GUEST_SECONDS)
  const other = vmm.command({ vcpus: 1, memory: GUEST_MIB, bootargs: `micro=${neighbour}`, disk: false })
  host.must(`${other} </dev/null >/dev/null 2>&1 &`)
  host.must('sleep 1')
  const said = host.must(run, GUEST_SECONDS)
  host.must('kill $!; wait')
  return said
}

function outcome(benchmark: string, said: string, spans: Spans | undefined): KvmOutcome {
  const line = new RegExp(`^micro ${benchmark} (\\S+) (.*?)\\r?$`, 'm').exec(said)
  if (!line) return { benchmark, absent: /^micro trap .*/m.exec(said)?.[0] ?? 'the guest did not say' }
  const [, operations = '', rest = ''] = line
  if (operations === 'absent') return { benchmark, absent: rest }
  const cyclesByClock = (Number(rest) * CYCLES_A_TICK) / Number(operations)
  return {
    benchmark,
    cycles: spans ? spans.cycles / ((Number(operations) * spans.spans) / (spans.spans + spans.strays)) : cyclesByClock,
    cyclesByClock,
    operations: Number(operations),
    ledger: spans?.ledger ?? [],
  }
}
