/**
 * Consolidation: more and more guests on one machine, until the next does not fit; how much is done then, by each and in
 * all; and what the hypervisor, or the host, takes for itself: memory that no guest can have, and time while all sleep.
 */
import { setImmediate } from 'node:timers/promises'
import { gluttonImage } from '../../guests/workloads/glutton.ts'
import { tenant } from '../../guests/workloads/tenant.ts'
import { guestImage } from '../../guests/image.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import { buildSystem, type System, type SystemGuest } from '../system.ts'
import { configurationHash } from './configuration-hash.ts'
import { type Configuration, configurationNamed, hartsNeeded } from './configurations.ts'

export interface ConsolidationPoint {
  readonly guests: number
  /** From the first guest's start to the last one's end. */
  readonly cycles: number
  /** Requests a second of all guests together, and of each. */
  readonly total: number
  readonly each: number
  readonly traceHash: string
}

export interface Consolidation {
  readonly configuration: Configuration
  readonly ramBytes: number
  readonly guestBytes: number
  readonly harts: number
  readonly points: readonly ConsolidationPoint[]
  /** Why there is no guest more. */
  readonly limit: string
  /** What one guest can have of the RAM, image included, in whole 2 MiB. */
  readonly availableBytes: number
  /** Cycles of a second in which the machine's only guest sleeps that are spent all the same. */
  readonly restCycles: number
  readonly configurationHash: string
}

const MIB = 2 ** 20
const RAM_BYTES = 192 * MIB
/** Each guest may have so much, and takes what `tenant` needs. */
const GUEST_BYTES = 16 * MIB
/** More than fit. */
export const MOST_GUESTS = 31
const TURN = 20_000_000
const PATIENCE = 1_000_000_000
const REQUESTS = tenant.operations ?? 1

const SLEEPER = `
start:
    mark.start
    csrw sie, zero
1:  wfi
    j 1b
`

/** `told` hears of each machine that is about to run. */
export async function consolidation(
  configuration: Configuration,
  most: number,
  told: (what: string) => void,
): Promise<Consolidation> {
  const { bytes } = tenant.image()
  const points: ConsolidationPoint[] = []
  let limit = `${most} were asked for`
  while (points.length < most) {
    const guests = points.length + 1
    told(`${guests} guests (${configuration})`)
    const found = await crowd(configuration, guests, bytes)
    if (typeof found === 'string') {
      limit = found
      break
    }
    points.push(found)
  }
  told(`memory and rest (${configuration})`)
  return {
    configuration,
    ramBytes: RAM_BYTES,
    guestBytes: GUEST_BYTES,
    harts: hartsNeeded([configuration]),
    points,
    limit,
    availableBytes: await available(configuration),
    restCycles: await atRest(configuration),
    configurationHash: configurationHash({ ...configurationNamed(configuration), RAM_BYTES, GUEST_BYTES }, [bytes]),
  }
}

function systemOf(
  configuration: Configuration,
  guests: readonly Pick<SystemGuest, 'kernel' | 'memoryBytes'>[],
): System {
  const { vmm, hostPolicy, cap = 0 } = configurationNamed(configuration)
  if (vmm === 'none') throw new Error(`${configuration}: there is nobody to share the machine among guests`)
  return buildSystem({
    configuration: vmm,
    harts: hartsNeeded([configuration]),
    ramBytes: RAM_BYTES,
    guests: guests.map((guest, index) => ({
      ...guest,
      label: `guest ${index + 1}`,
      vcpus: 1,
      harts: [0],
      weight: 256,
      cap,
      bootargs: '',
    })),
    ...(hostPolicy && { hostPolicy }),
  })
}

/** So many tenants side by side; in words, why they cannot be. */
async function crowd(
  configuration: Configuration,
  count: number,
  kernel: Uint8Array,
): Promise<ConsolidationPoint | string> {
  let system: System
  try {
    const guest = { kernel, memoryBytes: GUEST_BYTES }
    system = systemOf(
      configuration,
      Array.from({ length: count }, () => guest),
    )
  } catch (error) {
    return `${count} do not fit: ${(error as Error).message}`
  }
  const { machine } = system
  let [first, ended] = [-1, 0]
  for (;;) {
    const stop = machine.run({ marks: true, untilCycle: machine.now() + TURN })
    if (stop.kind === 'mark' && stop.mark === 'start') first = first < 0 ? machine.now() : first
    if (stop.kind === 'mark' && stop.mark === 'end' && ++ended === count) break
    const crashed = system.guests.find(({ record }) => record.crashed)
    if (crashed) return `${count} do not fit: there is no memory left for ${crashed.label}`
    if (stop.kind === 'idle' || stop.kind === 'stopped') return `${count} do not come to their ends (${stop.kind})`
    if (machine.now() > PATIENCE) return `${count} do not come to their ends in ${PATIENCE} cycles`
    if (stop.kind === 'cycle') await setImmediate()
  }
  const cycles = machine.now() - first
  const total = (REQUESTS * count * machine.board.frequency) / cycles
  return { guests: count, cycles, total, each: total / count, traceHash: machine.traceHash() }
}

/** How far a guest comes that may have as much as there is. */
async function available(configuration: Configuration): Promise<number> {
  const system = systemOf(configuration, [{ kernel: gluttonImage().bytes, memoryBytes: RAM_BYTES }])
  const [guest] = system.guests
  while (!guest.record.crashed && system.machine.now() < PATIENCE) {
    system.machine.run({ untilCycle: system.machine.now() + TURN, until: () => guest.record.crashed })
    await setImmediate()
  }
  return Math.floor((guest.record.faultAddress - GUEST_RAM) / (2 * MIB)) * 2 * MIB
}

/** What is spent in a second although the only guest sleeps. The first second is for settling. */
async function atRest(configuration: Configuration): Promise<number> {
  const { machine } = systemOf(configuration, [{ kernel: guestImage(SLEEPER).bytes, memoryBytes: GUEST_BYTES }])
  const second = machine.board.frequency
  const busy = () =>
    machine.harts
      .flatMap(({ id }) => machine.ledger(id))
      .reduce((sum, row) => sum + (row.party === 'idle' ? 0 : row.cycles), 0)
  const runTo = async (end: number) => {
    while (machine.now() < end && machine.run({ untilCycle: Math.min(end, machine.now() + TURN) }).kind !== 'idle')
      await setImmediate()
  }
  await runTo(second)
  const before = busy()
  await runTo(2 * second)
  return busy() - before
}
