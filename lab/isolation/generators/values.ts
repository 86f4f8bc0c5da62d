/** Numbers that guests try: addresses where something is or begins or ends, and corners of 64 bits. */
import fc from 'fast-check'
import { GUEST_KERNEL, GUEST_MAP, GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import { DATA } from '../guest-runtime.ts'
import type { Value } from '../scenario.ts'

const LARGE_PAGE = 0x20_0000

/** Where a guest's own memory is, wherever its size: there already, and not there yet. */
const OWN: readonly number[] = [
  DATA,
  DATA + 0xff8,
  GUEST_KERNEL,
  GUEST_RAM,
  GUEST_RAM + 0xff8,
  GUEST_RAM + LARGE_PAGE - 8,
  GUEST_RAM + 2 * LARGE_PAGE,
  GUEST_RAM + 2 * LARGE_PAGE + 0x1234_0,
  GUEST_RAM + 3 * LARGE_PAGE + 0x10_0000,
  GUEST_RAM + 4 * LARGE_PAGE - 16,
]

/** Where there is nothing of a guest's: behind its memory, devices of the machine's, nowhere. */
const FOREIGN: readonly Value[] = [
  0,
  8,
  0x1000,
  0x200_0000,
  0x200_bff8,
  0x3000_0000,
  0x4000_0000,
  0x4010_0000,
  0x7fff_fff8,
  GUEST_RAM + 0x100_0000,
  GUEST_RAM + 0x100_0000 - 4,
  0x8400_0000,
  0x8600_0000,
  0xffff_f000,
  0x1_0000_0000,
  0x1_8000_0000,
  0x1ff_ffff_fff8,
  0x200_0000_0000,
  0x4000_0000_0000,
  '0x7ffffffffffffff8',
  '0x8000000000000000',
  '0xffffffffffff0000',
  '-8',
  '-1',
]

/** Registers of the guest's devices. */
const DEVICES: readonly number[] = [
  GUEST_MAP.uart.base,
  GUEST_MAP.uart.base + 5,
  GUEST_MAP.uart.base + 0xfc,
  GUEST_MAP.uart.base + 0x100,
  GUEST_MAP.plic.base + 4,
  GUEST_MAP.plic.base + 0x1000,
  GUEST_MAP.plic.base + 0x2000,
  GUEST_MAP.plic.base + 0x20_0000,
  GUEST_MAP.plic.base + 0x20_0004,
  GUEST_MAP.plic.base + 0x5f_fffc,
  GUEST_MAP.plic.base + 0x2080,
  GUEST_MAP.plic.base + 0x20_1000,
  GUEST_MAP.plic.base + 0x20_1004,
  GUEST_MAP.plic.base + 0x3f_f000,
  GUEST_MAP.plic.base + 0x60_0000,
  GUEST_MAP.disk.base,
  GUEST_MAP.disk.base + 0x70,
  GUEST_MAP.network.base,
  GUEST_MAP.network.base + 0x50,
  GUEST_MAP.console.base,
  GUEST_MAP.console.base + 0x30,
  GUEST_MAP.console.base + 0xffc,
  GUEST_MAP.finisher.base + 0xff8,
]

const CORNERS: readonly Value[] = [
  0,
  1,
  2,
  7,
  8,
  0xff,
  0x1000,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_ffff,
  '0x7fffffffffffffff',
  '-1',
  '-2',
]

export const ownAddress: fc.Arbitrary<number> = fc.constantFrom(...OWN)
export const deviceAddress: fc.Arbitrary<number> = fc.constantFrom(...DEVICES)
export const foreignAddress: fc.Arbitrary<Value> = fc.constantFrom(...FOREIGN)

const near = fc.constantFrom(0, 0, 0, 1, 2, 4, -1, -8, 0x18)

/** Any address at all, most of them where something may be. */
export const anyAddress: fc.Arbitrary<Value> = fc.oneof(
  { weight: 3, arbitrary: ownAddress },
  { weight: 3, arbitrary: fc.tuple(deviceAddress, near).map(([address, offset]) => address + offset) },
  { weight: 2, arbitrary: foreignAddress },
  { weight: 1, arbitrary: fc.nat(0xffff_ffff) },
)

export const anyValue: fc.Arbitrary<Value> = fc.oneof(fc.constantFrom(...CORNERS), fc.nat(0xffff_ffff), anyAddress)
