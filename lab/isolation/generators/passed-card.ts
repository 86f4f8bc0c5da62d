/** Programs of a guest that drives a network card, or a virtual function of one: rings whose descriptors lead anywhere, messages to anywhere. */
import fc from 'fast-check'
import { sireg, siselect, stopei } from '../../../hw/spec/csrs/aia.ts'
import { EIDELIVERY, EIE0 } from '../../../hw/spec/devices/imsic.ts'
import { nicFunction } from '../../../hw/spec/devices/nic-function.ts'
import { nic } from '../../../hw/spec/devices/nic.ts'
import { msixCapability, pcie } from '../../../hw/spec/devices/pcie.ts'
import { GUEST_AIA, GUEST_PCIE, GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import { DATA } from '../guest-runtime.ts'
import type { Program, Step, Value } from '../scenario.ts'
import { put } from './virtio-steps.ts'

const FUNCTION = GUEST_PCIE.ecam.base + (1 << 15)
const WINDOW = GUEST_PCIE.memory32.base
const TABLE = WINDOW + 0x10_0000
const SENT = DATA + 0xc_0000
const RECEIVED = DATA + 0xc_1000
const BUFFER = DATA + 0xc_4000
const PAGE = 4096
const FOUR_GIB = 2 ** 32
const MEMORY_AND_MASTER = 6
const ENTRIES = 8
const DESCRIPTOR = 16
const ENABLE = 1 << 25
/** Transmitter and receiver on; everything is received. */
const SENDS = 0x2
const RECEIVES = 0x801a
/** End of packet, checksum, report. */
const WHOLE = 0x0b00_0000
const CAPABILITIES_END = 0x100
const DONE = 4000
/** In which messages come from frames that arrive, while another guest has had the hart. */
const HEARD = 40_000
const MOST_VECTORS = 3
/** As the VMM shows them in configuration space; enabled. */
const MESSAGES_AT = 0xf0 + msixCapability.MESSAGE_CONTROL.at
const MESSAGES_ON = 0x8000
/** GPIE: a message for each vector. */
const EACH_ITS_OWN = 0x10
const VECTORS = 7
/** IVAR: what is received is told by the first vector. */
const QUEUES = 0x80

const store = (address: number, value: Value, bytes: 1 | 2 | 4 | 8 = 4): Step => ({
  op: 'store',
  bytes,
  address,
  value,
})
const wide = (value: number): Value => `0x${BigInt(value).toString(16)}`

interface Message {
  readonly vector: number
  readonly address: number
  readonly data: number
}

export interface CardUse {
  /** Where its registers are put. */
  readonly window: number
  /** What is sent from there, and where is received: a descriptor each. */
  readonly from: readonly { readonly address: number; readonly bytes: number }[]
  readonly to: readonly number[]
  readonly rings: { readonly sent: number; readonly received: number }
  readonly messages: readonly Message[]
  readonly kind: 'card' | 'function'
}

/** Has its own interrupt file take messages, the function send them, and one sent at once. */
function listens(
  kind: CardUse['kind'],
  at: (register: { readonly at: number }, value: number) => Step,
): readonly Step[] {
  const file = (select: number, value: Value): readonly Step[] => [
    { op: 'write', csr: siselect.number, value: select },
    { op: 'write', csr: sireg.number, value },
  ]
  return [
    ...file(EIDELIVERY, 1),
    ...file(EIE0, '0xffffffffffff'),
    store(FUNCTION + MESSAGES_AT, MESSAGES_ON, 2),
    ...(kind === 'card'
      ? [
          at(nic.GPIE, EACH_ITS_OWN),
          at(nic.IVAR, QUEUES),
          at(nic.EIAC, VECTORS),
          at(nic.EIMS, VECTORS),
          at(nic.EICS, VECTORS),
        ]
      : []),
    ...(kind === 'function'
      ? [
          at(nicFunction.VTIVAR, QUEUES),
          at(nicFunction.VTEIAC, VECTORS),
          at(nicFunction.VTEIMS, VECTORS),
          at(nicFunction.VTEICS, VECTORS),
        ]
      : []),
    // It takes what it has asked for, so that the file is empty.
    ...Array.from({ length: MOST_VECTORS }, (): Step => ({ op: 'write', csr: stopei.number, value: 0 })),
  ]
}

/** Gives the function a place, its rings and messages, and lets it run. */
export function usesCard({ window, from, to, rings, messages, kind }: CardUse): Program {
  const table = kind === 'card' ? nic : nicFunction
  const at = ({ at: offset }: { readonly at: number }, value: number): Step => store(window + offset, value)
  const ring = (low: { readonly at: number }, length: { readonly at: number }, address: number) => [
    at(low, address % FOUR_GIB),
    at({ at: low.at + 4 }, Math.floor(address / FOUR_GIB)),
    at(length, ENTRIES * DESCRIPTOR),
  ]
  return [
    store(FUNCTION + pcie.COMMAND.at, 0, 2),
    store(FUNCTION + pcie.BAR.at, window),
    store(FUNCTION + pcie.BAR.at + 12, TABLE),
    store(FUNCTION + pcie.COMMAND.at, MEMORY_AND_MASTER, 2),
    ...messages.flatMap(({ vector, address, data }) => [
      store(TABLE + vector * 16, address % FOUR_GIB),
      store(TABLE + vector * 16 + 4, Math.floor(address / FOUR_GIB)),
      store(TABLE + vector * 16 + 8, data),
      store(TABLE + vector * 16 + 12, 0),
    ]),
    ...put(
      SENT,
      from.flatMap(({ address, bytes }) => [wide(address), wide(bytes + WHOLE)]),
    ),
    ...put(
      RECEIVED,
      to.flatMap(address => [wide(address), 0]),
    ),
    ...ring(table.TDBAL, table.TDLEN, rings.sent),
    at(table.TXDCTL, ENABLE),
    ...(kind === 'card' ? [at(nic.TCTL, SENDS)] : []),
    ...ring(table.RDBAL, { at: table.RDBAL.at + 8 }, rings.received),
    at(table.RXDCTL, ENABLE),
    ...(kind === 'card' ? [at(nic.RCTL, RECEIVES)] : []),
    ...(messages.length > 0 ? listens(kind, at) : []),
    at(table.RDT, to.length % ENTRIES),
    at(table.TDT, from.length % ENTRIES),
    { op: 'wait', ticks: messages.length > 0 ? HEARD : DONE },
    { op: 'load', bytes: 4, signed: false, address: window + table.TDT.at },
    store(FUNCTION + pcie.COMMAND.at, 0, 2),
  ]
}

/** Its own memory; somebody's, if it is taken for the machine's address; nobody's. */
const address = fc.oneof(
  { weight: 3, arbitrary: fc.constant(BUFFER) },
  { weight: 3, arbitrary: fc.nat(0x1fff).map(page => GUEST_RAM + page * PAGE) },
  { weight: 2, arbitrary: fc.nat(0x7ff).map(page => 0x8400_0000 + page * PAGE) },
  { weight: 1, arbitrary: fc.constantFrom(0, WINDOW, GUEST_AIA.imsic.base, GUEST_AIA.imsic.base + PAGE, 2 ** 41) },
)
const bytes = fc.oneof(fc.integer({ min: 17, max: 1514 }), fc.constantFrom(0, 1, 64, 4096, 0xffff))
const messages = fc.array(
  fc.record({
    vector: fc.nat(MOST_VECTORS - 1),
    address: fc.oneof(
      fc.nat(4).map(file => GUEST_AIA.imsic.base + file * PAGE),
      address,
    ),
    data: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(0, 0xffff_ffff)),
  }),
  { maxLength: MOST_VECTORS },
)

