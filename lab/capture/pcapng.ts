/** Frames as pcapng, the format that Wireshark reads: a header block, an interface for each end of a cable, a block a frame. */
import type { Cable, End } from '../../hw/devices/cable.ts'

const SECTION_HEADER = 0x0a0d_0d0a
const INTERFACE_DESCRIPTION = 1
const ENHANCED_PACKET = 6
const BYTE_ORDER = 0x1a2b_3c4d
const ETHERNET = 1
const OPTION_NAME = 2
const OPTION_RESOLUTION = 9
const OPTION_FLAGS = 2
const NANOSECONDS = 9
const CRC_ERROR = 1 << 24

/** A block: type, length, body padded to words, length again. */
function block(type: number, body: Uint8Array): Uint8Array {
  const length = 12 + Math.ceil(body.length / 4) * 4
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, length, true)
  bytes.set(body, 8)
  view.setUint32(length - 4, length, true)
  return bytes
}

function option(code: number, value: Uint8Array): number[] {
  const padding = new Array<number>((4 - (value.length % 4)) % 4).fill(0)
  return [code & 0xff, code >>> 8, value.length & 0xff, value.length >>> 8, ...value, ...padding]
}

/** The file's beginning, with an Ethernet interface of nanosecond resolution for each name. */
export function pcapngHeader(interfaces: readonly string[]): Uint8Array {
  const section = new Uint8Array(16)
  const view = new DataView(section.buffer)
  view.setUint32(0, BYTE_ORDER, true)
  view.setUint16(4, 1, true)
  view.setInt32(8, -1, true)
  view.setInt32(12, -1, true)
  const descriptions = interfaces.map(name => {
    const options = [
      ...option(OPTION_NAME, new TextEncoder().encode(name)),
      ...option(OPTION_RESOLUTION, Uint8Array.of(NANOSECONDS)),
      0,
      0,
      0,
      0,
    ]
    return block(INTERFACE_DESCRIPTION, Uint8Array.from([ETHERNET, 0, 0, 0, 0, 0, 0, 0, ...options]))
  })
  return Buffer.concat([block(SECTION_HEADER, section), ...descriptions])
}

/** One frame, seen on an interface at a time in nanoseconds. */
export function pcapngFrame(interfaceIndex: number, nanoseconds: number, frame: Uint8Array, intact = true): Uint8Array {
  const padded = Math.ceil(frame.length / 4) * 4
  const flags = Uint8Array.from([0, 0, 0, intact ? 0 : CRC_ERROR >>> 24])
  const options = intact ? [] : [...option(OPTION_FLAGS, flags), 0, 0, 0, 0]
  const body = new Uint8Array(20 + padded + options.length)
  const view = new DataView(body.buffer)
  view.setUint32(0, interfaceIndex, true)
  view.setUint32(4, Math.floor(nanoseconds / 2 ** 32), true)
  view.setUint32(8, nanoseconds % 2 ** 32, true)
  view.setUint32(12, frame.length, true)
  view.setUint32(16, frame.length, true)
  body.set(frame, 20)
  body.set(options, 20 + padded)
  return block(ENHANCED_PACKET, body)
}

/** Captures a cable from now on: `write` gets the file piece by piece. `frequency` is the harts' clock. */
export function capture(
  cable: Cable,
  ends: readonly [string, string],
  frequency: number,
  write: (piece: Uint8Array) => void,
): void {
  write(pcapngHeader(ends))
  cable.onFrame((cycle: number, from: End, frame: Uint8Array, intact: boolean) => {
    write(pcapngFrame(from, Math.floor((cycle * 1e9) / frequency), frame, intact))
  })
}
