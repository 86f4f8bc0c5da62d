/** Programs of a guest whose disk or network card is in a driver domain: rings and grants, as they should be and as none should. */
import fc from 'fast-check'
import { ringFront } from '../../../hw/spec/devices/ring.ts'
import { GUEST_RAM, GUEST_RINGS } from '../../../hw/spec/guest-map.ts'
import { grant, GRANT_PERMIT, GRANT_READ_ONLY, GRANT_TABLE_PAGES } from '../../../hw/spec/layouts/grant.ts'
import {
  MOST_GRANTS,
  ring,
  RING_OPERATION,
  RING_PAGES,
  RING_REQUESTS,
  RING_SLOTS,
  ringRequest,
} from '../../../hw/spec/layouts/ring.ts'
import { DATA } from '../guest-runtime.ts'
import type { Program, Step, Value } from '../scenario.ts'
import { put } from './virtio-steps.ts'

export type Ringed = 'disk' | 'network'

const PAGE = 4096
const TABLE = DATA + 0x10_0000
const RING = TABLE + GRANT_TABLE_PAGES * PAGE
const BUFFERS = RING + RING_PAGES * PAGE
/** What a ring's program has for requests. */
const BUFFER_PAGES = 16
const FRAME = 128
/** Ticks in which a ring is opened, and a request answered. */
const OPENED = 4000
const ANSWERED = 3000

interface Grant {
  readonly page: number
  readonly flags: number
}

interface Request {
  readonly operation: number
  /** Of the table, behind the ring's own. */
  readonly grants: readonly number[]
  /** What it says of them. */
  readonly count: number
  readonly offset: number
  readonly sector: number
  readonly bytes: number
}

const store = (address: number, value: Value, bytes: 1 | 2 | 4 | 8 = 4): Step => ({
  op: 'store',
  bytes,
  address,
  value,
})
const register = (device: Ringed, { at }: { readonly at: number }, value: number): Step =>
  store(GUEST_RINGS[device].base + at, value)

/** An entry of the table, as a word of 8 bytes. */
const entryOf = ({ page, flags }: Grant): Value => `0x${((BigInt(page >>> 0) << 32n) + BigInt(flags)).toString(16)}`

/** Makes table and ring known; the ring's pages are granted by the first entries. */
function connect(device: Ringed, grants: readonly Grant[], isPermitted: boolean): readonly Step[] {
  const own = Array.from(
    { length: RING_PAGES },
    (_, page): Grant => ({
      page: RING / PAGE + page,
      flags: isPermitted ? GRANT_PERMIT : 0,
    }),
  )
  return [
    ...put(TABLE, [...own, ...grants].map(entryOf)),
    ...put(RING, [0, 0]),
    register(device, ringFront.GrantTable, TABLE),
    register(device, { at: ringFront.GrantTable.at + 4 }, 0),
    register(device, ringFront.Ring, RING),
    register(device, { at: ringFront.Ring.at + 4 }, 0),
    register(device, ringFront.Connect, 1),
    { op: 'wait', ticks: OPENED },
  ]
}

function wordsOf({ operation, grants, count, offset, sector, bytes }: Request, tag: number): readonly Value[] {
  const view = new DataView(new ArrayBuffer(ringRequest.size))
  view.setUint16(ringRequest.tag.at, tag, true)
  view.setUint8(ringRequest.operation.at, operation)
  view.setUint8(ringRequest.grants.at, count)
  view.setUint32(ringRequest.offset.at, offset, true)
  view.setBigUint64(ringRequest.sector.at, BigInt(sector), true)
  view.setUint32(ringRequest.bytes.at, bytes, true)
  for (const [index, reference] of grants.entries())
    view.setUint32(ringRequest.grant.at + index * 4, RING_PAGES + reference, true)
  return Array.from(
    { length: ringRequest.size / 8 },
    (_, word) => `0x${view.getBigUint64(word * 8, true).toString(16)}`,
  )
}

/** Puts requests into the ring, behind those that are there, says so, and waits. */
function ask(device: Ringed, requests: readonly Request[], before: number, lie: number): readonly Step[] {
  return [
    ...put(
      RING + RING_REQUESTS + before * ringRequest.size,
      requests.flatMap((request, index) => wordsOf(request, before + index)),
    ),
    store(RING + ring.requests.at, before + requests.length + lie),
    register(device, ringFront.Notify, 1),
    { op: 'wait', ticks: ANSWERED },
    register(device, ringFront.Acknowledge, 1),
    { op: 'load', bytes: 4, signed: false, address: RING + ring.answers.at },
  ]
}

