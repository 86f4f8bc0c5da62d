/** Programs that have nothing to do with what a VMM puts between a guest and the machine: on a bare machine they come to the same. */
import fc from 'fast-check'
import { scause, sepc, sscratch, sstatus, stval, stvec } from '../../../hw/spec/csrs/supervisor.ts'
import { plic as controller } from '../../../hw/spec/devices/plic.ts'
import { uart as registers } from '../../../hw/spec/devices/uart.ts'
import { GUEST_KERNEL, GUEST_MAP } from '../../../hw/spec/guest-map.ts'
import { SBI_BASE, SBI_HSM, SBI_IPI, SBI_RFENCE, SBI_SRST, SBI_TIME } from '../../../hw/spec/sbi.ts'
import type { Program, Step, Value, Width } from '../scenario.ts'
import { loadFrom, width, registersAround, sleep, storeTo, translatedTo, work } from './steps.ts'
import { ownAddress } from './values.ts'
import { anyWord, isTimeless } from './words.ts'

const SYSTEM = 0x73
const MISC = 0x0f
const ENTRY = 0x0b

/** The firmware's own page lies at the start of a bare machine's RAM. */
const address = ownAddress.filter(each => each >= GUEST_KERNEL)
/** What is left in a register may be an address to another instruction: not one of RAM, where a bare machine has its firmware. */
const value = fc.oneof(fc.nat(0x7fff_ffff), fc.constantFrom<Value>(0, 1, 0xff, '0x7fffffffffffffff', '-1', '-2'))
const around = fc.tuple(address, fc.nat(7)).map(([at, off]) => at + off)
const access: fc.Arbitrary<Step> = fc.oneof(loadFrom(around), storeTo(around, width, value))

/** Nothing privileged, and no cache blocks: who allows those is the environment's affair. */
const instruction: fc.Arbitrary<Step> = fc
  .tuple(
    anyWord.filter(word => isTimeless(word) && ![SYSTEM, MISC, ENTRY].includes(word & 0x7f)),
    address,
    address,
  )
  .map(([word, a1, a4]) => ({ op: 'word', word, a1, a4 }))

const question: fc.Arbitrary<Step> = fc.oneof(
  fc
    .constantFrom(SBI_TIME, SBI_IPI, SBI_RFENCE, SBI_HSM, SBI_SRST, 0x4242)
    .map((extension): Step => ({ op: 'call', extension: SBI_BASE, function: 3, arguments: [extension] })),
  fc.constantFrom<Step>(
    { op: 'call', extension: SBI_HSM, function: 2, arguments: [0] },
    { op: 'call', extension: 0x4242, function: 0, arguments: [] },
    { op: 'call', extension: SBI_RFENCE, function: 0, arguments: [1, 0] },
    { op: 'call', extension: SBI_RFENCE, function: 1, arguments: [1, 0, 0, 0] },
  ),
)

/** CSRs of every S-mode, and of M-mode: which are not to be had. */
const csr: fc.Arbitrary<Step> = fc
  .oneof(
    fc.constantFrom(...[sscratch, sepc, scause, stval, stvec, sstatus].map(({ number }) => number)),
    fc.integer({ min: 0x300, max: 0x3ff }),
    fc.integer({ min: 0x7a0, max: 0x7bf }),
    fc.integer({ min: 0xf00, max: 0xfff }),
  )
  .map(number => ({ op: 'read', csr: number }))

const { uart, plic } = GUEST_MAP
/** Registers that the guest's serial port and interrupt controller have as the machine's do: what is written there is to be read. */
const KEPT: readonly (readonly [address: number, bytes: Width])[] = [
  [uart.base + registers.LCR.at, 1],
  [uart.base + registers.SCR.at, 1],
  // As many sources as the guest's has.
  ...[1, 2, 10, 30, 31].map(source => [plic.base + source * 4, 4] as const),
]
/** And those that only say something, or are none. */
const ASKED: readonly number[] = [
  uart.base + registers.IIR.at,
  uart.base + registers.LSR.at,
  uart.base + registers.MSR.at,
  uart.base + 0x100,
  uart.base + 0x104,
  uart.base + 0x1fc,
  plic.base,
  plic.base + controller.pending.at,
  0x500_0000,
]
const kept = fc.constantFrom(...KEPT.map(([at]) => at))
const near = fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 7)
/** Not where the serial port is told to hear itself: that the guest's does without a modem. */
const nearby = (address: fc.Arbitrary<number>) =>
  fc
    .tuple(address, near)
    .map(([at, more]) => at + more)
    .filter(at => at !== uart.base + registers.MCR.at)

/** As such a register is accessed; or of any width, there or nearby. From and to any of the hart's. */
const written: fc.Arbitrary<readonly Step[]> = fc
  .constantFrom(...KEPT)
  .chain(([at, bytes]) =>
    fc.tuple(storeTo(fc.constant(at), fc.constant(bytes), value), loadFrom(fc.constant(at), fc.constant(bytes))),
  )
const touched: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(storeTo(nearby(kept), width, value), loadFrom(nearby(fc.oneof(kept, fc.constantFrom(...ASKED))))),
  { minLength: 1, maxLength: 4 },
)

/** Where it has a choice, the serial port is left to its data registers. */
const device: fc.Arbitrary<readonly Step[]> = fc
  .array(fc.oneof(written, touched), { minLength: 1, maxLength: 4 })
  .map(parts => [...parts.flat(), { op: 'store', bytes: 1, address: uart.base + registers.LCR.at, value: 3 }])

export const plain: fc.Arbitrary<Program> = fc
  .array(
    fc.oneof(
      ...[access, instruction, question, csr, sleep, work].map(step => step.map((each): readonly Step[] => [each])),
      registersAround(fc.oneof(access, instruction, sleep)),
      translatedTo(address),
      device,
    ),
    { minLength: 1, maxLength: 20 },
  )
  .map(parts => parts.flat())

/** One that has much to do with the devices that are on a bare machine, too. */
export const plainDevices: fc.Arbitrary<Program> = fc
  .array(device, { minLength: 1, maxLength: 5 })
  .map(parts => parts.flat())
