/**
 * One script, through every place where a driver may live: with one request outstanding the device sees the same accesses
 * to its registers, and the same commands and descriptors, addresses aside.
 */
import { afterEach, describe, expect, it } from 'vitest'
import type { BlockDevice, Completion, NetworkDevice } from '../../../../drivers/environment.ts'
import { nicDriver } from '../../../../drivers/nic.ts'
import { nvmeDriver } from '../../../../drivers/nvme.ts'
import { virtioBlk } from '../../../../drivers/virtio-blk.ts'
import { virtioNet } from '../../../../drivers/virtio-net.ts'
import { diskHardware, networkHardware } from '../../../../guests/scripted/ring-hardware.ts'
import {
  BEGIN,
  DONE,
  FAILED,
  RETRY,
  scriptedGuest,
  type Task,
  type TaskGround,
  WAIT,
} from '../../../../guests/scripted/guest.ts'
import { scriptedImage } from '../../../../guests/scripted/image.ts'
import { linkBytes, READY, stationLink } from '../../../../guests/scripted/station-link.ts'
import { PcieFunction } from '../../../../hw/bus/pcie-function.ts'
import { MemoryBacking } from '../../../../hw/devices/disk-backing.ts'
import type { HartPort } from '../../../../hw/port.ts'
import { VIRTIO_ID } from '../../../../hw/spec/devices/virtio-mmio.ts'
import { STATION_PORT } from '../../../../hw/spec/devices/station.ts'
import type { DriverPlacement } from '../../../../hw/spec/layouts/placement.ts'
import { nicOnStation } from '../../../../lab/network.ts'
import { buildSystem, type SystemOptions } from '../../../../lab/system.ts'

const MIB = 2 ** 20
const SECTORS = (16 * MIB) / 512
const PATIENCE = 400_000_000
/** Fewer than there are places in any ring: none of them begins again. */
const REQUESTS = 12
const DEPTH = 16
const PAGE = 4096
/** Of the disk's first pair of queues. In an event's text: what begins it, and where a command's number is. */
const DOORBELLS: readonly string[] = ['0x1008', '0x100c']
const FETCHED = 'fetched '
const NUMBER = FETCHED.length + 4
/** Cycles. */
const AFTERWARDS = 100_000
/** Bytes of the registers, and of what the device reads of memory at a time; addresses within it. */
const DISK = { bar: 0x4000, entry: 64, address: [24, 40] } as const
const CARD = { bar: 0x2_0000, entry: 16, address: [0, 8] } as const

const connect = PcieFunction.prototype.connect
afterEach(() => {
  PcieFunction.prototype.connect = connect
})

/** Reads, writes and flushes, one at a time, within a page and across pages. */
function diskTask({ device, drivers, data }: TaskGround<BlockDevice>): Task {
  const state = { begun: false, done: 0, busy: false, bad: 0 }
  function step(): number {
    const disk = device()
    if (!disk.ready()) return disk.failure() === '' ? WAIT : FAILED
    if (!state.begun) {
      state.begun = true
      return BEGIN
    }
    if (state.bad > 0) return FAILED
    if (state.busy) return WAIT
    if (state.done === REQUESTS) return DONE
    const operation = (['write', 'read', 'flush'] as const)[state.done % 3]
    if (!disk.submit(0, operation, 8 * state.done, 8, data + 512 * (state.done % 4), false)) return RETRY
    state.busy = true
    return WAIT
  }
  for (const driver of drivers)
    driver.onCompleted((_tag: number, how: Completion) => {
      state.busy = false
      state.done++
      if (how !== 'ok') state.bad++
    })
  return { step, state: { script: state } }
}

/** Frames to the station, one at a time. */
function cardTask(ground: TaskGround<NetworkDevice>): Task {
  const link = stationLink(ground, DEPTH, ground.data)
  const state = { begun: false, done: 0 }
  function step(port: HartPort): number {
    if (!ground.device().ready()) return WAIT
    const attended = link.attend(port)
    if (attended !== READY) return attended === 2 ? RETRY : WAIT
    if (link.sending(0)) return WAIT
    if (!state.begun) {
      state.begun = true
      return BEGIN
    }
    if (state.done === REQUESTS) return DONE
    link.address(port, 0, 64 + state.done, STATION_PORT.discard)
    if (!link.send(0, 64 + state.done)) return RETRY
    state.done++
    return WAIT
  }
  return { step, state: { ...link.state, script: state } }
}

interface Place extends Pick<SystemOptions, 'configuration' | 'iommu' | 'hostPolicy'> {
  readonly at?: Partial<DriverPlacement>
}

