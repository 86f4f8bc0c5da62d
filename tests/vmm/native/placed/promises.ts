/**
 * A guest that writes, and now and then flushes, and at any instant what its disk holds: what would be there if the power
 * went. What a completed flush has covered must be; the rest may be.
 */
import type { BlockDevice, Completion } from '../../../../drivers/environment.ts'
import { nvmeDriver } from '../../../../drivers/nvme.ts'
import { virtioBlk } from '../../../../drivers/virtio-blk.ts'
import { diskHardware } from '../../../../guests/scripted/ring-hardware.ts'
import {
  BEGIN,
  FAILED,
  RETRY,
  scriptedGuest,
  type Task,
  type TaskGround,
  WAIT,
} from '../../../../guests/scripted/guest.ts'
import { scriptedImage } from '../../../../guests/scripted/image.ts'
import { MemoryBacking } from '../../../../hw/devices/disk-backing.ts'
import type { Entry, HartPort } from '../../../../hw/port.ts'
import { VIRTIO_ID } from '../../../../hw/spec/devices/virtio-mmio.ts'
import { buildSystem, type PlacementChoice } from '../../../../lab/system.ts'

const MIB = 2 ** 20
const SECTORS = (16 * MIB) / 512
const BLOCKS = 16
const TAGS = 4
const FLUSH_EVERY = 6
const PAGE = 4096
const READY = 34_000_000
/** Of a server's text: where every message comes in; of a domain's: where its task is called. */
const RETURNED = 1
const WORK = 3
/** Cycles in which a domain begins anew: its device has 100 ms for its reset. */
const ANEW = 110_000_000

function writerTask({ device, drivers, data }: TaskGround<BlockDevice>): Task {
  const state = { begun: false, issued: 0, bad: 0, flushing: false }
  /** By block: versions written, completed, and covered by a completed flush; by tag: what it does. */
  const written = new Int32Array(BLOCKS)
  const completed = new Int32Array(BLOCKS)
  const promised = new Int32Array(BLOCKS)
  const covered = new Int32Array(BLOCKS)
  const busy = new Int32Array(TAGS)

  function step(port: HartPort): number {
    const disk = device()
    if (!disk.ready()) return disk.failure() === '' ? WAIT : FAILED
    if (!state.begun) {
      state.begun = true
      return BEGIN
    }
    if (state.bad > 0) return FAILED
    for (let tag = 1; tag < TAGS; tag++) {
      if (busy[tag] !== 0) continue
      // A tag keeps to its own blocks, so that no two requests meet at one.
      const block = tag + TAGS * (Math.imul(state.issued, 7) % (BLOCKS / TAGS))
      const buffer = data + tag * PAGE
      port.store32(buffer, written[block] + 1)
      if (!disk.submit(tag, 'write', block * 8, 8, buffer, false)) return RETRY
      busy[tag] = block
      written[block]++
      state.issued++
    }
    if (!state.flushing && state.issued % FLUSH_EVERY < TAGS - 1) {
      if (!disk.submit(0, 'flush', 0, 1, data, false)) return RETRY
      state.flushing = true
      covered.set(completed)
    }
    return WAIT
  }

  for (const driver of drivers)
    driver.onCompleted((tag: number, how: Completion) => {
      if (how !== 'ok') state.bad++
      if (tag === 0) {
        state.flushing = false
        promised.set(covered)
        return
      }
      completed[busy[tag]] = written[busy[tag]]
      busy[tag] = 0
    })
  return { step, state: { writer: state, written, completed, promised, covered, busy } }
}

export interface Kept {
  readonly instants: number
  /** Blocks of which a promised version was not there, over all instants. */
  readonly broken: number
  /** Blocks of which a completed version was not there, which nobody had promised. */
  readonly lost: number
  /** Versions of blocks that completed flushes have covered. */
  readonly promised: number
  readonly issued: number
  readonly deaths: number
}

/** Looks at so many instants, so many cycles apart at the most. `crashes`: a server is killed at about each so many of its messages, a domain after so many requests. */
export function keepPromises(
  disk: NonNullable<PlacementChoice['disk']>,
  instants: number,
  apart: number,
  crashes = 0,
): Kept {
  const rings = disk.at === 'domain'
  const program = scriptedImage(TAGS * PAGE)
  const hardware = {
    pcieClass: 0x01_0802,
    virtioId: VIRTIO_ID.block,
    queueDepth: TAGS,
    physical: nvmeDriver,
    virtual: virtioBlk,
  }
  const software = scriptedGuest('writer', program, diskHardware(hardware, rings), writerTask)
  const backing = new MemoryBacking(SECTORS)
  const { machine, software: all } = buildSystem({
    configuration: 'native',
    harts: 1,
    ramBytes: 160 * MIB,
    iommu: true,
    guests: [
      {
        label: 'writer',
        memoryBytes: 32 * MIB,
        vcpus: 1,
        harts: [0],
        weight: 256,
        cap: 0,
        bootargs: '',
        kernel: program.bytes,
        disk: { first: 0, sectors: SECTORS },
        scripted: { software, program },
      },
    ],
    placements: { disk },
    disks: [backing],
  })
  const server = all.find(({ name }) => name === 'disk server')
  let calls = 0
  if (server && crashes > 0) {
    const entries = server.entries as Entry[]
    const original = entries[RETURNED]
    entries[RETURNED] = port => {
      calls++
      if (calls > 60 && calls % crashes === 0) port.load32(0)
      original(port)
    }
  }
  const domain = all.find(({ name }) => name === 'disk domain')
  const life = all[0].state['domain 1'] as { restarts: number; stage: number } | undefined
  if (domain && crashes > 0) {
    const entries = domain.entries as Entry[]
    const original = entries[WORK]
    const taken = domain.state['taken'] as Float64Array
    entries[WORK] = port => {
      if (taken[0] >= crashes) port.load32(0)
      original(port)
    }
  }
  const state = software.state as Readonly<Record<string, Int32Array>>
  const sector = new Uint8Array(512)
  const view = new DataView(sector.buffer)
  const kept = { instants, broken: 0, lost: 0, promised: 0, issued: 0, deaths: 0 }
  machine.run({ untilCycle: READY })
  let random = 0x2545_f491
  for (let instant = 0; instant < instants; instant++) {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
    machine.run({ untilCycle: machine.now() + 1 + (random % apart) })
    for (let block = 0; block < BLOCKS; block++) {
      backing.read(block * 8, sector)
      const there = view.getUint32(0, true)
      if (there < state['promised'][block]) kept.broken++
      if (there < state['completed'][block]) kept.lost++
    }
    if (life && life.stage !== 0) machine.run({ untilCycle: machine.now() + ANEW })
  }
  kept.promised = state['promised'].reduce((sum, version) => sum + version, 0)
  kept.issued = (state['writer'] as unknown as { issued: number }).issued
  const thread = all[0].state['server disk'] as { deaths: number } | undefined
  kept.deaths = thread?.deaths ?? life?.restarts ?? 0
  return kept
}
