/** The guest's driver of a virtio block device over virtio-mmio (virtio 1.2, 5.2). */
import type { BlockDevice, Completion, Environment } from './environment.ts'
import {
  acknowledge,
  advance,
  begin,
  beginStop,
  CONFIGURE,
  failureOf,
  isOver,
  isRunning,
  isStopped,
  lose,
  makeTransport,
  OVER,
  RELEASE,
  running,
  USED_BUFFER,
} from './virtio-mmio.ts'
import { BROKEN, makeVirtqueue, NONE, offerChain, queueSize, rearm, takeUsed, writeDescriptor } from './virtqueue.ts'
import { VIRTIO_ID } from '../hw/spec/devices/virtio-mmio.ts'
import {
  VIRTIO_BLK_F,
  VIRTIO_BLK_QUEUE,
  VIRTIO_BLK_S,
  VIRTIO_BLK_SECTOR_BYTES,
  VIRTIO_BLK_T,
  virtioBlkConfig,
  virtioBlkReq,
} from '../hw/spec/layouts/virtio-blk.ts'
import { VIRTQ_DESC_F_NEXT, VIRTQ_DESC_F_WRITE } from '../hw/spec/layouts/virtqueue.ts'

const IN = VIRTIO_BLK_T.IN
const OUT = VIRTIO_BLK_T.OUT
const FLUSH = VIRTIO_BLK_T.FLUSH
const TYPE = virtioBlkReq.type.at
const SECTOR = virtioBlkReq.sector.at
const S_OK = VIRTIO_BLK_S.OK
const S_IOERR = VIRTIO_BLK_S.IOERR
const S_UNSUPP = VIRTIO_BLK_S.UNSUPP
const READ_FLAGS = VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE
const FLUSHES = 1 << VIRTIO_BLK_F.FLUSH
const SIZE_MAX = 1 << VIRTIO_BLK_F.SIZE_MAX

/** Per tag: request header, then at STATUS the byte that the device answers with; UNANSWERED until it does. */
const SLOT_BYTES = 32
const STATUS = 24
const UNANSWERED = 0xff
/** Per tag: descriptors for header, data and status. */
const CHAIN = 3

/** What a tag is doing. */
const FREE = 0
const READING = 1
const WRITING = 2
const WRITING_THROUGH = 3
const FLUSHING = 4
/** Answered by the driver itself: there is no cache to flush. */
const ANSWERED = 5

const MAXIMUM_SECTORS = 2048
const BUDGET = 64

export interface VirtioBlkConfig {
  /** Requests at a time. */
  readonly queueDepth: number
}

