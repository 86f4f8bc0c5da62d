/**
 * Consolidation: more and more guests on one machine, until the next does not fit; how much is done then, by each and in
 * all; and what the hypervisor, or the host, takes for itself: memory that no guest can have, and time while all sleep.
 */
import { setImmediate } from 'node:timers/promises'
import { tenant } from '../../guests/workloads/tenant.ts'
import { type ResourcesLost, resourcesLost } from '../calibrate/resources-lost.ts'
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
  /** What is gone before any guest does anything. */
  readonly lost: ResourcesLost
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
    lost: resourcesLost({ configuration, harts: hartsNeeded([configuration]), ramBytes: RAM_BYTES }),
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
