/**
 * A disk whose driver is in another guest: requests go into a ring that both share, pages that they are about are granted
 * for as long as they last (hw/spec/layouts/ring.ts). If the domain is replaced, the ring is made anew, with what is
 * outstanding in its order.
 */
import type { BlockDevice, Completion, Environment } from './environment.ts'
import { openRing, type RingEnd, ringEnd } from './ring-end.ts'
import { RING_ID, ringFront } from '../hw/spec/devices/ring.ts'
import { MOST_GRANTS, RING_OPEN, RING_OPERATION, RING_SLOTS, RING_STATUS } from '../hw/spec/layouts/ring.ts'

const SECTOR_BYTES = 512
const SECTOR_SHIFT = 9
const PAGE = 4096
/** Data may begin within a page: one grant less than there is room for. */
const MAXIMUM_SECTORS = ((MOST_GRANTS - 1) * PAGE) / SECTOR_BYTES

const CREATED = 0
const CONNECTING = 1
const RUNNING = 2
const FAILED = 3
const STOPPED = 4

const BUDGET = 64

export interface RingBlkConfig {
  readonly queueDepth: number
}

export function ringBlk(env: Environment, config: RingBlkConfig): BlockDevice {
  const { device, interrupts, time } = env
  const depth = config.queueDepth < RING_SLOTS ? config.queueDepth : RING_SLOTS
  const end: RingEnd = ringEnd(env, depth, MOST_GRANTS)
  const state = env.state('ring block', { phase: CREATED, sectors: 0, outstanding: 0 })
  /** By tag: 1 while it is outstanding. */
  const busy = env.state('busy', new Int32Array(depth))
  const unheard: (tag: number, how: Completion) => void = () => {}
  let completed = unheard

  function start(): void {
    if (state.phase !== CREATED) return
    if (device.read(ringFront.DeviceID) !== RING_ID.block) {
      state.phase = FAILED
      return
    }
    state.sectors = device.read(ringFront.Capacity) + device.readHigh(ringFront.Capacity) * 4294967296
    state.phase = CONNECTING
    openRing(env, end)
    interrupts[0].unmask()
  }

  function submit(
    tag: number,
    operation: 'read' | 'write' | 'flush',
    sector: number,
    count: number,
    address: number,
    _forceUnitAccess: boolean,
  ): boolean {
    if (state.phase !== RUNNING || tag < 0 || tag >= depth || busy[tag] !== 0) return false
    if (operation === 'flush') end.put(tag, RING_OPERATION.FLUSH, 0, 0, 0, false)
    else {
      if (count < 1 || count > MAXIMUM_SECTORS) return false
      const isRead = operation === 'read'
      const kind = isRead ? RING_OPERATION.READ : RING_OPERATION.WRITE
      end.put(tag, kind, sector, address, count << SECTOR_SHIFT, !isRead)
    }
    busy[tag] = 1
    state.outstanding++
    end.tell()
    return true
  }

  function poll(budget: number): number {
    let done = 0
    while (done < budget && end.take()) {
      const { tag, status } = end.state
      if (tag >= depth || busy[tag] === 0) continue
      end.release(tag)
      busy[tag] = 0
      state.outstanding--
      done++
      completed(tag, status === RING_STATUS.OK ? 'ok' : 'media error')
    }
    return done
  }

  function onInterrupt(): void {
    device.write(ringFront.Acknowledge, 1)
    drain()
  }

  function drain(): void {
    const how = end.how()
    if (how === RING_OPEN.SERVED && state.phase === CONNECTING) state.phase = RUNNING
    const isWhole = poll(BUDGET) < BUDGET
    if (!isWhole) time.defer(drain)
    else if (how === RING_OPEN.REPLACED) end.renew()
    else if (how === RING_OPEN.GONE) giveUp(FAILED)
  }

  function stop(): void {
    if (state.phase === STOPPED) return
    interrupts[0].mask()
    device.write(ringFront.Connect, 0)
    giveUp(STOPPED)
  }

  /** Nobody will answer what is outstanding. */
  function giveUp(phase: number): void {
    state.phase = phase
    for (let tag = 0; tag < depth; tag++) {
      if (busy[tag] === 0) continue
      end.release(tag)
      busy[tag] = 0
      completed(tag, 'device lost')
    }
    state.outstanding = 0
  }

  time.entry('drain', drain)
  interrupts[0].subscribe(onInterrupt)

  return {
    depth,
    sectorBytes: SECTOR_BYTES,
    start,
    ready: () => state.phase === RUNNING,
    failure: () => (state.phase === FAILED ? 'no domain for the disk' : ''),
    stop,
    stopped: () => state.phase === STOPPED,
    sectors: () => state.sectors,
    maximumSectors: () => MAXIMUM_SECTORS,
    submit,
    poll,
    onCompleted(heard) {
      completed = heard
    },
  }
}
