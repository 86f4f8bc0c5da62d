import { describe, expect, test } from 'vitest'
import type { Wiring } from '../../../hw/board.ts'
import { Bus } from '../../../hw/bus/bus.ts'
import { FIRMWARE_BYTES } from '../../../hw/boards/firmware/firmware.ts'
import { type VirtOptions, virt } from '../../../hw/boards/virt.ts'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import { Memory } from '../../../hw/memory/memory.ts'
import { decodeFdt, fdtCells, fdtFind, fdtRanges } from '../../../hw/spec/layouts/fdt.ts'
import { HandClock, Wire } from '../devices/bench-top.ts'

const RAM = 0x8000_0000
const MIB = 2 ** 20

/** Wires a board to memory and a bus without harts that run. */
function wired(options: VirtOptions) {
  const board = virt(options)
  const memory = new Memory(board.regions, board.harts)
  const bus = new Bus()
  const names: string[] = []
  const stops: unknown[] = []
  const wires = () => ({
    msip: new Wire(),
    mtip: new Wire(),
    meip: new Wire(),
    seip: new Wire(),
    guest: () => new Wire(),
  })
  const harts = Array.from({ length: board.harts }, wires)
  const wiring: Wiring = {
    memory,
    bus,
    harts,
    clock: () => new HandClock(),
    enroll: name => void names.push(name),
    aia: () => undefined,
    stop: (reason, code) => void stops.push([reason, code]),
  }
  board.wire(wiring)
  /** The doublewords behind the ROM's six instructions: entry, tree, and the block for firmware. */
  const rom = (index: number) => Number(memory.view.getBigUint64(memory.toHost(0x1000) + 32 + index * 8, true))
  const tree = () => decodeFdt(memory.read(rom(1), RAM + memory.ram.bytes - rom(1)))
  return { board, memory, bus, names, stops, harts, rom, tree }
}

describe('board virt', () => {
  test('the ROM leads to our firmware, with the tree and a block that names the payload', () => {
    const { rom, memory, tree } = wired({ ramBytes: 64 * MIB, kernel: Uint8Array.of(1, 2, 3, 4) })
    expect([rom(0), rom(2), rom(3), rom(4), rom(5)]).toEqual([RAM, 0x4942_534f, 2, 0x8020_0000, 1])
    expect([...memory.read(0x8020_0000, 4)]).toEqual([1, 2, 3, 4])
    const reserved = fdtFind(tree().root, '/reserved-memory/firmware')
    expect(reserved && fdtRanges(reserved, 'reg')).toEqual([{ address: RAM, bytes: FIRMWARE_BYTES }])
  })

  test('without a bios the kernel starts the machine, at the start of RAM if it is raw', () => {
    const { rom, memory, tree } = wired({ bios: 'none', kernel: Uint8Array.of(9) })
    expect(rom(0)).toBe(RAM)
    expect([...memory.read(RAM, 1)]).toEqual([9])
    expect(fdtFind(tree().root, '/reserved-memory')).toBeUndefined()
  })

  test('the initrd lies below the tree, and the tree says where', () => {
    const { memory, tree } = wired({ initrd: new Uint8Array(5000).fill(7), append: 'quiet', kernel: Uint8Array.of(1) })
    const chosen = fdtFind(tree().root, 'chosen')!
    const [, start = 0] = fdtCells(chosen, 'linux,initrd-start')
    const [, end = 0] = fdtCells(chosen, 'linux,initrd-end')
    expect(end - start).toBe(5000)
    expect(memory.read(start, 5000).every(byte => byte === 7)).toBe(true)
  })

  test('what does not fit is refused in one line', () => {
    expect(() => virt({ ramBytes: 1000 })).toThrow('RAM of 1000 bytes: give whole pages, 4194304 bytes or more')
    expect(() => wired({ ramBytes: 4 * MIB, kernel: new Uint8Array(2 * MIB) })).toThrow(
      /RAM of 4 MiB is too small: images end at 0x80400000/,
    )
    expect(() => wired({ ramBytes: 4 * MIB, kernel: new Uint8Array(4 * MIB) })).toThrow(
      /kernel: needs memory from 0x80200000/,
    )
    expect(() => virt({ frequency: 1234 })).toThrow('a frequency of 1234 Hz is not a multiple of 10000000 Hz')
  })

  test('typing reaches the UART, and its interrupt the S-mode context of the hart that enabled it', () => {
    const sent: number[] = []
    const { board, bus, harts } = wired({ harts: 2, output: bytes => sent.push(...bytes) })
    bus.write(0x1000_0000, 1, 0x41)
    bus.write(0xc00_0000 + 10 * 4, 4, 1)
    bus.write(0xc00_2000 + 3 * 0x80, 4, 1 << 10)
    bus.write(0x1000_0001, 1, 1)
    board.receive(Uint8Array.of(0x42))
    expect(sent).toEqual([0x41])
    expect(harts.map(hart => [hart.meip.level, hart.seip.level])).toEqual([
      [false, false],
      [false, true],
    ])
    expect([bus.read(0xc20_3004, 4)?.name, bus.low]).toEqual(['plic', 10])
  })

  test('disks and cards sit in slots from 1 on; their state is enrolled', () => {
    const { bus, names } = wired({ disks: [new MemoryBacking(64)], nics: [{}] })
    const id = (slot: number) => (bus.read(0x3000_0000 + slot * 0x8000, 4), bus.low)
    expect([id(0) !== 0xffff_ffff, id(2).toString(16), id(3)]).toEqual([true, '10c98086', 0xffff_ffff])
    expect(names).toEqual(['clint', 'plic', 'uart', 'rtc', 'pcie', 'nvme0', 'nvme0-medium', 'nic0'])
  })

  test('the finisher stops the machine', () => {
    const { bus, stops } = wired({})
    bus.write(0x10_0000, 4, 0x0003_3333)
    expect(stops).toEqual([['fail', 3]])
  })
})