/** Configuration space, written to with anything. */
const poked: fc.Arbitrary<Step> = fc
  .record({
    at: fc.nat(CAPABILITIES_END - 1),
    width: fc.constantFrom(1 as const, 2 as const, 4 as const, 4 as const),
    value: fc.oneof(fc.nat(0xff), fc.constantFrom(0xffff_ffff, WINDOW, GUEST_RAM, 0x8000_0000)),
  })
  .map(({ at, width, value }) => store(FUNCTION + at - (at % width), value, width))

const use = (kind: CardUse['kind']): fc.Arbitrary<Program> =>
  fc
    .record({
      window: fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom(WINDOW, WINDOW + 0x20_0000) },
        { weight: 1, arbitrary: fc.constantFrom(0x1000_0000, GUEST_RAM, 0x8400_0000) },
      ),
      from: fc.array(fc.record({ address, bytes }), { maxLength: 3 }),
      to: fc.array(address, { maxLength: 5 }),
      rings: fc.record({
        sent: fc.oneof({ weight: 5, arbitrary: fc.constant(SENT) }, { weight: 1, arbitrary: address }),
        received: fc.oneof({ weight: 5, arbitrary: fc.constant(RECEIVED) }, { weight: 1, arbitrary: address }),
      }),
      messages,
    })
    .map(each => usesCard({ ...each, kind }))

export function cardProgram(kind: CardUse['kind']): fc.Arbitrary<Program> {
  return fc
    .array(fc.oneof({ weight: 4, arbitrary: use(kind) }, { weight: 1, arbitrary: fc.array(poked, { maxLength: 8 }) }), {
      minLength: 1,
      maxLength: 2,
    })
    .map(parts => parts.flat())
}
