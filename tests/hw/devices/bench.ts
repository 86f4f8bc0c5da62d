/** A workbench for single chips: a clock that the test turns, memory to master, wires to look at. */
import type { Clock, Dma, Line, Plain, Timed } from '../../../hw/bus/chip.ts'
import type { PcieDevice } from '../../../hw/bus/pcie-host.ts'
import { PcieHost } from '../../../hw/bus/pcie-host.ts'
import { ecamOffset, pcie } from '../../../hw/spec/devices/pcie.ts'

interface Event {
  readonly id: number
  readonly cycle: number
  readonly kind: string
  readonly payload: Plain
  readonly target: () => Timed
}

/** One queue of events for all chips on the bench; a gigahertz, so that cycles are nanoseconds. */
export class BenchTime {
  now = 0
  events: Event[] = []
  #next = 1

  clockFor(target: () => Timed): Clock {
    return {
      now: () => this.now,
      at: (cycle, kind, payload = null) => {
        const id = this.#next++
        this.events.push({ id, cycle: Math.max(cycle, this.now), kind, payload, target })
        return id
      },
      cancel: id => {
        this.events = this.events.filter(event => event.id !== id)
      },
      cyclesPerTick: 100,
      frequency: 1e9,
    }
  }

  /** Runs events, in their order, until `until` says so or none is left; false then. */
  run(until: () => boolean = () => false, limit = 1_000_000): boolean {
    for (let i = 0; i < limit; i++) {
      if (until()) return true
      if (!this.step()) return until()
    }
    throw new Error(`still going after ${limit} events`)
  }

  /** Runs what falls due within so many nanoseconds, and lets them pass. */
  pass(nanoseconds: number): void {
    const end = this.now + nanoseconds
    while (this.#first() && this.#first()!.cycle <= end) this.step()
    this.now = end
  }

  step(): boolean {
    const event = this.#first()
    if (!event) return false
    this.events = this.events.filter(({ id }) => id !== event.id)
    this.now = Math.max(this.now, event.cycle)
    event.target().due(event.kind, event.payload)
    return true
  }

  #first(): Event | undefined {
    return this.events.reduce<Event | undefined>((first, event) => {
      if (!first) return event
      return event.cycle < first.cycle || (event.cycle === first.cycle && event.id < first.id) ? event : first
    }, undefined)
  }
}

export class BenchMemory implements Dma {
  readonly bytes: Uint8Array
  readonly view: DataView
  constructor(size = 2 ** 20) {
    this.bytes = new Uint8Array(size)
    this.view = new DataView(this.bytes.buffer)
  }

  read(address: number, into: Uint8Array): boolean {
    if (address + into.length > this.bytes.length) return false
    into.set(this.bytes.subarray(address, address + into.length))
    return true
  }

  write(address: number, from: Uint8Array): boolean {
    if (address + from.length > this.bytes.length) return false
    this.bytes.set(from, address)
    return true
  }

  store64(address: number, value: number): void {
    this.view.setUint32(address, value >>> 0, true)
    this.view.setUint32(address + 4, Math.floor(value / 2 ** 32), true)
  }
}

export class BenchLine implements Line {
  level = false
  rises = 0

  set(level: boolean): void {
    if (level && !this.level) this.rises++
    this.level = level
  }
}

export const WINDOW32 = 0x4000_0000
export const WINDOW64 = 0x4_0000_0000

/** A PCIe host with memory and four wires, and one device in a slot, enabled, its first BAR at WINDOW32. */
export function plugged(
  device: PcieDevice,
  { slot = 1, msix = true } = {},
): {
  host: PcieHost
  memory: BenchMemory
  lines: [BenchLine, BenchLine, BenchLine, BenchLine]
  config: {
    read(register: { at: number; width: number }): number
    write(register: { at: number; width: number }, value: number): void
  }
} {
  const memory = new BenchMemory()
  const lines: [BenchLine, BenchLine, BenchLine, BenchLine] = [
    new BenchLine(),
    new BenchLine(),
    new BenchLine(),
    new BenchLine(),
  ]
  const host = new PcieHost({ dma: () => memory, lines, msix, window32: WINDOW32, window64: WINDOW64 })
  host.plug(device, slot)
  const bytes = (width: number) => (width / 8) as 1 | 2 | 4
  const config = {
    read: (register: { at: number; width: number }) =>
      host.ecam.read(ecamOffset(0, slot, 0, register.at), bytes(register.width)),
    write: (register: { at: number; width: number }, value: number) =>
      host.ecam.write(ecamOffset(0, slot, 0, register.at), bytes(register.width), value),
  }
  config.write(pcie.BAR, WINDOW32)
  config.write(pcie.COMMAND, 0x0006)
  return { host, memory, lines, config }
}
