/**
 * A machine at the far end of a cable, as far as a network card can tell: it answers ARP and ICMP echo, has the UDP
 * services of hw/spec/devices/station.ts, counts the rest, and sends UDP frames at a steady rate when told to.
 * Laboratory equipment, not a computer.
 */
import type { Clock, Plain, Saved, Timed } from '../bus/chip.ts'
import { ASK, STATION_PORT } from '../spec/devices/station.ts'
import type { Cable, End, Port } from './cable.ts'
import { add16, fold16, get16, put16 } from './nic/checksum.ts'
import { ETHERTYPE, type Frame, PROTOCOL, parse } from './nic/frame.ts'
import { type Load, StationLoads } from './station-loads.ts'

export interface StationOptions {
  readonly mac: readonly number[]
  readonly ip: readonly number[]
  /** From a request to its answer, in nanoseconds. */
  readonly turnaround?: number
}

/** A stream of UDP frames: `bytes` of payload each, `count` of them, one every `interval` nanoseconds. */
export type Stream = {
  readonly mac: readonly number[]
  readonly ip: readonly number[]
  readonly port: number
  readonly bytes: number
  readonly interval: number
  readonly count: number
}

/** Frames received intact and their bytes, frames damaged, frames sent, requests answered. */
export type StationCounts = { received: number; receivedBytes: number; damaged: number; sent: number; answered: number }

const ARP_REQUEST = 1
const ARP_REPLY = 2
const ARP_BYTES = 42
const ECHO_REQUEST = 8
const SOURCE_PORT = 40_000
const IP_HEADER = 20
const UDP_HEADER = 8
const ETHERNET_HEADER = 14

export class Station implements Port, Timed, Saved {
  readonly name: string
  readonly #options: StationOptions
  readonly #clock: Clock
  #cable: { readonly cable: Cable; readonly end: End } | undefined
  readonly #loads = new StationLoads()
  #discarded = 0
  #counts: StationCounts = { received: 0, receivedBytes: 0, damaged: 0, sent: 0, answered: 0 }

  constructor(name: string, options: StationOptions, clock: Clock) {
    this.name = name
    this.#options = options
    this.#clock = clock
  }

  connect(cable: Cable, end: End): void {
    this.#cable = { cable, end }
    cable.attach(end, this)
  }

  get counts(): Readonly<StationCounts> {
    return { ...this.#counts }
  }

  carrier(): void {}

  receive(frame: Uint8Array, intact: boolean): void {
    if (!intact) {
      this.#counts.damaged++
      return
    }
    this.#counts.received++
    this.#counts.receivedBytes += frame.length
    const answer = this.#answer(frame)
    if (!answer) return
    this.#counts.answered++
    this.#later(this.#options.turnaround ?? 1000, 'answer', answer)
  }

  /** Begins a stream; it goes on by itself. */
  generate(stream: Stream): void {
    this.#later(0, 'generate', { stream: { ...stream, mac: [...stream.mac], ip: [...stream.ip] }, number: 0 })
  }

  due(kind: string, payload: Plain): void {
    if (kind === 'answer') return this.#send(payload as Uint8Array)
    const { stream, number } = payload as { stream: Stream; number: number }
    if (number >= stream.count) return
    this.#send(this.#datagram(stream, number))
    this.#later(stream.interval, 'generate', { stream, number: number + 1 })
  }

  #later(nanoseconds: number, kind: string, payload: Plain): void {
    this.#clock.at(this.#clock.now() + Math.round((nanoseconds * this.#clock.frequency) / 1e9), kind, payload)
  }

