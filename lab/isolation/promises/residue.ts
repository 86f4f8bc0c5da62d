/** Residue: nothing of a previous owner is left, in memory or in devices. */
import fc from 'fast-check'
import { virtioMmio } from '../../../hw/spec/devices/virtio-mmio.ts'
import { senvcfg, scounteren } from '../../../hw/spec/csrs/supervisor.ts'
import { fcsr } from '../../../hw/spec/csrs/float.ts'
import { plic } from '../../../hw/spec/devices/plic.ts'
import { GUEST_MAP, GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import type { Arena } from '../arena.ts'
import { diskProgram } from '../disk-requests.ts'
import { bequeaths, ESTATE_PAGES, foundInEstate, inherits, OVERCOMMITTED } from '../estate-parts.ts'
import { found, watch } from '../judge.ts'
import { Ownership } from '../ownership.ts'
import { hostileProgram } from '../generators/hostile-virtio.ts'
import { bringUp, getRegister, resetDevice, ringAt, setRegister, type VirtioName } from '../generators/virtio-steps.ts'
import { DATA } from '../guest-runtime.ts'
import type { IsolationPromise } from '../promise.ts'
import type { Scenario, Step, Topology } from '../scenario.ts'
import { ioTopology } from '../topologies-io.ts'
import { difference, logOf } from '../view.ts'

const NAME = 'residue'

/** What two machines held in RAM before these guests came. */
const BEFORE = [1, 2] as const

/** How many steps of guest 0's program come after its devices had another driver. */
interface ResidueScenario extends Scenario {
  readonly after: readonly Step[]
  /** Or: pages of memory that it looks at when another guest has ended. */
  readonly inherited?: readonly number[]
}

const DEVICES: readonly VirtioName[] = ['disk', 'network', 'console']
const QUEUES: Readonly<Record<VirtioName, number>> = { disk: 1, network: 2, console: 2 }
const PENDING = GUEST_MAP.plic.base + plic.pending.at
const HALF_OF_A_GIB = 2 ** 29
const TIB = 2 ** 40

/** All that a new driver finds of a device, and whether it works for one. */
function lookOf(device: VirtioName): readonly Step[] {
  const queues = Array.from({ length: QUEUES[device] }, (_, index) => index)
  return [
    resetDevice(device),
    getRegister(device, virtioMmio.Status),
    getRegister(device, virtioMmio.InterruptStatus),
    { op: 'load', bytes: 4, signed: false, address: PENDING },
    ...queues.flatMap(index => [
      setRegister(device, virtioMmio.QueueSel, index),
      getRegister(device, virtioMmio.QueueReady),
      getRegister(device, virtioMmio.QueueNumMax),
    ]),
    ...bringUp(
      device,
      queues.map(index => ringAt(DATA + 0x4_0000 + index * 0x1000, 8)),
    ),
    ...queues.map(index => setRegister(device, virtioMmio.QueueNotify, index)),
    getRegister(device, virtioMmio.Status),
    getRegister(device, virtioMmio.InterruptStatus),
    { op: 'load', bytes: 4, signed: false, address: PENDING },
  ]
}

const read = (address: number): Step => ({ op: 'load', bytes: 8, signed: false, address })

/** The address behind the last of its memory. */
const BEHIND = GUEST_RAM + 8 * 2 ** 20

/** Places that a guest has not written to: its own memory, and where it has none. */
const untouched = fc.oneof(
  fc.integer({ min: 0, max: 0x3_ffff }).map(word => read(GUEST_RAM + 0x40_0000 + word * 8)),
  fc.integer({ min: 0, max: 255 }).map(page => read(GUEST_RAM + HALF_OF_A_GIB + page * 0x20_0000)),
  fc.integer({ min: 0, max: 1023 }).map(gib => read(TIB + gib * 2 ** 30)),
  fc.integer({ min: 0, max: 3 }).map(word => read(BEHIND + word * 8)),
)
const CSRS = [senvcfg, scounteren, fcsr]
/** Looks at them, and again when others have had the hart. */
const looked: readonly Step[] = [0, 1, 2].flatMap(() => [
  ...CSRS.map(({ number }): Step => ({ op: 'read', csr: number })),
  { op: 'wait', ticks: 30 },
])
/** What others leave there. */
const left: readonly Step[] = [0, 1].flatMap(() => [
  ...CSRS.map(({ number }): Step => ({ op: 'write', csr: number, value: 0x75 })),
  { op: 'wait', ticks: 20 },
])

/** The same guests of the hosted VMM. */
const inSmallPages = (topology: Topology): Topology => ({ ...topology, vmm: 'hosted', policy: { pages: 'small' } })

const reused = fc
  .record({
    looks: fc.array(untouched, { minLength: 1, maxLength: 24 }),
    harm: hostileProgram(DEVICES, 8, 3),
    devices: fc.shuffledSubarray([...DEVICES], { minLength: 1 }),
    other: hostileProgram(DEVICES, 8, 2),
    disk: fc.boolean(),
    topology: fc.constantFrom(
      ...[
        [0, 1],
        [0, 0],
      ].flatMap(harts => [
        ioTopology(harts, BEFORE[0]),
        ioTopology(harts, BEFORE[0]),
        inSmallPages(ioTopology(harts, BEFORE[0])),
      ]),
    ),
  })
  .map(({ looks, harm, devices, other, disk, topology }): ResidueScenario => {
    const request = {
      write: false,
      where: 'inside',
      offset: 3,
      sectors: 2,
      place: { kind: 'page', at: 0 },
      stamp: 1,
    } as const
    const after = [
      ...devices.flatMap(lookOf),
      ...(disk ? diskProgram([[request]], topology.guests[0].disk!.sectors) : []),
    ]
    return {
      topology,
      after,
      guests: [
        { programs: [[...looked, { op: 'digest' }, ...looks, ...harm, ...DEVICES.map(resetDevice), ...after]] },
        { programs: [[...left, { op: 'digest' }, ...other]] },
      ],
      actions: [],
      cycles: 40_000_000,
    }
  })

/** One ends, and another needs its memory. */
const inherited = fc
  .record({
    topology: fc.constantFrom(...OVERCOMMITTED),
    left: fc.shuffledSubarray([...ESTATE_PAGES], { minLength: 8 }),
    wanted: fc.shuffledSubarray([...ESTATE_PAGES], { minLength: 18 }),
  })
  .map(({ topology, left, wanted }): ResidueScenario => {
    return {
      topology,
      after: [],
      inherited: wanted,
      guests: [{ programs: [inherits(wanted)] }, { programs: [bequeaths(left)] }],
      actions: [],
      cycles: 200_000_000,
    }
  })

const arbitrary = fc.oneof({ weight: 9, arbitrary: reused }, { weight: 1, arbitrary: inherited })

/** A log, without the places of the steps in the program. */
function told(arena: Arena): readonly string[] {
  return logOf(arena, 0, 0).map(line => line.replace(/^0x8021[0-3][0-9a-f]{3} /, 'a copy to '))
}

function check(scenario: Scenario) {
  const { after, inherited } = scenario as ResidueScenario
  const { arena, run } = watch(scenario, [new Ownership()])
  if (run.sighting) return found(NAME, scenario, run, run.sighting)
  const where = arena.where()
  if (!run.finished) return found(NAME, scenario, run, { where, what: 'guest 0 does not come to its end' })
  if (inherited) {
    const what = foundInEstate(inherited, logOf(arena, 0, 0))
    return what === undefined ? undefined : found(NAME, scenario, run, { what, where })
  }
  const log = told(arena)
  const elsewhere = { ...scenario, topology: { ...scenario.topology, poison: BEFORE[1] } }
  const second = watch(elsewhere, []).run
  for (const [guest, view] of run.views.entries()) {
    const what = second.views[guest] ? difference(view, second.views[guest]) : second.failure
    if (what)
      return found(NAME, scenario, run, { where, what: `guest ${guest} finds what RAM held before it came: ${what}` })
  }
  // Whoever has never been harmed sees of the devices what those see who come after somebody.
  const unharmed = { ...scenario, guests: [{ programs: [[...looked, ...after]] }, { programs: [[]] }] }
  arena.run(unharmed)
  const fresh = told(arena)
  const first = looked.findIndex((_, index) => log[index] !== fresh[index])
  if (first >= 0) {
    const what = `guest 0 finds what another guest left in a register: ${log[first]} instead of ${fresh[first]}`
    return found(NAME, scenario, run, { what, where })
  }
  const last = [...log.slice(0, looked.length), ...log.slice(looked.length - fresh.length)]
  const at = fresh.findIndex((line, index) => line !== last[index])
  if (at < 0) return undefined
  const what = `a device is not as new after its reset: ${last[at]} instead of ${fresh[at]}`
  return found(NAME, scenario, run, { what, where })
}

export const residue: IsolationPromise = {
  name: NAME,
  sentence:
    'A guest finds nothing that another owner left: not in memory, tables or registers, whatever RAM held before, and a device that has been reset is as new.',
  arbitrary,
  check,
}
