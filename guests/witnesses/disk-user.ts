/**
 * A guest that writes a block and reads it back, one after the other, and does not give up: a request that fails is made
 * again. What was written and then reads otherwise is lost, and told. It comes to an end some requests after somebody
 * outside of the machine has said so, in its memory.
 */
import type { BlockDevice, Completion } from '../../drivers/environment.ts'
import { nvmeDriver } from '../../drivers/nvme.ts'
import { virtioBlk } from '../../drivers/virtio-blk.ts'
import type { HartPort, Software } from '../../hw/port.ts'
import { VIRTIO_ID } from '../../hw/spec/devices/virtio-mmio.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
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
import { BLOCK_BYTES, holdsStamps, SECTORS, storeStamps } from '../workloads/disk-stamps.ts'
import { outcomeMark } from './marks.ts'

const IDLE = 0
const BUSY = 1
const OVER = 2
const LOST = 3

const hardware: Hardware<BlockDevice> = {
  pcieClass: 0x01_0802,
  virtioId: VIRTIO_ID.block,
  queueDepth: 4,
  physical: nvmeDriver,
  virtual: virtioBlk,
}

/** Of its disk it uses so many. */
const BLOCKS = 8
const FOR_EVER = -1
const WORD = 8

/** `pairs`: writes, and as many reads. */
function taskOf(guest: number, pairs: number): (ground: TaskGround<BlockDevice>) => Task {
  function userTask({ device, drivers, data }: TaskGround<BlockDevice>): Task {
    const state = { begun: 0, done: 0, left: FOR_EVER, stage: IDLE, wrong: 0 }

    function step(port: HartPort): number {
      const disk = device()
      if (!disk.ready()) return disk.failure() === '' ? WAIT : RETRY
      if (state.begun === 0) {
        state.begun = 1
        return BEGIN
      }
      if (state.stage === LOST) {
        state.stage = IDLE
        port.mark('end', outcomeMark(guest, 'failed'))
        return RETRY
      }
      if (state.stage === OVER) finish(port)
      if (state.left === 0) return state.wrong === 0 ? DONE : FAILED
      if (state.stage === IDLE && !issue(port, disk)) return RETRY
      return WAIT
    }

    function issue(port: HartPort, disk: BlockDevice): boolean {
      const block = (state.done >> 1) % BLOCKS
      const isWrite = (state.done & 1) === 0
      if (isWrite) storeStamps(port, data, block, 1)
      else port.fill(data, 0, BLOCK_BYTES)
      port.mark('start', outcomeMark(guest, 'good'))
      state.stage = BUSY
      if (disk.submit(0, isWrite ? 'write' : 'read', block * SECTORS, SECTORS, data, false)) return true
      state.stage = IDLE
      return false
    }

    function finish(port: HartPort): void {
      const isWrite = (state.done & 1) === 0
      state.stage = IDLE
      if (isWrite || holdsStamps(port, data, (state.done >> 1) % BLOCKS, 1))
        port.mark('end', outcomeMark(guest, 'good'))
      else {
        port.mark('end', outcomeMark(guest, 'wrong'))
        state.wrong++
      }
      state.done++
      if (state.left !== FOR_EVER) state.left--
      else if (port.load32(data + BLOCK_BYTES) !== 0) state.left = 2 * pairs
    }

    function completed(_tag: number, how: Completion): void {
      state.stage = how === 'ok' ? OVER : LOST
    }

    for (const driver of drivers) driver.onCompleted(completed)
    return { step, state: { user: state } }
  }

  return userTask
}

/** Guest number `guest`: so many writes, each read back, from when its word `last` is not 0 any more. `rings`: its disk is in a driver domain. */
export function diskUser(
  guest: number,
  pairs: number,
  rings: boolean,
): { readonly program: Program; readonly software: Software; readonly last: number } {
  const program = scriptedImage(BLOCK_BYTES + WORD)
  const last = program.symbols.get('data')! + BLOCK_BYTES
  return {
    program,
    last,
    software: scriptedGuest('disk user', program, diskHardware(hardware, rings), taskOf(guest, pairs)),
  }
}
