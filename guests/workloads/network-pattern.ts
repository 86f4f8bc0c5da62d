/**
 * Network, one pattern at a time, with the station at 10.0.0.1: small UDP frames that come back, one at a time
 * (ping-pong) or 16 under way; large ones sent, the station acknowledging every eighth; large ones received, as the
 * guest lets them come. Numbers in what comes are verified.
 */
import type { NetworkDevice } from '../../drivers/environment.ts'
import { nicDriver } from '../../drivers/nic.ts'
import { virtioNet } from '../../drivers/virtio-net.ts'
import type { HartPort } from '../../hw/port.ts'
import { ASK, CREDIT, LOAD, STATION_PORT } from '../../hw/spec/devices/station.ts'
import { VIRTIO_ID } from '../../hw/spec/devices/virtio-mmio.ts'
import { get32, isIpv4, PAYLOAD, put32 } from '../scripted/frames.ts'
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
import { requestMark, type Workload } from '../workload.ts'

/** Buffers each way, and frames under way: what even a short queue on the way holds, so that none is lost. */
const DEPTH = 32
const WINDOW = 16
/** Bytes of frames, without the checksum that the card adds. */
const SMALL = 64
const LARGE = 1514
/** Frames that are acknowledged together. */
const BATCH = 8

interface Pattern {
  readonly name: string
  readonly does: string
  readonly unit: string
  readonly frames: number
  readonly bytes: number
  /** Frames under way at a time, of those that are sent. */
  readonly window: number
  /** What the station does: sends each back, takes them, or sends some itself. */
  readonly service: 'echo' | 'discard' | 'load'
}

const PATTERNS: readonly Pattern[] = [
  {
    name: 'network-ping',
    does: `1000 UDP frames of ${SMALL} bytes echoed by a station, one at a time`,
    unit: 'cycles per round trip',
    frames: 1000,
    bytes: SMALL,
    window: 1,
    service: 'echo',
  },
  {
    name: 'network-small',
    does: `2000 UDP frames of ${SMALL} bytes echoed by a station, ${WINDOW} under way`,
    unit: 'cycles per frame and its echo',
    frames: 2000,
    bytes: SMALL,
    window: WINDOW,
    service: 'echo',
  },
  {
    name: 'network-send',
    does: `1000 UDP frames of ${LARGE} bytes sent to a station, which acknowledges every ${BATCH}th`,
    unit: 'cycles per frame',
    frames: 1000,
    bytes: LARGE,
    window: WINDOW,
    service: 'discard',
  },
  {
    name: 'network-receive',
    does: `1000 UDP frames of ${LARGE} bytes received from a station, ${WINDOW} under way`,
    unit: 'cycles per frame',
    frames: 1000,
    bytes: LARGE,
    window: WINDOW,
    service: 'load',
  },
]

const STARTING = 0
const MOVING = 1

function taskOf(
  { frames, bytes, window, service }: Pattern,
  guest: number,
): (ground: TaskGround<NetworkDevice>) => Task {
  const isEcho = service === 'echo'
  const isLoad = service === 'load'
  const toPort = STATION_PORT[service]

  function patternTask(ground: TaskGround<NetworkDevice>): Task {
    const { device, data } = ground
    const state = { phase: STARTING, sent: 0, back: 0, credit: 0, bad: 0 }
    const link = stationLink(ground, DEPTH, data)

    function step(port: HartPort): number {
      const card = device()
      if (!card.ready()) return card.failure() === '' ? WAIT : FAILED
      const how = link.attend(port)
      if (how !== READY) return how === NOT_YET ? WAIT : RETRY
      if (state.phase === STARTING) {
        for (let tag = 0; tag < DEPTH; tag++) link.address(port, tag, isLoad ? SMALL : bytes, toPort)
        state.phase = MOVING
        return BEGIN
      }
      receive(port)
      if (state.bad !== 0) return FAILED
      if (state.back === frames) return DONE
      if (isLoad) return ask(port) ? WAIT : RETRY
      send(port)
      return WAIT
    }

    /** Looks at what has come. */
    function receive(port: HartPort): void {
      for (let tag = link.next(); tag >= 0; tag = link.next()) {
        const frame = link.incoming(tag)
        if (isIpv4(port, frame)) {
          heed(get32(port, frame + PAYLOAD))
          // Of those that are acknowledged together, the last has waited least.
          port.mark('end', requestMark(guest, (state.back - 1) % window))
        }
        link.release(tag)
      }
    }

    /** Echoes and load come in order; an acknowledgement says how many the station has. */
    function heed(number: number): void {
      const expected = service === 'discard' ? Math.min(state.back + BATCH, frames) : state.back + 1
      if (number !== (service === 'discard' ? expected : state.back)) state.bad++
      state.back = expected
      state.credit++
    }

    /** Sends as many as may be under way. */
    function send(port: HartPort): void {
      while (state.sent < frames && state.sent - state.back < window) {
        const tag = state.sent % window
        if (link.sending(tag)) return
        const isLast = state.sent % BATCH === BATCH - 1 || state.sent === frames - 1
        put32(port, link.outgoing(tag) + PAYLOAD, !isEcho && isLast ? ASK + state.sent : state.sent)
        port.mark('start', requestMark(guest, tag))
        if (!link.send(tag, bytes)) return
        state.sent++
      }
    }

    /** Lets more come. */
    function ask(port: HartPort): boolean {
      if (state.sent > 0 && state.credit < BATCH) return true
      const tag = state.sent % window
      const payload = link.outgoing(tag) + PAYLOAD
      if (link.sending(tag)) return false
      put32(port, payload, state.sent === 0 ? LOAD : CREDIT)
      put32(port, payload + 4, state.sent === 0 ? bytes - PAYLOAD : state.credit)
      put32(port, payload + 8, frames)
      put32(port, payload + 12, window)
      if (!link.send(tag, SMALL)) return false
      state.credit = 0
      state.sent++
      return true
    }

    return { step, state: { run: state, ...link.state } }
  }

  return patternTask
}

function patternWorkload(pattern: Pattern): Workload {
  const { name, does, unit, frames } = pattern
  const hardware: Hardware<NetworkDevice> = {
    pcieClass: 0x02_0000,
    virtioId: VIRTIO_ID.network,
    queueDepth: DEPTH,
    physical: nicDriver,
    virtual: virtioNet,
    functional: NETWORK_FUNCTION,
  }
  return {
    name,
    does,
    disk: false,
    network: true,
    operations: frames,
    unit,
    image: () => scriptedImage(linkBytes(DEPTH)),
    software: (guest = 0, rings = false) =>
      scriptedGuest(name, scriptedImage(linkBytes(DEPTH)), networkHardware(hardware, rings), taskOf(pattern, guest)),
    ...(pattern.service !== 'load' && { requests: pattern.service === 'echo' ? frames : frames / BATCH }),
  }
}

export const networkPatterns: readonly Workload[] = PATTERNS.map(patternWorkload)
