/** Steps of guests: what they may ask, access and execute. */
import fc from 'fast-check'
import { fcsr } from '../../../hw/spec/csrs/float.ts'
import { CSRS } from '../../../hw/spec/csrs/index.ts'
import { satp, scounteren, senvcfg, sstatus } from '../../../hw/spec/csrs/supervisor.ts'
import {
  SBI_BASE,
  SBI_DBCN,
  SBI_HSM,
  SBI_IPI,
  SBI_LEGACY_GETCHAR,
  SBI_LEGACY_PUTCHAR,
  SBI_LEGACY_SET_TIMER,
  SBI_RFENCE,
  SBI_SRST,
  SBI_TIME,
} from '../../../hw/spec/sbi.ts'
import { GUEST_KERNEL } from '../../../hw/spec/guest-map.ts'
import { DATA } from '../guest-runtime.ts'
import { bitsOf, type Step, type Value, type Width } from '../scenario.ts'
import { anyAddress, anyValue, ownAddress } from './values.ts'
import { anyWord, isTimeless, readsTime } from './words.ts'

export const width: fc.Arbitrary<Width> = fc.constantFrom(1, 2, 4, 8)
const EXTENSIONS: readonly number[] = [
  SBI_BASE,
  SBI_TIME,
  SBI_IPI,
  SBI_RFENCE,
  SBI_HSM,
  SBI_SRST,
  SBI_DBCN,
  SBI_LEGACY_SET_TIMER,
  SBI_LEGACY_PUTCHAR,
  SBI_LEGACY_GETCHAR,
]
const STOP_HART = 1
const SUSPEND_HART = 3

/** A call with any numbers; it may end the guest. */
export const anyCall: fc.Arbitrary<Step> = fc
  .tuple(
    fc.oneof({ weight: 6, arbitrary: fc.constantFrom<Value>(...EXTENSIONS) }, { weight: 1, arbitrary: anyValue }),
    fc.oneof({ weight: 6, arbitrary: fc.nat(7) }, { weight: 1, arbitrary: anyValue }),
    fc.array(anyValue, { minLength: 4, maxLength: 4 }),
  )
  .map(([extension, call, values]) => ({ op: 'call', extension, function: call, arguments: values }))

/** One that leaves the hart where it is. */
export const harmlessCall: fc.Arbitrary<Step> = anyCall.filter(
  step =>
    step.op === 'call' &&
    step.extension !== SBI_SRST &&
    step.extension !== 8 &&
    !(step.extension === SBI_HSM && (step.function === STOP_HART || step.function === SUSPEND_HART)) &&
    // What timers do, and interrupts that a call raises, is taken only while waiting.
    step.extension !== SBI_TIME &&
    step.extension !== SBI_LEGACY_SET_TIMER,
)

/** The same question, which is answered at once: the most frequent exit. */
export const question: fc.Arbitrary<Step> = fc.nat(6).map(call => ({
  op: 'call',
  extension: SBI_BASE,
  function: call,
  arguments: [SBI_HSM],
}))

/** Which register it is about: mostly a0; not t6, by which programs come back from a trap. */
const register: fc.Arbitrary<{ readonly register?: number }> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.nat(30).map(number => ({ register: number })) },
)

/** Of any width, into any register. */
export const loadFrom = (address: fc.Arbitrary<Value>, widths = width): fc.Arbitrary<Step> =>
  fc
    .tuple(widths, fc.boolean(), address, register)
    .map(([bytes, signed, at, into]) => ({ op: 'load', bytes, signed, address: at, ...into }))

/** Of any width, from any register. */
export const storeTo = (address: fc.Arbitrary<Value>, widths = width, values = anyValue): fc.Arbitrary<Step> =>
  fc
    .tuple(widths, address, values, register)
    .map(([bytes, at, value, from]) => ({ op: 'store', bytes, address: at, value, ...from }))

export const anyLoad = loadFrom(anyAddress)
export const anyStore = storeTo(anyAddress)

/** To and from its own memory. */
export const ownStore: fc.Arbitrary<Step> = fc
  .tuple(ownAddress, anyValue)
  .map(([address, value]) => ({ op: 'store', bytes: 8, address, value }))

/** All that have names, and any number. */
const csrNumber = fc.oneof(fc.constantFrom(...CSRS.map(({ number }) => number)), fc.nat(0xfff))
const TABLES: readonly number[] = [0x180, 0x280, 0x105]

export const anyCsr: fc.Arbitrary<Step> = fc.oneof(
  csrNumber.map((csr): Step => ({ op: 'read', csr })),
  fc
    .tuple(
      fc.constantFrom('write' as const, 'set' as const, 'clear' as const),
      csrNumber.filter(csr => !TABLES.includes(csr)),
      anyValue,
    )
    .map(([op, csr, value]): Step => ({ op, csr, value })),
)

