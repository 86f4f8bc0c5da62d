/** The primitives of Debian's Linux, bare on our machine, against those of our host's kernel. */
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import { cpio } from '../linux/cpio.ts'
import { LinuxConsole } from '../linux/console.ts'
import { nicOnStation } from '../network.ts'
import type { Judge, Part, Row } from './calibration.ts'
import { runOnHost } from './host-kernel.ts'
import { hostPrimitives } from './host-programs.ts'
import { linuxFor, linuxImagesUsed } from './images.ts'
import { type Interval, Intervals } from './intervals.ts'
import { type Primitive, primitives } from './linux-programs.ts'

const DISK_SECTORS = (32 * 2 ** 20) / 512
/** Until the host's own start-up work is over. */
const SETTLE_SECONDS = 5
/** Each is run so often, the last one counts. */
const RUNS = 2
/** Ours that have another one's name beside them. */
const BESIDE: Readonly<Record<string, { readonly ours: string; readonly note: string }>> = {
  'context-switch': {
    ours: 'thread-switch',
    note: 'ours: threads of one process take turns by a lock; it has no pipes',
  },
  'udp-send': { ours: 'frame-send', note: 'ours: a frame through a tap; it has no sockets, UDP or IP' },
}

/** Cycles in which something ran: waiting for a disk is not the kernel's work. */
export function busyCycles({ rows }: Interval, operations: number): number {
  const busy = rows.filter(({ party }) => party !== 'idle').reduce((sum, { cycles }) => sum + cycles, 0)
  return busy / operations
}

/** Boots Linux on one hart and runs each program; tells what it has found, or why not. */
function onLinux(
  directory: string,
  chosen: readonly Primitive[],
  found: (primitive: Primitive, interval: Interval) => void,
  failed: (why: string) => void,
): void {
  const linux = new LinuxConsole({
    images: linuxFor(directory),
    harts: 1,
    archive: cpio(
      chosen.map(({ name, program }) => ({ path: `bin/${name}`, kind: 'file', data: program, executable: true })),
    ),
    disks: [new MemoryBacking(DISK_SECTORS)],
    nics: [nicOnStation()],
  })
  const intervals = new Intervals(linux.machine)
  linux.must(`sleep ${SETTLE_SECONDS}`)
  const done = new Set<string>()
  for (const primitive of chosen) {
    try {
      for (const command of primitive.before) if (!done.has(command)) linux.must(command)
      for (const command of primitive.before) done.add(command)
      for (let run = 0; run < RUNS; run++) linux.must(primitive.name)
      const last = intervals.found.at(-1)
      if (last) found(primitive, last)
    } catch (error) {
      failed(`${primitive.name}: ${(error as Error).message.split('\n')[0]}`)
    }
  }
}

async function run(directory: string, progress: (what: string) => void): Promise<Part> {
  const failures: string[] = []
  const rows: Row[] = []
  const ours = new Map<string, number>()
  const notes = new Map<string, string>()
  try {
    const images = linuxImagesUsed(directory)
    for (const primitive of hostPrimitives()) {
      progress(`${primitive.name} on our host`)
      ours.set(primitive.name, busyCycles(runOnHost(primitive), primitive.operations))
      if (primitive.note) notes.set(primitive.name, primitive.note)
    }
    progress("Linux's primitives")
    onLinux(
      directory,
      primitives(),
      ({ name, does, operations }, interval) => {
        const beside = BESIDE[name]
        const value = ours.get(beside?.ours ?? name)
        const note = beside?.note ?? notes.get(name)
        if (value === undefined) return
        rows.push({
          name,
          does,
          real: { Linux: busyCycles(interval, operations) },
          judge: 'Linux',
          ours: { 'our host': value },
          ...(note && { note }),
        })
      },
      why => failures.push(why),
    )
    return { date: new Date().toISOString(), images, rows, absent: [], failures }
  } catch (error) {
    failures.push((error as Error).message)
    return { date: new Date().toISOString(), images: [], rows, absent: [], failures }
  }
}

export const linuxJudge: Judge = { name: 'linux', title: "Debian's kernel against our host's", run }