/** What the device saw between the guest's marks. */
function seen(kind: 'disk' | 'network', { at, ...options }: Place): readonly string[] {
  const rings = at?.at === 'domain'
  const isDisk = kind === 'disk'
  const program = scriptedImage(isDisk ? 4 * PAGE : linkBytes(DEPTH))
  const blk = {
    pcieClass: 0x01_0802,
    virtioId: VIRTIO_ID.block,
    queueDepth: DEPTH,
    physical: nvmeDriver,
    virtual: virtioBlk,
  }
  const net = {
    pcieClass: 0x02_0000,
    virtioId: VIRTIO_ID.network,
    queueDepth: DEPTH,
    physical: nicDriver,
    virtual: virtioNet,
  }
  const software = isDisk
    ? scriptedGuest('script', program, diskHardware(blk, rings), diskTask)
    : scriptedGuest('script', program, networkHardware(net, rings), cardTask)
  const { bar, entry, address } = isDisk ? DISK : CARD
  const events: string[] = []
  PcieFunction.prototype.connect = function (memory, wire) {
    connect.call(
      this,
      {
        write: (to, from) => memory.write(to, from),
        waited: () => memory.waited?.() ?? 0,
        read: (from, into) => {
          const good = memory.read(from, into)
          if (into.length !== entry) return good
          const shown = into.slice().fill(0, ...address)
          events.push(`fetched ${Buffer.from(shown).toString('hex')}`)
          return good
        },
      },
      wire,
    )
  }
  const { machine } = buildSystem({
    harts: 1,
    ramBytes: 160 * MIB,
    ...options,
    guests: [
      {
        label: 'script',
        memoryBytes: 32 * MIB,
        vcpus: 1,
        harts: [0],
        weight: 256,
        cap: 0,
        bootargs: '',
        kernel: program.bytes,
        ...(isDisk ? { disk: { first: 0, sectors: SECTORS } } : { network: { mac: [2, 0, 0, 0, 0, 1], vlan: 0 } }),
        scripted: { software, program },
      },
    ],
    ...(at && { placements: { [kind]: at } }),
    disks: isDisk ? [new MemoryBacking(SECTORS)] : [],
    nics: isDisk ? [] : [nicOnStation()],
  })
  machine.bus.onAccess((window, offset, _bytes, value, write) => {
    if (!window.name.startsWith('pcie-memory')) return
    const register = `0x${(offset % bar).toString(16)}`
    events.push(write ? `${register} = 0x${value.toString(16)}` : `${register} read`)
  })
  for (;;) {
    const stop = machine.run({ marks: true, untilCycle: PATIENCE })
    if (stop.kind !== 'mark') throw new Error(`no end mark, but ${JSON.stringify(stop)}`)
    if (stop.mark === 'start') events.length = 0
    if (stop.mark === 'end') break
  }
  // A frame that a domain has copied is its guest's again before the card has sent it.
  machine.run({ untilCycle: machine.now() + AFTERWARDS })
  return events
}

const VMM: Place = { configuration: 'native' }
const PLACES = {
  bare: { configuration: 'bare' },
  'server, mapped': { configuration: 'native', iommu: true, at: { at: 'server' } },
  'server, copied': { configuration: 'native', at: { at: 'server', transfer: 'copy' } },
  'domain, mapped': { configuration: 'native', iommu: true, at: { at: 'domain' } },
  'domain, copied': { configuration: 'native', iommu: true, at: { at: 'domain', transfer: 'copy' } },
  guest: { configuration: 'native', iommu: true, at: { at: 'guest' } },
} as const satisfies Record<string, Place>

/** Past the host's page cache, so that each request is one of the device's. */
const HOSTS = {
  'host kernel': { configuration: 'hosted', hostPolicy: { backend: 'kernel', io: 'direct' } },
  'host process': { configuration: 'hosted', hostPolicy: { backend: 'process', io: 'direct' } },
} as const satisfies Record<string, Place>
/** How the host has its drivers do their work: after an interrupt they look by themselves until there is nothing more. */
const AS_A_HOST = { disk: VMM, network: { ...VMM, at: { at: 'vmm', service: 'adaptive' } } } as const

/**
 * The host has read its own disk before, and numbers requests in turn: what a doorbell says is held against what it said
 * first, and the numbers that a driver is told with its requests are left aside, as addresses are.
 */
function unnumbered(events: readonly string[]): readonly string[] {
  const first = new Map<string, number>()
  return events.map(event => {
    const [, register, value] = /^(0x[0-9a-f]+) = 0x([0-9a-f]+)$/.exec(event) ?? []
    if (register !== undefined && DOORBELLS.includes(register)) {
      const number = Number.parseInt(value, 16)
      if (!first.has(register)) first.set(register, number)
      return `${register} + ${number - first.get(register)!}`
    }
    return event.length === FETCHED.length + 128 ? `${event.slice(0, NUMBER)}....${event.slice(NUMBER + 4)}` : event
  })
}

describe.each(['disk', 'network'] as const)('With one request outstanding the %s sees the same', kind => {
  const expected = seen(kind, VMM)

  it('commands and doorbells as there are requests', () => {
    expect(expected.filter(event => event.startsWith('fetched'))).toHaveLength(REQUESTS)
    expect(expected.length).toBeGreaterThan(2 * REQUESTS)
  })

  it.each(Object.entries(PLACES))('%s', (_name, place) => {
    expect(seen(kind, place)).toEqual(expected)
  })

  describe('by its host as by a VMM that serves it so', () => {
    const alike = unnumbered(seen(kind, AS_A_HOST[kind]))
    it.each(Object.entries(HOSTS))('%s', (_name, place) => {
      expect(unnumbered(seen(kind, place))).toEqual(alike)
    })
  })
})
