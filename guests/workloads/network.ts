/**
 * Network: sends UDP frames to the station at 10.0.0.1, one after the other, and waits for each to come back from its
 * echo port; small and large ones take turns. What comes back is verified.
 */
import type { NetworkDevice } from '../../drivers/environment.ts'
import { nicDriver } from '../../drivers/nic.ts'
import { virtioNet } from '../../drivers/virtio-net.ts'
import type { HartPort } from '../../hw/port.ts'
import { STATION_PORT } from '../../hw/spec/devices/station.ts'
import { VIRTIO_ID } from '../../hw/spec/devices/virtio-mmio.ts'
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
import type { Workload } from '../workload.ts'

const ECHOES = 300
const DEPTH = 4
/** Frames sent, without the checksum that the card adds. */
const SMALL = 64
const LARGE = 1400
/** The payload: the echo's number, then a stamp in each line. */
const FIRST_STAMP = 48
const LINE = 64

// Buffers for sending, by tag.
const SMALL_FRAME = 0
const LARGE_FRAME = 1

const STARTING = 0
const ECHOING = 1

const hardware: Hardware<NetworkDevice> = {
  pcieClass: 0x02_0000,
  virtioId: VIRTIO_ID.network,
  queueDepth: DEPTH,
  physical: nicDriver,
  virtual: virtioNet,
  functional: NETWORK_FUNCTION,
}

function networkTask(ground: TaskGround<NetworkDevice>): Task {
  const { device, data } = ground
  const state = { phase: STARTING, sent: 0, echoed: 0 }
  const link = stationLink(ground, DEPTH, data)

  function step(port: HartPort): number {
    const card = device()
    if (!card.ready()) return card.failure() === '' ? WAIT : FAILED
    const how = link.attend(port)
    if (how !== READY) return how === NOT_YET ? WAIT : RETRY
    if (state.phase === STARTING) {
      link.address(port, SMALL_FRAME, SMALL, STATION_PORT.echo)
      link.address(port, LARGE_FRAME, LARGE, STATION_PORT.echo)
      state.phase = ECHOING
      return BEGIN
    }
    if (!receive(port)) return FAILED
    if (state.echoed === ECHOES) return DONE
    return state.sent > state.echoed || send(port) ? WAIT : RETRY
  }

  /** Looks at the frames that have come. False if one is not what it should be. */
  function receive(port: HartPort): boolean {
    for (let tag = link.next(); tag >= 0; tag = link.next()) {
      const frame = link.incoming(tag)
      if (isIpv4(port, frame)) {
        if (!isEcho(port, frame, link.bytes(tag))) return false
        state.echoed++
      }
      link.release(tag)
    }
    return true
  }

  function isEcho(port: HartPort, frame: number, bytes: number): boolean {
    const number = state.sent - 1
    if (bytes < bytesOf(number) || sourcePort(port, frame) !== STATION_PORT.echo) return false
    if (port.load32(frame + PAYLOAD) !== number) return false
    for (let at = FIRST_STAMP; at + 4 <= bytesOf(number); at += LINE) {
      if (port.load32(frame + at) !== stamp(number, at)) return false
    }
    return true
  }

  function send(port: HartPort): boolean {
    const number = state.sent
    const tag = number % 2 === 0 ? SMALL_FRAME : LARGE_FRAME
    if (link.sending(tag)) return false
    const frame = link.outgoing(tag)
    port.store32(frame + PAYLOAD, number)
    for (let at = FIRST_STAMP; at + 4 <= bytesOf(number); at += LINE) port.store32(frame + at, stamp(number, at))
    if (!link.send(tag, bytesOf(number))) return false
    state.sent++
    return true
  }

  return { step, state: { run: state, ...link.state } }
}

function bytesOf(number: number): number {
  return number % 2 === 0 ? SMALL : LARGE
}

function stamp(number: number, at: number): number {
  return Math.imul((number << 12) ^ at, 0x9e37_79b1) >>> 0
}

export const network: Workload = {
  name: 'network',
  does: `${ECHOES} UDP frames of ${SMALL} and ${LARGE} bytes echoed by a station, one at a time; data verified`,
  disk: false,
  network: true,
  operations: ECHOES,
  unit: 'cycles per echo',
  image: () => scriptedImage(linkBytes(DEPTH)),
  software: (_guest, rings) =>
    scriptedGuest('network workload', scriptedImage(linkBytes(DEPTH)), networkHardware(hardware, rings), networkTask),
}
