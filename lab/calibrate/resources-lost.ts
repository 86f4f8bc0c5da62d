/**
 * What a hypervisor or a host takes of the machine when nobody asks it for anything: memory that no guest can have, and
 * cycles a second. A host is measured without guests; the native VMM, which there is for its guests only, with one that sleeps.
 */
import { virt } from '../../hw/boards/virt.ts'
import type { Machine } from '../../hw/index.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import { hostPolicyNode } from '../../hw/spec/layouts/host-policy.ts'
import { guestImage } from '../../guests/image.ts'
import { gluttonImage } from '../../guests/workloads/glutton.ts'
import { createHostedVmm, HOSTED_PARTIES, hostedImage } from '../../vmm/hosted/index.ts'
import { buildMachine } from '../machine.ts'
import { type Configuration, configurationNamed } from '../study/configurations.ts'
import { buildSystem, type System } from '../system.ts'

const MIB = 2 ** 20
/** Until all has come up and has run for the first time. */
const SETTLE_SECONDS = 2
const PATIENCE = 1_000_000_000
const TURN = 20_000_000

const SLEEPER = `
start:
    mark.start
    csrw sie, zero
1:  wfi
    j 1b
`

export interface ResourcesLost {
  readonly ramBytes: number
  /** Where the memory goes; the rest is free for guests. */
  readonly memory: readonly { readonly what: string; readonly bytes: number }[]
  readonly bytes: number
  /** Of all harts, at rest. */
  readonly cyclesPerSecond: number
  readonly rows: readonly { readonly party: string; readonly cause: string; readonly cyclesPerSecond: number }[]
}

export interface LostOptions {
  /** One that shares the machine. */
  readonly configuration?: Configuration
  readonly harts?: number
  readonly ramBytes?: number
  /** Over how long it is measured: the rarest work of a host's own comes every minute. */
  readonly seconds?: number
}

export function resourcesLost(options: LostOptions = {}): ResourcesLost {
  const { configuration = 'hosted', harts = 1, ramBytes = 256 * MIB, seconds = 60 } = options
  const { vmm, hostPolicy } = configurationNamed(configuration)
  if (vmm === 'none') throw new Error(`${configuration}: there is nobody who takes anything`)
  const { machine, memory } = vmm === 'hosted' ? host(harts, ramBytes, hostPolicy) : nativeAtRest(harts, ramBytes)
  const second = machine.board.frequency
  machine.run({ untilCycle: SETTLE_SECONDS * second })
  const before = busyRows(machine.harts.flatMap(({ id }) => machine.ledger(id)))
  machine.run({ untilCycle: (SETTLE_SECONDS + seconds) * second })
  const after = busyRows(machine.harts.flatMap(({ id }) => machine.ledger(id)))
  const rows = [...after].flatMap(([key, row]) => {
    const cycles = row.cycles - (before.get(key)?.cycles ?? 0)
    return cycles === 0 ? [] : [{ party: row.party, cause: row.cause, cyclesPerSecond: cycles / seconds }]
  })
  return {
    ramBytes,
    memory,
    bytes: memory.reduce((sum, { bytes }) => sum + bytes, 0),
    cyclesPerSecond: rows.reduce((sum, row) => sum + row.cyclesPerSecond, 0),
    rows: rows.toSorted((a, b) => b.cyclesPerSecond - a.cyclesPerSecond),
  }
}

interface Resting {
  readonly machine: Machine
  readonly memory: ResourcesLost['memory']
}

type HostPolicyChoice = ReturnType<typeof configurationNamed>['hostPolicy']

function host(harts: number, ramBytes: number, policy: HostPolicyChoice): Resting {
  const board = virt({
    harts,
    ramBytes,
    kernel: hostedImage(0),
    ...(policy && { chosen: [hostPolicyNode(policy)] }),
  })
  const machine = buildMachine(board, { parties: HOSTED_PARTIES })
  const { images, memory } = createHostedVmm(board.deviceTree())
  for (const { software, program } of images) machine.software.install(software, program)
  return { machine, memory }
}

/** A guest that may have as much as there is says by where it crashes how much that was, image included. */
function nativeAtRest(harts: number, ramBytes: number): Resting {
  const { machine: full, guests } = native(harts, ramBytes, gluttonImage().bytes, ramBytes)
  const [guest] = guests
  while (!guest.record.crashed && full.now() < PATIENCE)
    full.run({ untilCycle: full.now() + TURN, until: () => guest.record.crashed })
  const had = Math.floor((guest.record.faultAddress - GUEST_RAM) / (2 * MIB)) * 2 * MIB
  const { machine } = native(harts, ramBytes, guestImage(SLEEPER).bytes, 16 * MIB)
  return { machine, memory: [{ what: 'firmware and hypervisor', bytes: ramBytes - had }] }
}

function native(harts: number, ramBytes: number, kernel: Uint8Array, memoryBytes: number): System {
  const guest = { kernel, memoryBytes, label: 'guest', vcpus: 1, harts: [0], weight: 256, cap: 0, bootargs: '' }
  return buildSystem({ configuration: 'native', harts, ramBytes, guests: [guest] })
}

interface LedgerRow {
  readonly party: string
  readonly cause: string
  readonly cycles: number
}

function busyRows(rows: readonly LedgerRow[]): ReadonlyMap<string, LedgerRow> {
  const sums = new Map<string, LedgerRow>()
  for (const { party, cause, cycles } of rows) {
    if (party === 'idle') continue
    const key = `${party}/${cause}`
    sums.set(key, { party, cause, cycles: cycles + (sums.get(key)?.cycles ?? 0) })
  }
  return sums
}