/** An instruction that may do anything. */
export const anyInstruction: fc.Arbitrary<Step> = fc
  .tuple(anyWord, anyAddress, anyValue)
  .map(([word, a1, a4]) => ({ op: 'word', word, a1, a4 }))

/** Any, in user mode. */
export const userInstruction: fc.Arbitrary<Step> = fc
  .tuple(anyWord.filter(isTimeless), anyAddress, anyValue)
  .map(([word, a1, a4]) => ({ op: 'user', word, a1, a4 }))

const SIE = 2

/** An access that is perhaps refused, with interrupts enabled: there are none, but an exception turns them off. */
export const enabledAccess: fc.Arbitrary<readonly Step[]> = anyLoad.map(step => [
  { op: 'set', csr: sstatus.number, value: SIE },
  step,
  { op: 'clear', csr: sstatus.number, value: SIE },
])

export const timelessInstruction: fc.Arbitrary<Step> = anyInstruction.filter(
  step => step.op === 'word' && isTimeless(Number(step.word)),
)
export const timelessRead: fc.Arbitrary<Step> = csrNumber
  .filter(csr => !readsTime(csr))
  .map(csr => ({ op: 'read', csr }))

const ROOT = DATA + 0x1_0000
const SATP = `0x${((8n << 60n) + BigInt(ROOT / 4096)).toString(16)}`
const PAGE_MASK = 0xfff
/** V R W X A D. */
const RIGHTS = 0xcf
const PPN_SHIFT = 10
const CODE = BigInt(GUEST_KERNEL) >> 12n
const NOTHING: Step = { op: 'word', word: 0x13, a1: 0, a4: 0 }

/** Tables in three levels, or one entry for a gigabyte. */
const MIDDLE = ROOT + 0x1000
const LEAVES = ROOT + 0x2000
const POINTER = 1
const pointerTo = (table: number) => (table / 4096) * 2 ** PPN_SHIFT + POINTER
const ITSELF = (0x8000_0000 / 4096) * 2 ** PPN_SHIFT + RIGHTS

/** Translation on, by tables of which one entry leads to such an address; accesses through it; and off again. */
export function translatedTo(targets: fc.Arbitrary<Value>): fc.Arbitrary<readonly Step[]> {
  return fc
    .tuple(
      // What its own code comes to once it is written over is another matter.
      targets.filter(target => bitsOf(target) >> 12n !== CODE),
      fc.constantFrom(RIGHTS, RIGHTS, RIGHTS, 0xdf, 0xc7, 0x01, 0x0f, 0xcb, 0xff),
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.nat(0x3fff_ffff), { minLength: 1, maxLength: 3 }),
    )
    .map(([target, flags, deep, sleeps, offsets]): readonly Step[] => {
      const leads = `0x${((((bitsOf(target) >> 12n) << 10n) & 0x3f_ffff_ffff_fc00n) | BigInt(flags)).toString(16)}`
      const within = deep ? PAGE_MASK : 0x3fff_ffff
      return [
        ...(deep
          ? [
              { op: 'copy', address: ROOT, words: [pointerTo(MIDDLE), 0, ITSELF] } as const,
              { op: 'copy', address: MIDDLE, words: [pointerTo(LEAVES)] } as const,
              { op: 'copy', address: LEAVES, words: [leads] } as const,
            ]
          : [{ op: 'copy', address: ROOT, words: [leads, 0, ITSELF] } as const]),
        { op: 'write', csr: satp.number, value: SATP },
        { op: 'fence' },
        ...(sleeps ? [{ op: 'wait', ticks: 3 } as const] : []),
        ...offsets.map((offset): Step => ({ op: 'load', bytes: 8, signed: false, address: offset & within & ~7 })),
        { op: 'store', bytes: 4, address: offsets[0] & within & ~3, value: 0x55 },
        NOTHING,
      ]
    })
}

export const translated = translatedTo(anyAddress)

/** What else belongs to a vCPU, and is switched with it: rounding mode and flags, counters of user mode, its environment. */
const ownCsrs: fc.Arbitrary<readonly Step[]> = fc
  .tuple(fc.nat(0x9f), fc.nat(7), fc.nat(0xf0))
  .map(([float, counters, environment]) => [
    { op: 'write', csr: fcsr.number, value: float },
    { op: 'write', csr: scounteren.number, value: counters },
    { op: 'write', csr: senvcfg.number, value: environment },
  ])

/** All registers, something that may change them, and what they are then. */
export function registersAround(between: fc.Arbitrary<Step>): fc.Arbitrary<readonly Step[]> {
  return fc
    .tuple(fc.nat(0xffff), ownCsrs, between)
    .map(([seed, csrs, step]) => [{ op: 'fill', seed }, ...csrs, { op: 'digest' }, step, { op: 'digest' }])
}

export const sleep: fc.Arbitrary<Step> = fc.integer({ min: 1, max: 60 }).map(ticks => ({ op: 'wait', ticks }))
export const work: fc.Arbitrary<Step> = fc.nat(400).map(times => ({ op: 'compute', times: times + 1 }))
