/**
 * Disk, one pattern at a time, named as fio names them: 4 KiB at random or in sequence, read or written, with one
 * request outstanding or 32. No block is touched twice, so that nobody's cache answers for the disk; what was written is
 * flushed at the end, so that nobody keeps it. What is read is verified.
 */
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
import { requestMark, type Workload } from '../workload.ts'
import { BLOCK_BYTES, fillWithStamps, holdsStamps, SECTORS, storeStamps } from './disk-stamps.ts'

const REQUESTS = 512
const DEEP = 32
/** Blocks of the disk that are used: 16 MiB, a power of two. */
const BLOCKS = 4096
/** Odd, so that its multiples come to every block before they come to one again. */
const STRIDE = 1597
/** Version of what is on the disk at first, and of what is written. */
const FIRST = 1
const SECOND = 2

interface Pattern {
  readonly random: boolean
  readonly write: boolean
  readonly depth: number
}

const IDLE = 0
const BUSY = 1
const OVER = 2

const STARTING = 0
const RUNNING = 1
const FLUSHING = 2

function taskOf({ random, write, depth }: Pattern, guest: number): (ground: TaskGround<BlockDevice>) => Task {
  function patternTask(ground: TaskGround<BlockDevice>): Task {
    const { device, data } = ground
    const state = { phase: STARTING, issued: 0, done: 0, bad: 0 }
    const stages = new Int32Array(depth)
    const blocks = new Int32Array(depth)
    const stride = random ? STRIDE : 1

    function step(port: HartPort): number {
      const disk = device()
      if (!disk.ready()) return disk.failure() === '' ? WAIT : FAILED
      if (state.phase === STARTING) {
        state.phase = RUNNING
        return BEGIN
      }
      for (let tag = 0; tag < depth; tag++) {
        if (stages[tag] === OVER) finish(port, tag)
        if (stages[tag] === IDLE && state.issued < REQUESTS && !issue(port, disk, tag)) return RETRY
      }
      if (state.bad !== 0) return FAILED
      if (state.done < REQUESTS) return WAIT
      return write ? flush(disk) : DONE
    }

    function issue(port: HartPort, disk: BlockDevice, tag: number): boolean {
      const block = (state.issued * stride) & (BLOCKS - 1)
      const buffer = data + tag * BLOCK_BYTES
      if (write) storeStamps(port, buffer, block, SECOND)
      port.mark('start', requestMark(guest, tag))
      if (!disk.submit(tag, write ? 'write' : 'read', block * SECTORS, SECTORS, buffer, false)) return false
      state.issued++
      stages[tag] = BUSY
      blocks[tag] = block
      return true
    }

    function finish(port: HartPort, tag: number): void {
      port.mark('end', requestMark(guest, tag))
      if (!write && !holdsStamps(port, data + tag * BLOCK_BYTES, blocks[tag], FIRST)) state.bad++
      stages[tag] = IDLE
      state.done++
    }

    /** After the last write, and over when the disk has it all. */
    function flush(disk: BlockDevice): number {
      if (state.phase === FLUSHING) return state.done > REQUESTS ? DONE : WAIT
      if (!disk.submit(0, 'flush', 0, SECTORS, data, false)) return RETRY
      stages[0] = BUSY
      state.phase = FLUSHING
      return WAIT
    }

    function completed(tag: number, how: Completion): void {
      if (how !== 'ok') state.bad++
      stages[tag] = OVER
    }

    for (const driver of ground.drivers) driver.onCompleted(completed)
    return { step, state: { run: state, stages, blocks } }
  }

  return patternTask
}

function patternWorkload(pattern: Pattern): Workload {
  const { random, write, depth } = pattern
  const name = `disk-${random ? 'rand' : ''}${write ? 'write' : 'read'}-${depth}`
  const hardware: Hardware<BlockDevice> = {
    pcieClass: 0x01_0802,
    virtioId: VIRTIO_ID.block,
    queueDepth: depth,
    physical: nvmeDriver,
    virtual: virtioBlk,
  }
  const bytes = depth * BLOCK_BYTES
  return {
    name,
    does:
      `${REQUESTS} ${random ? 'random' : 'sequential'} ${write ? 'writes' : 'reads'} of 4 KiB, ${depth} at a time` +
      (write ? ', and a flush' : '; data verified'),
    disk: true,
    network: false,
    operations: REQUESTS,
    unit: 'cycles per request',
    diskContent: disk => fillWithStamps(disk, FIRST),
    image: () => scriptedImage(bytes),
    software: (guest = 0, rings = false) =>
      scriptedGuest(name, scriptedImage(bytes), diskHardware(hardware, rings), taskOf(pattern, guest)),
    requests: REQUESTS,
  }
}

/** Names as fio's, and the depth behind them: disk-randread-32. */
export const diskPatterns: readonly Workload[] = [1, DEEP].flatMap(depth =>
  [false, true].flatMap(random => [false, true].map(write => patternWorkload({ random, write, depth }))),
)
