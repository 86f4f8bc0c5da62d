/** The primitives of Debian's Linux, bare on our machine, against those of our host's kernel: the same programs, byte for byte. */
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import { cpio } from '../linux/cpio.ts'
import { LinuxConsole } from '../linux/console.ts'
import { nicOnStation } from '../network.ts'
import type { ImageUsed, Judge, Part, Row } from './calibration.ts'
import { runProgramOnHost } from './host-primitives.ts'
import { linuxFor, linuxImagesUsed } from './images.ts'
import { type Interval, Intervals } from './intervals.ts'
import { type Primitive, primitives } from './linux-programs.ts'

const DISK_SECTORS = (32 * 2 ** 20) / 512
/** Until the host's own start-up work is over. */
const SETTLE_SECONDS = 5
/** Each is run so often, the last one counts. */
const RUNS = 2
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
  const images: ImageUsed[] = []
  const real = new Map<string, number>()
  const ours = new Map<string, number>()
  const all = primitives()
  try {
    images.push(...linuxImagesUsed(directory))
    progress("Linux's primitives")
    const found = ({ name, operations }: Primitive, interval: Interval) =>
      real.set(name, busyCycles(interval, operations))
    onLinux(directory, all, found, why => failures.push(why))
    for (const { name, program, operations } of all) {
      progress(`${name} on our host`)
      try {
        ours.set(name, busyCycles(runProgramOnHost(name, program), operations))
      } catch (error) {
        failures.push((error as Error).message)
      }
    }
  } catch (error) {
    failures.push((error as Error).message)
  }
  const rows = all.flatMap(({ name, does }): readonly Row[] => {
    const [linux, host] = [real.get(name), ours.get(name)]
    return linux === undefined || host === undefined
      ? []
      : [{ name, does, real: { Linux: linux }, judge: 'Linux', ours: { 'our host': host } }]
  })
  return { date: new Date().toISOString(), images, rows, absent: [], failures }
}

export const linuxJudge: Judge = { name: 'linux', title: "Debian's kernel against our host's", run }
