/** The machine on which a workload is measured: alike in every configuration but for what the configuration says. */
import { createHash } from 'node:crypto'
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import { type Prices, rocketFlat } from '../../hw/index.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
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
const RAM_BYTES = 128 * MIB
const DISK_BYTES = 16 * MIB
const GUEST_MAC = [0x02, 0x62, 0x68, 0, 0, 1]

interface Images {
  readonly program: Program
  /** Of the disk. */
  readonly content: Uint8Array<ArrayBuffer>
  readonly contentHash: Uint8Array
  readonly initrd: Uint8Array | undefined
}

/** Made once for all machines: nothing writes to them. */
const made = new WeakMap<Workload, Images>()

function imagesOf(workload: Workload): Images {
  const known = made.get(workload)
  if (known) return known
  const content = new Uint8Array(workload.disk ? DISK_BYTES : 0)
  workload.diskContent?.(content)
  const contentHash = createHash('sha256').update(content).digest()
  const images = { program: workload.image(), content, contentHash, initrd: workload.initrd?.() }
  made.set(workload, images)
  return images
}

/** A kernel looks at all memory that there is: so who gives a guest more than usual gives the bare machine just that. */
function ramFor(guestBytes: number, bare: boolean): number {
  if (guestBytes === GUEST_BYTES) return RAM_BYTES
  return bare ? guestBytes : RAM_BYTES + 2 * (guestBytes - GUEST_BYTES)
}

/** Builds it, switched on. Throws one line if the configuration cannot be had so. */
export function subject(workload: Workload, name: Configuration, conditions: Conditions): Subject {
  const { vmm, hostPolicy, cap = 0 } = configurationNamed(name)
  const { seed = 0, prices = rocketFlat, devicePrices, pathLength = 1, harts = hartsNeeded([name]) } = conditions
  if (harts < hartsNeeded([name])) throw new Error(`${name} takes ${hartsNeeded([name])} harts, and there are ${harts}`)
  const { program, content, contentHash, initrd } = imagesOf(workload)
  const { memoryBytes = GUEST_BYTES, bootargs = '' } = workload
  const ramBytes = ramFor(memoryBytes, vmm === 'none')
  const software = workload.software?.()
  const guest: SystemGuest = {
    label: workload.name,
    memoryBytes,
    vcpus: 1,
    harts: [0],
    weight: 256,
    cap,
    bootargs,
    kernel: program.bytes,
    ...(initrd && { initrd }),
    ...(workload.disk && { disk: { first: 0, sectors: DISK_BYTES / 512 } }),
    ...(workload.network && { network: { mac: GUEST_MAC, vlan: 0 } }),
    ...(software && { scripted: { software, program } }),
  }
  const system = buildSystem({
    configuration: vmm === 'none' ? 'bare' : vmm,
    harts,
    ramBytes,
    seed,
    prices,
    pathLength,
    ...(devicePrices && { devicePrices }),
    guests: [guest],
    ...(hostPolicy && { hostPolicy }),
    disks: workload.disk ? [new MemoryBacking(DISK_BYTES / 512, content)] : [],
    nics: workload.network ? [nicOnStation()] : [],
  })
  const { scripted: _software, kernel, initrd: _initrd, ...node } = guest
  return {
    system,
    core: prices.core,
    model: modelName(prices),
    configurationHash: configurationHash(
      { vmm, hostPolicy, harts, ramBytes, prices, devicePrices, pathLength, node, network: workload.network },
      [kernel, contentHash, ...(initrd ? [initrd] : [])],
    ),
  }
}
