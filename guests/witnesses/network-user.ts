/**
 * A guest that has frames echoed by the station, one after the other, and does not give up: what has not come back after
 * a while is sent again. What comes back otherwise than it was sent is told. It comes to an end some echoes after somebody
 * outside of the machine has said so, in its memory.
 */
import type { NetworkDevice } from '../../drivers/environment.ts'
import { nicDriver } from '../../drivers/nic.ts'
import { virtioNet } from '../../drivers/virtio-net.ts'
import type { HartPort, Software } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { STATION_PORT } from '../../hw/spec/devices/station.ts'
import { VIRTIO_ID } from '../../hw/spec/devices/virtio-mmio.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { isIpv4, PAYLOAD, sourcePort } from '../scripted/frames.ts'
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
import { NETWORK_FUNCTION } from '../scripted/network-function.ts'
import { networkHardware } from '../scripted/ring-hardware.ts'
import { linkBytes, NOT_YET, READY, stationLink } from '../scripted/station-link.ts'
import { outcomeMark } from './marks.ts'

const DEPTH = 8
const FRAME = 256
/** Behind number and guest, a stamp in each line. */
const FIRST_STAMP = PAYLOAD + 8
const STRIDE = 32
/** Ticks of time, of 100 ns, after which a frame is taken to be lost. */
const PATIENCE = 20_000
const FOR_EVER = -1
const WORD = 8

const hardware: Hardware<NetworkDevice> = {
  pcieClass: 0x02_0000,
  virtioId: VIRTIO_ID.network,
  queueDepth: DEPTH,
  physical: nicDriver,
  virtual: virtioNet,
  functional: NETWORK_FUNCTION,
}

function stamp(number: number, at: number): number {
  return Math.imul((number << 12) ^ at, 0x9e37_79b1) >>> 0
}

function taskOf(guest: number, echoes: number): (ground: TaskGround<NetworkDevice>) => Task {
  function userTask(ground: TaskGround<NetworkDevice>): Task {
    const { device, data } = ground
    const state = { begun: 0, echoed: 0, left: FOR_EVER, waiting: 0, sentAt: 0, wrong: 0 }
    const link = stationLink(ground, DEPTH, data)

    function step(port: HartPort): number {
      const card = device()
      if (!card.ready()) return card.failure() === '' ? WAIT : RETRY
      const how = link.attend(port)
      if (how !== READY) return how === NOT_YET ? WAIT : RETRY
      if (state.begun === 0) {
        state.begun = 1
        for (let tag = 0; tag < DEPTH; tag++) link.address(port, tag, FRAME, STATION_PORT.echo)
        return BEGIN
      }
      receive(port)
      if (state.left === 0) return state.wrong === 0 ? DONE : FAILED
      if (state.waiting === 1 && port.read(time) - state.sentAt > PATIENCE) {
        state.waiting = 0
        port.mark('end', outcomeMark(guest, 'failed'))
      }
      if (state.waiting === 0) send(port)
      return RETRY
    }

    function receive(port: HartPort): void {
      for (let tag = link.next(); tag >= 0; tag = link.next()) {
        const frame = link.incoming(tag)
        if (state.waiting === 1 && isIpv4(port, frame)) heed(port, frame)
        link.release(tag)
      }
    }

    /** An echo of one that was sent again is not looked at. */
    function heed(port: HartPort, frame: number): void {
      const number = state.echoed
      if (sourcePort(port, frame) === STATION_PORT.echo && port.load32(frame + PAYLOAD) < number) return
      let same = port.load32(frame + PAYLOAD) === number && port.load32(frame + PAYLOAD + 4) === guest
      for (let at = FIRST_STAMP; at + 4 <= FRAME; at += STRIDE) {
        if (port.load32(frame + at) !== stamp(number, at)) same = false
      }
      state.waiting = 0
      if (same) {
        port.mark('end', outcomeMark(guest, 'good'))
        state.echoed++
        if (state.left !== FOR_EVER) state.left--
        else if (port.load32(data + linkBytes(DEPTH)) !== 0) state.left = echoes
      } else {
        port.mark('end', outcomeMark(guest, 'wrong'))
        state.wrong++
      }
    }

    function send(port: HartPort): void {
      const number = state.echoed
      const tag = number % DEPTH
      if (link.sending(tag)) return
      const frame = link.outgoing(tag)
      port.store32(frame + PAYLOAD, number)
      port.store32(frame + PAYLOAD + 4, guest)
      for (let at = FIRST_STAMP; at + 4 <= FRAME; at += STRIDE) port.store32(frame + at, stamp(number, at))
      port.mark('start', outcomeMark(guest, 'good'))
      state.sentAt = port.read(time)
      if (link.send(tag, FRAME)) state.waiting = 1
    }

    return { step, state: { user: state, ...link.state } }
  }

  return userTask
}

/** Guest number `guest`: so many frames and their echoes, from when its word `last` is not 0 any more. `rings`: its network card is in a driver domain. */
export function networkUser(
  guest: number,
  echoes: number,
  rings: boolean,
): { readonly program: Program; readonly software: Software; readonly last: number } {
  const program = scriptedImage(linkBytes(DEPTH) + WORD)
  return {
    program,
    last: program.symbols.get('data')! + linkBytes(DEPTH),
    software: scriptedGuest('network user', program, networkHardware(hardware, rings), taskOf(guest, echoes)),
  }
}