/** A page of the guest's, of what it has no page for, or any number. */
const page = fc.oneof(
  { weight: 5, arbitrary: fc.nat(BUFFER_PAGES - 1).map(index => BUFFERS / PAGE + index) },
  { weight: 2, arbitrary: fc.nat(0x7ff).map(index => GUEST_RAM / PAGE + index) },
  { weight: 1, arbitrary: fc.nat(0x5fff).map(index => GUEST_RAM / PAGE + index) },
  { weight: 1, arbitrary: fc.constantFrom(0, TABLE / PAGE, RING / PAGE, 0xffff_ffff, 0x1_0000) },
)
const grants: fc.Arbitrary<readonly Grant[]> = fc.array(
  fc.record({
    page,
    flags: fc.oneof(
      { weight: 4, arbitrary: fc.constant(GRANT_PERMIT) },
      { weight: 2, arbitrary: fc.constantFrom(0, GRANT_PERMIT | GRANT_READ_ONLY, GRANT_READ_ONLY) },
      { weight: 1, arbitrary: fc.nat(0xffff) },
    ),
  }),
  { minLength: 4, maxLength: 24 },
)
const request = fc.record({
  operation: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...Object.values(RING_OPERATION)) },
    { weight: 1, arbitrary: fc.nat(255) },
  ),
  grants: fc.array(fc.oneof({ weight: 6, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: fc.nat(0x2000) }), {
    minLength: 1,
    maxLength: MOST_GRANTS,
  }),
  count: fc.oneof({ weight: 4, arbitrary: fc.nat(MOST_GRANTS) }, { weight: 1, arbitrary: fc.nat(255) }),
  offset: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(0, 0, 512, 4 * 37) },
    { weight: 1, arbitrary: fc.nat(0x2000) },
  ),
  sector: fc.oneof(
    { weight: 5, arbitrary: fc.nat(511) },
    { weight: 1, arbitrary: fc.constantFrom(512, 2 ** 32, 2 ** 52) },
  ),
  bytes: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 24 }).map(sectors => sectors * 512) },
    { weight: 2, arbitrary: fc.constantFrom(0, 14, 60, 64, 1514, 1518, 4096) },
    { weight: 1, arbitrary: fc.constantFrom(1, 0xffff, 0xffff_ffff) },
  ),
})

/** What stays within what it has, now and then; and what does not. */
const asked = fc.record({
  requests: fc.array(request, { minLength: 1, maxLength: 6 }),
  /** How many more it says there are. */
  lie: fc.oneof({ weight: 24, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.constantFrom(1, RING_SLOTS) }),
})

/** A ring, requests, and what may be done to either meanwhile. */
export function ringProgram(device: Ringed): fc.Arbitrary<Program> {
  return fc
    .record({
      grants,
      isPermitted: fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      asked: fc.array(asked, { minLength: 1, maxLength: 2 }),
      takenBack: fc.oneof(
        { weight: 3, arbitrary: fc.constant<readonly Grant[]>([]) },
        { weight: 1, arbitrary: grants },
      ),
      ending: fc.constantFrom('stays', 'leaves', 'comes again'),
    })
    .map(({ grants: given, isPermitted, asked: batches, takenBack, ending }) => {
      let total = 0
      return [
        ...connect(device, given, isPermitted),
        ...batches.flatMap(({ requests, lie }) => {
          const before = total
          total += requests.length
          return ask(device, requests, before, lie)
        }),
        ...put(TABLE + RING_PAGES * grant.size, takenBack.map(entryOf)),
        ...(ending === 'stays' ? [] : [register(device, ringFront.Connect, 0)]),
        ...(ending === 'comes again' ? connect(device, given, true) : []),
      ]
    })
}

/** Reads a page of its disk, or sends a frame: like a driver. */
export function wellDone(device: Ringed): Program {
  const pages = Array.from({ length: 2 }, (_, index): Grant => ({ page: BUFFERS / PAGE + index, flags: GRANT_PERMIT }))
  const isDisk = device === 'disk'
  const operation = isDisk ? RING_OPERATION.READ : RING_OPERATION.TRANSMIT
  return [
    ...connect(device, pages, true),
    ...ask(device, [{ operation, grants: [0], count: 1, offset: 0, sector: 3, bytes: isDisk ? PAGE : FRAME }], 0, 0),
  ]
}