/** Without interrupts in its environment the driver tells the device to send none, and relies on `poll`. */
export function virtioBlk(env: Environment, config: VirtioBlkConfig): BlockDevice {
  const { device, dma, time } = env
  const depth = config.queueDepth
  const queue = makeVirtqueue(env, 'requestq', VIRTIO_BLK_QUEUE, queueSize(depth * CHAIN))
  const slots = dma.allocate(depth * SLOT_BYTES)
  const transport = makeTransport(env, VIRTIO_ID.block, FLUSHES | SIZE_MAX, [queue])
  const state = env.state('disk', { sectors: 0, maximum: 0, outstanding: 0, answered: 0 })
  const doing = env.state('doing', new Int32Array(depth))
  const beyond = env.state('beyond', new Int32Array(depth))
  const unheard: (tag: number, how: Completion) => void = () => {}
  let completed = unheard

  function start(): void {
    if (begin(transport)) time.defer(step)
  }

  function step(): void {
    const wait = advance(transport)
    if (wait === CONFIGURE) configure()
    else if (wait === RELEASE) release()
    else if (wait > 0) time.after(wait, step)
    else if (wait !== OVER) time.defer(step)
  }

  function configure(): void {
    const { features } = transport.state
    const high = device.readHigh(virtioBlkConfig.capacity)
    state.sectors = device.read(virtioBlkConfig.capacity) + high * 0x1_0000_0000
    const largest = (features & SIZE_MAX) === 0 ? MAXIMUM_SECTORS : device.read(virtioBlkConfig.size_max) >>> 9
    state.maximum = largest < MAXIMUM_SECTORS ? largest : MAXIMUM_SECTORS
    // A capacity that no driver could count, or segments too small for a sector, is no disk.
    if (high >= 0x20_0000 || state.maximum === 0) lose(transport)
    else {
      prepare()
      running(transport)
    }
  }

  /** What is the same in every request of a tag is written once. */
  function prepare(): void {
    for (let tag = 0; tag < depth; tag++) {
      const slot = slots.device + tag * SLOT_BYTES
      const head = tag * CHAIN
      writeDescriptor(queue, head, slot, virtioBlkReq.size, VIRTQ_DESC_F_NEXT, head + 1)
      writeDescriptor(queue, head + 2, slot + STATUS, 1, VIRTQ_DESC_F_WRITE, 0)
    }
  }

  function submit(
    tag: number,
    operation: 'read' | 'write' | 'flush',
    sector: number,
    count: number,
    address: number,
    forceUnitAccess: boolean,
  ): boolean {
    if (!isRunning(transport) || tag < 0 || tag >= depth || doing[tag] !== FREE) return false
    if (operation === 'flush') {
      if ((transport.state.features & FLUSHES) === 0) answer(tag)
      else sendFlush(tag)
    } else {
      if (count < 1 || count > state.maximum) return false
      beyond[tag] = sector + count > state.sectors ? 1 : 0
      if (operation === 'read') send(tag, READING, IN, sector, count, address, READ_FLAGS)
      else {
        const through = forceUnitAccess && (transport.state.features & FLUSHES) !== 0
        send(tag, through ? WRITING_THROUGH : WRITING, OUT, sector, count, address, VIRTQ_DESC_F_NEXT)
      }
    }
    state.outstanding += 1
    return true
  }

  function send(
    tag: number,
    what: number,
    type: number,
    sector: number,
    count: number,
    address: number,
    flags: number,
  ): void {
    const slot = tag * SLOT_BYTES
    const head = tag * CHAIN
    doing[tag] = what
    slots.write32(slot + TYPE, type)
    slots.write64(slot + SECTOR, sector)
    slots.write8(slot + STATUS, UNANSWERED)
    writeDescriptor(queue, head + 1, address, count * VIRTIO_BLK_SECTOR_BYTES, flags, head + 2)
    offerChain(env, queue, head)
  }

  /** A flush has no data: the chain's second descriptor is the status byte's. */
  function sendFlush(tag: number): void {
    const slot = tag * SLOT_BYTES
    const head = tag * CHAIN
    doing[tag] = FLUSHING
    beyond[tag] = 0
    slots.write32(slot + TYPE, FLUSH)
    slots.write64(slot + SECTOR, 0)
    slots.write8(slot + STATUS, UNANSWERED)
    writeDescriptor(queue, head + 1, slots.device + slot + STATUS, 1, VIRTQ_DESC_F_WRITE, 0)
    offerChain(env, queue, head)
  }

  function answer(tag: number): void {
    doing[tag] = ANSWERED
    state.answered += 1
    time.defer(drain)
  }

  function poll(budget: number): number {
    if (isOver(transport)) return giveBack(budget)
    let done = state.answered > 0 ? finishAnswered(budget) : 0
    if (!isRunning(transport)) return done
    while (done < budget) {
      const head = takeUsed(env, queue)
      if (head === NONE) return done
      if (head === BROKEN || !take(head)) {
        lose(transport)
        return done + giveBack(budget - done)
      }
      done += 1
    }
    return done
  }

  /** Handles one used chain. False if the device cannot mean it. */
  function take(head: number): boolean {
    const tag = (head / CHAIN) | 0
    if (tag * CHAIN !== head || tag >= depth) return false
    const what = doing[tag]
    if (what === FREE || what === ANSWERED) return false
    const status = slots.read8(tag * SLOT_BYTES + STATUS)
    if (status !== S_OK && status !== S_IOERR && status !== S_UNSUPP) return false
    if (what === WRITING_THROUGH && status === S_OK) {
      sendFlush(tag)
      return true
    }
    let how: Completion = 'ok'
    if (status === S_UNSUPP) how = 'unsupported'
    else if (status === S_IOERR) how = beyond[tag] === 1 ? 'out of range' : 'media error'
    finish(tag, how)
    return true
  }

  function finish(tag: number, how: Completion): void {
    doing[tag] = FREE
    state.outstanding -= 1
    completed(tag, how)
  }

  function finishAnswered(budget: number): number {
    let done = 0
    for (let tag = 0; tag < depth && done < budget && state.answered > 0; tag++) {
      if (doing[tag] !== ANSWERED) continue
      state.answered -= 1
      done += 1
      finish(tag, 'ok')
    }
    return done
  }

  /** Nobody will answer these any more. */
  function giveBack(budget: number): number {
    let done = 0
    for (let tag = 0; tag < depth && done < budget && state.outstanding > 0; tag++) {
      if (doing[tag] === FREE) continue
      done += 1
      finish(tag, 'device lost')
    }
    return done
  }

  function onInterrupt(): void {
    if (isRunning(transport) && ((acknowledge(transport) & USED_BUFFER) !== 0 || isOver(transport))) drain()
  }

  function drain(): void {
    if (poll(BUDGET) === BUDGET || (isRunning(transport) && rearm(env, queue))) time.defer(drain)
  }

  function stop(): void {
    if (beginStop(transport)) time.defer(step)
  }

  function release(): void {
    giveBack(depth)
    dma.free(slots)
    dma.free(queue.memory)
  }

  time.entry('step', step)
  time.entry('drain', drain)
  if (env.interrupts.length > 0) env.interrupts[0].subscribe(onInterrupt)

  return {
    depth,
    sectorBytes: VIRTIO_BLK_SECTOR_BYTES,
    start,
    ready: () => isRunning(transport),
    failure: () => failureOf(transport),
    stop,
    stopped: () => isStopped(transport),
    sectors: () => state.sectors,
    maximumSectors: () => state.maximum,
    submit,
    poll,
    onCompleted(heard) {
      completed = heard
    },
  }
}
