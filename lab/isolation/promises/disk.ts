/** Disk: a guest's sectors are its own. */
import fc from 'fast-check'
import type { Arena } from '../arena.ts'
import { SECTOR } from '../disk-image.ts'
import {
  type DiskBatch,
  type DiskOutcome,
  diskOutcome,
  diskProgram,
  DISK_SLOTS,
  MOST_SECTORS,
} from '../disk-requests.ts'
import { sectorImage } from '../disk-image.ts'
import { found, watch } from '../judge.ts'
import { stillLent } from '../lent.ts'
import { Ownership } from '../ownership.ts'
import type { IsolationPromise } from '../promise.ts'
import type { Scenario, Topology } from '../scenario.ts'
import { diskTopologies, hostedDiskTopologies } from '../topologies-io.ts'
import { GUARDED, SERVED } from '../topologies-placed.ts'

const NAME = 'disk'

/** By guest: what it asks of its disk. */
interface DiskScenario extends Scenario {
  readonly requests: readonly (readonly DiskBatch[])[]
}

const place = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('page' as const),
      at: fc.integer({ min: 0, max: 1023 }).map(word => word * 4),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crossing' as const), at: fc.integer({ min: 1, max: 8 }) }) },
)
const request = fc.record({
  write: fc.boolean(),
  where: fc.oneof(
    { weight: 6, arbitrary: fc.constant('inside' as const) },
    { weight: 1, arbitrary: fc.constantFrom('last' as const, 'beyond' as const, 'wrapped' as const) },
  ),
  offset: fc.integer({ min: 0, max: 39 }),
  sectors: fc.integer({ min: 1, max: MOST_SECTORS }),
  place,
  stamp: fc.integer({ min: 1, max: 0x7fff }),
})
const batches = fc.array(fc.array(request, { minLength: 1, maxLength: DISK_SLOTS }), { minLength: 1, maxLength: 3 })

const topologies = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...diskTopologies()) },
  { weight: 2, arbitrary: fc.constantFrom(...SERVED, ...GUARDED) },
  { weight: 1, arbitrary: fc.constantFrom(...hostedDiskTopologies()) },
)
const arbitrary = fc.record({ topology: topologies, requests: fc.tuple(batches, batches) }).map(
  ({ topology, requests }): DiskScenario => ({
    topology,
    requests,
    guests: requests.map((own, guest) => ({ programs: [diskProgram(own, topology.guests[guest].disk!.sectors)] })),
    actions: [],
    everyone: true,
    cycles: 60_000_000,
  }),
)

/** Guests' pages are lent to the device for a request. */
const isLent = ({ iommu, placements }: Topology) =>
  iommu === true && placements?.disk?.at === 'server' && placements.disk.transfer !== 'copy'

function check(scenario: Scenario) {
  const { arena, run } = watch(scenario, [new Ownership()])
  if (run.sighting) return found(NAME, scenario, run, run.sighting)
  const { requests } = scenario as DiskScenario
  const outcomes = requests.map((own, guest) => {
    const { first, sectors } = scenario.topology.guests[guest].disk!
    return diskOutcome(own, first, sectors)
  })
  const what = run.finished
    ? (memoryWrong(arena, outcomes) ??
      diskWrong(arena, outcomes) ??
      (isLent(scenario.topology) ? stillLent(arena) : undefined))
    : 'a disk does not answer'
  return what === undefined ? undefined : found(NAME, scenario, run, { what, where: arena.where() })
}

function memoryWrong(arena: Arena, outcomes: readonly DiskOutcome[]): string | undefined {
  for (const [guest, { memory }] of outcomes.entries()) {
    for (const [address, bytes] of memory) {
      const host = arena.pages[guest].find(address)
      // A host's process has written there, and the guest has not looked.
      if (host < 0 && arena.topology.vmm === 'hosted') continue
      if (host < 0) return `guest ${guest}: nothing is mapped at 0x${address.toString(16)}, where its disk was to write`
      const at = arena.machine.memory.bytes
        .subarray(host, host + bytes.length)
        .findIndex((byte, index) => byte !== bytes[index])
      if (at < 0) continue
      const seen = arena.machine.memory.bytes[host + at]
      return `guest ${guest}: at 0x${(address + at).toString(16)} its disk was to leave ${bytes[at]}, and there is ${seen}`
    }
  }
  return undefined
}

/** Every sector of the machine's disk is as its owner left it, or as it was. */
function diskWrong(arena: Arena, outcomes: readonly DiskOutcome[]): string | undefined {
  // A host has files where guests have disks, and writes to them when it likes.
  if (arena.topology.vmm === 'hosted') return undefined
  const [disk] = arena.system.disks
  const expected = new Map<number, { readonly guest: number; readonly bytes: Uint8Array }>()
  for (const [guest, { written }] of outcomes.entries()) {
    const { first } = arena.topology.guests[guest].disk!
    for (const [sector, bytes] of written) expected.set(first + sector, { guest, bytes })
  }
  const all = new Uint8Array(disk.sectors * SECTOR)
  disk.read(0, all)
  for (let sector = 0; sector < disk.sectors; sector++) {
    const owned = expected.get(sector)
    const bytes = owned?.bytes ?? sectorImage(sector)
    const at = bytes.findIndex((byte, index) => byte !== all[sector * SECTOR + index])
    if (at < 0) continue
    return owned
      ? `sector ${sector} of the disk is not what guest ${owned.guest} wrote there`
      : `sector ${sector} of the disk has changed, and nobody to whom it belongs has written there`
  }
  return undefined
}

export const disk: IsolationPromise = {
  name: NAME,
  sentence:
    'A guest’s disk is its part of the machine’s: it reads there what was there or what it wrote last, its writes change these sectors and no others, and what lies outside is refused.',
  arbitrary,
  check,
}
