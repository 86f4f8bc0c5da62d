/** Disk: random reads and writes of 4 KiB, four at a time, with a flush now and then. What is read is verified. */
import type { BlockDevice, Completion } from '../../drivers/environment.ts'
import { nvmeDriver } from '../../drivers/nvme.ts'
import { virtioBlk } from '../../drivers/virtio-blk.ts'
import type { HartPort } from '../../hw/port.ts'
import { VIRTIO_ID } from '../../hw/spec/devices/virtio-mmio.ts'
import {
  BEGIN,
  DONE,
  FAILED,
  type Hardware,
  RETRY,
  scriptedGuest,
  type Task,
  type TaskGround,
  WAIT,
} from '../scripted/guest.ts'
import { scriptedImage } from '../scripted/image.ts'
import { diskHardware } from '../scripted/ring-hardware.ts'
import type { Workload } from '../workload.ts'
import { BLOCK_BYTES, holdsStamps, SECTORS, storeStamps } from './disk-stamps.ts'

const REQUESTS = 400
const DEPTH = 4
const DATA_BYTES = DEPTH * BLOCK_BYTES
/** Blocks in use, of the disk's first 2 MiB. A tag keeps to its own, so that no two requests meet at one. */
const BLOCKS = 512
/** One request in so many is a flush. */
const FLUSH_EVERY = 16
const SEED = 0x2545_f491

const STARTING = 0
const RUNNING = 1

const IDLE = 0
const READ = 1
const WRITE = 2
const FLUSH = 3
const OPERATIONS = ['flush', 'read', 'write', 'flush'] as const

const hardware: Hardware<BlockDevice> = {
  pcieClass: 0x01_0802,
  virtioId: VIRTIO_ID.block,
  queueDepth: DEPTH,
  physical: nvmeDriver,
  virtual: virtioBlk,
}

function diskTask(ground: TaskGround<BlockDevice>): Task {
  const { device, data } = ground
  const state = { phase: STARTING, issued: 0, done: 0, bad: 0, random: SEED }
  const operations = new Int32Array(DEPTH)
  const blocks = new Int32Array(DEPTH)
  /** By tag: 1 if its request is over. */
  const over = new Int32Array(DEPTH)
  /** How often each block has been written. */
  const versions = new Int32Array(BLOCKS)

  function step(port: HartPort): number {
    const disk = device()
    if (!disk.ready()) return disk.failure() === '' ? WAIT : FAILED
    if (state.phase === STARTING) {
      state.phase = RUNNING
      return BEGIN
    }
    for (let tag = 0; tag < DEPTH; tag++) {
      if (over[tag] !== 0) finish(port, tag)
      if (operations[tag] === IDLE && state.issued < REQUESTS && !issue(port, disk, tag)) return RETRY
    }
    if (state.bad !== 0) return FAILED
    return state.done === REQUESTS ? DONE : WAIT
  }

  function issue(port: HartPort, disk: BlockDevice, tag: number): boolean {
    let random = state.random
    random ^= random << 13
    random ^= random >>> 17
    random ^= random << 5
    const block = (random & (BLOCKS - 1) & ~(DEPTH - 1)) | tag
    const operation = (state.issued + 1) % FLUSH_EVERY === 0 ? FLUSH : (random & 0x1_0000) === 0 ? READ : WRITE
    const buffer = data + tag * BLOCK_BYTES
    if (operation === WRITE) storeStamps(port, buffer, block, versions[block] + 1)
    if (!disk.submit(tag, OPERATIONS[operation], block * SECTORS, SECTORS, buffer, false)) return false
    if (operation === WRITE) versions[block]++
    state.random = random
    state.issued++
    operations[tag] = operation
    blocks[tag] = block
    return true
  }

  function finish(port: HartPort, tag: number): void {
    if (operations[tag] === READ) {
      const block = blocks[tag]
      if (!holdsStamps(port, data + tag * BLOCK_BYTES, block, versions[block])) state.bad++
    }
    over[tag] = 0
    operations[tag] = IDLE
    state.done++
  }

  function completed(tag: number, how: Completion): void {
    if (how !== 'ok') state.bad++
    over[tag] = 1
  }

  for (const driver of ground.drivers) driver.onCompleted(completed)
  return { step, state: { run: state, operations, blocks, over, versions } }
}

export const disk: Workload = {
  name: 'disk',
  does: `${REQUESTS} random reads and writes of 4 KiB, ${DEPTH} at a time, every ${FLUSH_EVERY}th a flush; data verified`,
  disk: true,
  network: false,
  operations: REQUESTS,
  unit: 'cycles per request',
  image: () => scriptedImage(DATA_BYTES),
  software: (_guest, rings) =>
    scriptedGuest('disk workload', scriptedImage(DATA_BYTES), diskHardware(hardware, rings), diskTask),
}
