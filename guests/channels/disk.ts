/** A channel through the disk: how long a read takes that comes after others'. */
import type { BlockDevice } from '../../drivers/environment.ts'
import { nvmeDriver } from '../../drivers/nvme.ts'
import { virtioBlk } from '../../drivers/virtio-blk.ts'
import type { HartPort } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { VIRTIO_ID } from '../../hw/spec/devices/virtio-mmio.ts'
import { DONE, FAILED, type Hardware, scriptedGuest, type Task, type TaskGround, WAIT } from '../scripted/guest.ts'
import { scriptedImage } from '../scripted/image.ts'
import { type Channel, FIRST_EPOCH, NOTES, SYMBOLS } from './channel.ts'

/** 4 ms: requests take tens of microseconds each. */
const EPOCH = 40_000
const SECTORS = 8
const BLOCK_BYTES = 4096
const TICKS_PER_MICROSECOND = 10
/** Microseconds behind the Trojan's reads, which the disk is then still about. */
const AFTER = 10

const hardware: Hardware<BlockDevice> = {
  pcieClass: 0x01_0802,
  virtioId: VIRTIO_ID.block,
  queueDepth: SYMBOLS,
  physical: nvmeDriver,
  virtual: virtioBlk,
}

const microseconds = (ticks: number) => ticks / TICKS_PER_MICROSECOND

/** Reads as many blocks at once as the symbol says, each epoch. */
function trojanTask(symbols: readonly number[]) {
  return ({ drivers, device, data }: TaskGround<BlockDevice>): Task => {
    const state = { epoch: 0, failed: false }
    const values = Int32Array.from(symbols)
    for (const driver of drivers) {
      driver.onCompleted((_tag, how) => {
        if (how !== 'ok') state.failed = true
      })
    }
    const begins = () => FIRST_EPOCH + state.epoch * EPOCH
    return {
      state: { trojan: state },
      due: () => microseconds(begins()),
      step(port: HartPort): number {
        const disk = device()
        if (state.failed) return FAILED
        if (!disk.ready() || port.read(time) < begins()) return WAIT
        for (let tag = 0; tag < (values[state.epoch] ?? 0); tag++)
          disk.submit(tag, 'read', (state.epoch * SYMBOLS + tag) * SECTORS, SECTORS, data + tag * BLOCK_BYTES, false)
        state.epoch++
        return WAIT
      },
    }
  }
}

/** Reads one block, each epoch, and notes how long that took. */
function spyTask(epochs: number) {
  return ({ drivers, device, data }: TaskGround<BlockDevice>): Task => {
    const state = { epoch: 0, since: 0, reading: false, over: false, failed: false }
    for (const driver of drivers) {
      driver.onCompleted((_tag, how) => {
        state.over = true
        if (how !== 'ok') state.failed = true
      })
    }
    const begins = () => FIRST_EPOCH + state.epoch * EPOCH + AFTER * TICKS_PER_MICROSECOND
    return {
      state: { spy: state },
      due: () => (state.reading ? Infinity : microseconds(begins())),
      step(port: HartPort): number {
        const disk = device()
        if (state.failed) return FAILED
        if (state.over) {
          state.over = false
          state.reading = false
          port.store32(NOTES + state.epoch * 8, port.read(time) - state.since)
          state.epoch++
          if (state.epoch === epochs) return DONE
        }
        const now = port.read(time)
        if (!disk.ready() || state.reading || now < begins()) return WAIT
        state.since = now
        state.reading = disk.submit(0, 'read', state.epoch * SECTORS, SECTORS, data, false)
        return WAIT
      },
    }
  }
}

export const diskChannel: Channel = {
  resource: 'disk',
  does: 'the Trojan reads 0 to 15 blocks at once; the spy times a read of its own',
  unit: 'ticks',
  epoch: EPOCH,
  // What is asked for in a slot is given to the disk in the next one of the same guest.
  slots: 4,
  disk: true,
  trojan: symbols => ({
    program: scriptedImage(SYMBOLS * BLOCK_BYTES),
    software: scriptedGuest('trojan', scriptedImage(SYMBOLS * BLOCK_BYTES), hardware, trojanTask(symbols)),
  }),
  spy: epochs => ({
    program: scriptedImage(BLOCK_BYTES),
    software: scriptedGuest('spy', scriptedImage(BLOCK_BYTES), hardware, spyTask(epochs)),
  }),
}