  #send(frame: Uint8Array): void {
    this.#counts.sent++
    this.#cable?.cable.send(this.#cable.end, frame)
  }

  #answer(frame: Uint8Array): Uint8Array | undefined {
    if (frame.length < ETHERNET_HEADER) return undefined
    const ethertype = get16(frame, 12)
    if (ethertype === ETHERTYPE.ARP) return this.#answerArp(frame)
    return ethertype === ETHERTYPE.IPV4 ? this.#answerIp(frame) : undefined
  }

  #answerArp(frame: Uint8Array): Uint8Array | undefined {
    const { mac, ip } = this.#options
    if (frame.length < ARP_BYTES || get16(frame, 20) !== ARP_REQUEST || !same(frame, 38, ip)) return undefined
    const answer = frame.slice(0, ARP_BYTES)
    answer.set(frame.subarray(6, 12), 0)
    answer.set(mac, 6)
    put16(answer, 20, ARP_REPLY)
    answer.set(mac, 22)
    answer.set(ip, 28)
    answer.set(frame.subarray(22, 32), 32)
    return answer
  }

  #answerIp(frame: Uint8Array): Uint8Array | undefined {
    const { mac, ip } = this.#options
    const parsed = parse(frame)
    const { network, transport, end } = parsed
    if (network === 0 || parsed.fragment || parsed.networkSumHolds !== true || !same(frame, network + 16, ip))
      return undefined
    const echo = parsed.protocol === PROTOCOL.ICMP && frame[transport] === ECHO_REQUEST
    const udp = parsed.protocol === PROTOCOL.UDP && parsed.transportSumHolds !== false
    if (!echo && !(udp && this.#serve(frame, parsed))) return undefined
    const answer = frame.slice(0, end)
    answer.set(frame.subarray(6, 12), 0)
    answer.set(mac, 6)
    answer.set(frame.subarray(network + 16, network + 20), network + 12)
    answer.set(frame.subarray(network + 12, network + 16), network + 16)
    if (echo) {
      answer[transport] = 0
      put16(answer, transport + 2, 0)
      put16(answer, transport + 2, ~fold16(add16(answer, transport, end)) & 0xffff)
    } else {
      // the sums of both headers do not change when their halves trade places
      answer.set(frame.subarray(transport + 2, transport + 4), transport)
      answer.set(frame.subarray(transport, transport + 2), transport + 2)
    }
    return answer
  }

  /** What the UDP services do about a datagram. True if it is to be echoed. */
  #serve(frame: Uint8Array, { network, transport, end }: Frame): boolean {
    const port = get16(frame, transport + 2)
    const payload = frame.subarray(transport + UDP_HEADER, end)
    const sender = { mac: [...frame.subarray(6, 12)], ip: [...frame.subarray(network + 12, network + 16)] }
    const client = { ...sender, port: get16(frame, transport) }
    if (port === STATION_PORT.load) {
      const { load, first, count } = this.#loads.told(client, payload)
      for (let number = first; number < first + count; number++) this.#datagramLater(load, number)
    } else if (port === STATION_PORT.discard) {
      this.#discarded++
      if (payload.length >= 4 && view(payload).getUint32(0) >= ASK)
        this.#datagramLater({ ...client, bytes: 4 }, this.#discarded)
    }
    return port === STATION_PORT.echo
  }

  #datagramLater(load: Load, number: number): void {
    this.#counts.answered++
    this.#later(this.#options.turnaround ?? 1000, 'answer', this.#datagram(load, number))
  }

  #datagram(stream: Load, number: number): Uint8Array {
    const length = IP_HEADER + UDP_HEADER + stream.bytes
    const frame = new Uint8Array(ETHERNET_HEADER + length)
    const ip = ETHERNET_HEADER
    const udp = ip + IP_HEADER
    frame.set(stream.mac, 0)
    frame.set(this.#options.mac, 6)
    put16(frame, 12, ETHERTYPE.IPV4)
    frame[ip] = 0x45
    put16(frame, ip + 2, length)
    put16(frame, ip + 4, number & 0xffff)
    frame[ip + 8] = 64
    frame[ip + 9] = PROTOCOL.UDP
    frame.set(this.#options.ip, ip + 12)
    frame.set(stream.ip, ip + 16)
    put16(frame, ip + 10, ~fold16(add16(frame, ip, udp)) & 0xffff)
    put16(frame, udp, SOURCE_PORT)
    put16(frame, udp + 2, stream.port)
    put16(frame, udp + 4, UDP_HEADER + stream.bytes)
    if (stream.bytes >= 4) view(frame).setUint32(udp + UDP_HEADER, number)
    const pseudo = add16(frame, ip + 12, udp) + PROTOCOL.UDP + UDP_HEADER + stream.bytes
    put16(frame, udp + 6, ~fold16(add16(frame, udp, frame.length, pseudo)) & 0xffff || 0xffff)
    return frame
  }

  save(): Plain {
    return { counts: { ...this.#counts }, discarded: this.#discarded, loads: this.#loads.save() }
  }

  restore(state: Plain): void {
    const saved = state as { counts: StationCounts; discarded: number; loads: Plain }
    this.#counts = { ...saved.counts }
    this.#discarded = saved.discarded
    this.#loads.restore(saved.loads)
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function same(frame: Uint8Array, at: number, bytes: readonly number[]): boolean {
  return bytes.every((byte, i) => frame[at + i] === byte)
}
