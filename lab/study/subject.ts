/** The machine on which a workload is measured: alike in every configuration but for what the configuration says. */
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import { type Prices, rocketFlat } from '../../hw/index.ts'
import type { Workload } from '../../guests/workload.ts'
import { nicOnStation } from '../network.ts'
import { modelName } from '../core-options.ts'
import { buildSystem, type System, type SystemGuest, type SystemOptions } from '../system.ts'
import { configurationHash } from './configuration-hash.ts'
import { type Configuration, configurationNamed, hartsNeeded } from './configurations.ts'

/** What else a measurement depends on. */
export interface Conditions {
  /** Varies where pages lie, when timers tick and which hart goes first; 0: as they come. */
  readonly seed?: number
  /** Rocket's, flat model, unless given. */
  readonly prices?: Prices
  /** Of disk and network card: the board's own unless given. */
  readonly devicePrices?: SystemOptions['devicePrices']
  /** Scale of the counted path length: 1. */
  readonly pathLength?: number
  /** As many as the configuration needs, unless given. */
  readonly harts?: number
}

export interface Subject {
  readonly system: System
  readonly core: string
  readonly model: string
  readonly configurationHash: string
}

const MIB = 2 ** 20
const GUEST_BYTES = 64 * MIB
const RAM_BYTES = 160 * MIB
const DISK_BYTES = 16 * MIB
const GUEST_MAC = [0x02, 0x62, 0x68, 0, 0, 1]

/** Builds it, switched on. Throws one line if the configuration cannot be had so. */
export function subject(workload: Workload, name: Configuration, conditions: Conditions): Subject {
  const { vmm, hostPolicy, cap = 0 } = configurationNamed(name)
  const { seed = 0, prices = rocketFlat, devicePrices, pathLength = 1, harts = hartsNeeded([name]) } = conditions
  if (harts < hartsNeeded([name])) throw new Error(`${name} takes ${hartsNeeded([name])} harts, and there are ${harts}`)
  const program = workload.image()
  const software = workload.software?.()
  const content = new Uint8Array(workload.disk ? DISK_BYTES : 0)
  workload.diskContent?.(content)
  const guest: SystemGuest = {
    label: workload.name,
    memoryBytes: GUEST_BYTES,
    vcpus: 1,
    harts: [0],
    weight: 256,
    cap,
    bootargs: '',
    kernel: program.bytes,
    ...(workload.disk && { disk: { first: 0, sectors: DISK_BYTES / 512 } }),
    ...(workload.network && { network: { mac: GUEST_MAC, vlan: 0 } }),
    ...(software && { scripted: { software, program } }),
  }
  const system = buildSystem({
    configuration: vmm === 'none' ? 'bare' : vmm,
    harts,
    ramBytes: RAM_BYTES,
    seed,
    prices,
    pathLength,
    ...(devicePrices && { devicePrices }),
    guests: [guest],
    ...(hostPolicy && { hostPolicy }),
    disks: workload.disk ? [new MemoryBacking(DISK_BYTES / 512, content)] : [],
    nics: workload.network ? [nicOnStation()] : [],
  })
  const { scripted: _software, kernel, ...node } = guest
  return {
    system,
    core: prices.core,
    model: modelName(prices),
    configurationHash: configurationHash(
      { vmm, hostPolicy, harts, RAM_BYTES, prices, devicePrices, pathLength, node, network: workload.network },
      [kernel, content],
    ),
  }
}
