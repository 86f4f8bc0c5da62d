/** Programs that have nothing to do with what a VMM puts between a guest and the machine: on a bare machine they come to the same. */
import fc from 'fast-check'
import { scause, sepc, sscratch, sstatus, stval, stvec } from '../../../hw/spec/csrs/supervisor.ts'
import { GUEST_KERNEL, GUEST_MAP } from '../../../hw/spec/guest-map.ts'
import { SBI_BASE, SBI_HSM, SBI_IPI, SBI_RFENCE, SBI_SRST, SBI_TIME } from '../../../hw/spec/sbi.ts'
import type { Program, Step, Width } from '../scenario.ts'
import { registersAround, sleep, translatedTo, work } from './steps.ts'
import { ownAddress } from './values.ts'
import { anyWord, isTimeless } from './words.ts'

const SYSTEM = 0x73
const MISC = 0x0f
const ENTRY = 0x0b

/** The firmware's own page lies at the start of a bare machine's RAM. */
const address = ownAddress.filter(each => each >= GUEST_KERNEL)
const width = fc.constantFrom(1, 2, 4, 8)

const access: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(width, fc.boolean(), address, fc.nat(7))
    .map(([bytes, signed, at, off]): Step => ({ op: 'load', bytes, signed, address: at + off })),
  fc
    .tuple(width, address, fc.nat(7), fc.nat())
    .map(([bytes, at, off, value]): Step => ({ op: 'store', bytes, address: at + off, value })),
)

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
/** Registers that the guest's serial port and interrupt controller have as the machine's do: written, then read. */
const REGISTERS: readonly (readonly [address: number, bytes: Width])[] = [
  [uart.base + 7, 1],
  [plic.base + 4, 4],
  [plic.base + 10 * 4, 4],
  [plic.base + 31 * 4, 4],
]
const written: fc.Arbitrary<readonly Step[]> = fc
  .tuple(fc.constantFrom(...REGISTERS), fc.nat(0xffff_ffff), fc.boolean())
  .map(([[at, bytes], value, signed]) => [
    { op: 'store', bytes, address: at, value },
    { op: 'load', bytes, signed, address: at },
  ])

/** Where no device is on either, and what devices only say. */
const asked: fc.Arbitrary<Step> = fc
  .tuple(
    fc.constantFrom<readonly [number, Width]>(
      [uart.base + 5, 1],
      [uart.base + 3, 1],
      [uart.base + 0x100, 1],
      [uart.base + 0x104, 4],
      [uart.base + 0x1fc, 4],
      [0x500_0000, 8],
    ),
    fc.boolean(),
  )
  .map(([[at, bytes], signed]) => ({ op: 'load', bytes, signed, address: at }))

export const plain: fc.Arbitrary<Program> = fc
  .array(
    fc.oneof(
      ...[access, instruction, question, csr, sleep, work, asked].map(step =>
        step.map((each): readonly Step[] => [each]),
      ),
      registersAround(fc.oneof(access, instruction, sleep)),
      translatedTo(address),
      written,
    ),
    { minLength: 1, maxLength: 20 },
  )
  .map(parts => parts.flat())
