/**
 * Virtual chips on a workbench: a guest's RAM whose 2 MiB pages lie scattered in the VMM's memory, a port that reaches
 * nothing else, and the chip as the guest's drivers find it.
 */
import type { Chip } from '../../../hw/bus/chip.ts'
import type { HartPort } from '../../../hw/port.ts'
import type { BlockBackend, GuestMemory, NetworkBackend, VirtualChip, VirtualLine } from '../../../vmm/virtual/chip.ts'
import { BenchMemory, BenchTime } from '../../hw/devices/bench.ts'

const PAGE = 0x20_0000
const PAGES = 4
/** Where the VMM finds the guest's pages: in this order, none beside its neighbour. */
const PLACES = [5, 3, 9, 7]
/** The VMM's own memory: frames to be sent. */
export const OWN = 0x40_0000

export interface Bench {
  readonly time: BenchTime
  /** The guest's RAM, at its own addresses. */
  readonly memory: BenchMemory
  /** The VMM's, from OWN on. */
  readonly own: BenchMemory
  readonly port: HartPort
  readonly guest: GuestMemory
  readonly line: VirtualLine & { level: boolean; rises: number }
  /** Operations of the port so far. */
  operations(): number
  /** The chip as a chip of the guest's bus. */
  chip(virtual: VirtualChip): Chip
}

export function bench(): Bench {
  const memory = new BenchMemory(PAGE * PAGES)
  const own = new BenchMemory(0x8_0000)
  let operations = 0
  /** Runs an access where the VMM's address lies; beyond a page, alignment or either memory is an error. */
  const at = (address: number, bytes: number): { view: DataView; at: number } => {
    operations++
    if (bytes <= 8 && address % bytes !== 0) throw new Error(`misaligned access of ${bytes} bytes at ${address}`)
    if (address >= OWN && address + bytes <= OWN + own.bytes.length) return { view: own.view, at: address - OWN }
    const page = PLACES.indexOf(Math.floor(address / PAGE) - 0x1000)
    if (page < 0 || (address % PAGE) + bytes > PAGE) throw new Error(`the VMM reaches for ${bytes} bytes at ${address}`)
    return { view: memory.view, at: page * PAGE + (address % PAGE) }
  }
  const bytesAt = (address: number, bytes: number): Uint8Array => {
    const { view, at: offset } = at(address, Math.max(bytes, 9))
    return new Uint8Array(view.buffer, offset, bytes)
  }
  const access = <T>(address: number, bytes: number, act: (view: DataView, at: number) => T): T => {
    const place = at(address, bytes)
    return act(place.view, place.at)
  }
  const port = {
    hart: 0,
    load8: (address: number) => access(address, 1, (view, offset) => view.getUint8(offset)),
    load16: (address: number) => access(address, 2, (view, offset) => view.getUint16(offset, true)),
    load32: (address: number) => access(address, 4, (view, offset) => view.getUint32(offset, true)),
    load64: (address: number) =>
      access(address, 8, (view, offset) =>
        Math.min(2 ** 53, view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32),
      ),
    store8: (address: number, value: number) => access(address, 1, (view, offset) => view.setUint8(offset, value)),
    store16: (address: number, value: number) =>
      access(address, 2, (view, offset) => view.setUint16(offset, value, true)),
    store32: (address: number, value: number) =>
      access(address, 4, (view, offset) => view.setUint32(offset, value, true)),
    copy: (to: number, from: number, bytes: number) => bytesAt(to, bytes).set(bytesAt(from, bytes).slice()),
    fill: (to: number, byte: number, bytes: number) => void bytesAt(to, bytes).fill(byte),
    fence: () => void operations++,
  } as unknown as HartPort
  const reach = (_port: HartPort, address: number, bytes: number): number => {
    const page = Math.floor(address / PAGE)
    if (address < 0 || address + bytes > PAGE * PAGES || (address % PAGE) + bytes > PAGE) return -1
    return (0x1000 + PLACES[page]) * PAGE + (address % PAGE)
  }
  const line = {
    level: false,
    rises: 0,
    set(_port: HartPort, level: boolean) {
      if (level && !line.level) line.rises++
      line.level = level
    },
  }
  return {
    time: new BenchTime(),
    memory,
    own,
    port,
    guest: { reach, deviceAddress: reach },
    line,
    operations: () => operations,
    chip: virtual => ({
      read: (offset, bytes) => virtual.read(port, offset, bytes),
      write: (offset, bytes, value) => virtual.write(port, offset, bytes, value),
    }),
  }
}

export interface FakeDisk extends BlockBackend {
  readonly bytes: Uint8Array
  /** Requests so far. */
  readonly requests: { operation: string; sector: number; count: number }[]
  /** Completes what is outstanding, oldest first. */
  settle(): void
}

/** A disk in an array. `delay`: microseconds until a request completes; 0: at once; -1: when `settle` is called. */
export function fakeDisk(bench: Bench, sectors: number, { depth = 4, maximumSectors = 8, delay = 3 } = {}): FakeDisk {
  const bytes = new Uint8Array(sectors * 512)
  const busy = new Set<number>()
  const outstanding: (() => void)[] = []
  let completed: Parameters<BlockBackend['attach']>[0]
  const requests: FakeDisk['requests'] = []
  return {
    depth,
    maximumSectors,
    bytes,
    requests,
    sectors: () => sectors,
    submit(port, tag, operation, sector, count, guestAddress) {
      if (tag < 0 || tag >= depth || busy.has(tag)) throw new Error(`tag ${tag} is not free`)
      if (count > maximumSectors || sector + count > sectors) throw new Error(`${count} sectors at ${sector}`)
      if (operation !== 'flush' && bench.guest.deviceAddress(port, guestAddress, count * 512) < 0)
        throw new Error("not the guest's memory")
      busy.add(tag)
      requests.push({ operation, sector, count })
      const finish = () => {
        const data = bench.memory.bytes.subarray(guestAddress, guestAddress + count * 512)
        const medium = bytes.subarray(sector * 512, (sector + count) * 512)
        if (operation === 'read') data.set(medium)
        else if (operation === 'write') medium.set(data)
        busy.delete(tag)
        completed(port, tag, true)
      }
      if (delay === 0) finish()
      else if (delay < 0) outstanding.push(finish)
      else {
        const clock = bench.time.clockFor(() => ({ due: finish }))
        clock.at(clock.now() + delay * 1000, 'disk')
      }
      return true
    },
    attach: heard => void (completed = heard),
    settle: () => {
      for (const finish of outstanding.splice(0)) finish()
    },
  }
}

export interface FakeWire extends NetworkBackend {
  readonly sent: Uint8Array[]
  /** A frame comes in: false if the card did not take it. */
  arrive(frame: Uint8Array): boolean
}

export function fakeWire(bench: Bench): FakeWire {
  const sent: Uint8Array[] = []
  let deliver: Parameters<NetworkBackend['attach']>[0]
  return {
    sent,
    buffer: () => OWN,
    transmit: (_port, address, bytes) => void sent.push(bench.own.bytes.slice(address - OWN, address - OWN + bytes)),
    attach: heard => void (deliver = heard),
    arrive(frame) {
      bench.own.bytes.set(frame, 0x2000)
      return deliver(bench.port, OWN + 0x2000, frame.length)
    },
  }
}
