/** Network: frames go to those they are for. */
import fc from 'fast-check'
import type { Arena } from '../arena.ts'
import { found, watch } from '../judge.ts'
import {
  type Arrival,
  arrivalBytes,
  type Deliveries,
  deliveries,
  type Frame,
  LISTENING,
  networkProgram,
  receivedBy,
  textOf,
} from '../network-frames.ts'
import { Ownership } from '../ownership.ts'
import type { IsolationPromise } from '../promise.ts'
import type { Scenario } from '../scenario.ts'
import { hostedNetworkTopologies, networkTopologies } from '../topologies-io.ts'
import { placedNetworkTopologies } from '../topologies-placed.ts'

const NAME = 'network'
const GUESTS = 3

interface NetworkScenario extends Scenario {
  /** By guest. */
  readonly frames: readonly (readonly Frame[])[]
  readonly arrivals: readonly Arrival[]
}

const guest = fc.integer({ min: 0, max: GUESTS - 1 })
const station = fc.oneof(guest, fc.constantFrom('all' as const, 'group' as const, 'outside' as const))
const vlan = fc.constantFrom(0, 7, 263, 4095)
const bytes = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 14, max: 200 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 13, 14, 60, 1514, 1515, 1518, 4000, 0x2_0000) },
)
const content = fc.integer({ min: 0, max: 255 })
const frame: fc.Arbitrary<Frame> = fc.record({
  to: station,
  from: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.oneof(fc.constant('alike' as const), guest) },
  ),
  tag: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.record({ type: fc.constantFrom(0x8100, 0x88a8), vlan }) },
  ),
  bytes,
  first: fc.oneof(fc.constant(0xffff), fc.integer({ min: 1, max: 100 })),
  content,
  times: fc.constant(1),
})
/** More and longer frames than the card has room for. */
const flood: fc.Arbitrary<Frame> = fc
  .record({ bytes: fc.integer({ min: 1000, max: 1510 }), times: fc.integer({ min: 80, max: 128 }), content })
  .map(one => ({ ...one, to: 'outside', from: undefined, tag: undefined, first: 0xffff }))
const sent = fc.oneof(
  { weight: 12, arbitrary: fc.array(frame, { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.tuple(flood) },
  { weight: 1, arbitrary: fc.tuple(flood, frame) },
)
const arrival: fc.Arbitrary<Arrival> = fc.record({
  at: fc.integer({ min: LISTENING, max: 3 * LISTENING }),
  to: station,
  from: fc.oneof({ weight: 3, arbitrary: fc.constant('outside' as const) }, { weight: 1, arbitrary: guest }),
  vlan,
  bytes: fc.integer({ min: 18, max: 1500 }),
  content,
})

const topologies = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...networkTopologies()) },
  { weight: 2, arbitrary: fc.constantFrom(...placedNetworkTopologies()) },
  { weight: 1, arbitrary: fc.constantFrom(...hostedNetworkTopologies()) },
)
const arbitrary = fc
  .record({
    topology: topologies,
    frames: fc.array(sent, { minLength: GUESTS, maxLength: GUESTS }),
    arrivals: fc.array(arrival, { maxLength: 4 }),
  })
  .map(
    ({ topology, frames, arrivals }): NetworkScenario => ({
      topology,
      frames: frames.map((own, index) => own.map(one => (one.from === index ? { ...one, from: undefined } : one))),
      arrivals,
      guests: frames.map((own, index) => ({
        programs: [
          networkProgram(
            index,
            own.map(one => (one.from === index ? { ...one, from: undefined } : one)),
          ),
        ],
      })),
      actions: arrivals.map(one => ({ at: one.at, do: 'frame', bytes: [...arrivalBytes(one)] })),
      everyone: true,
      cycles: 60_000_000,
    }),
  )

function check(scenario: Scenario) {
  const { frames, arrivals, topology } = scenario as NetworkScenario
  const { arena, run } = watch(scenario, [new Ownership()])
  if (run.sighting) return found(NAME, scenario, run, run.sighting)
  const vlans = topology.guests.map(({ network }) => network!.vlan)
  const expected = deliveries(frames, arrivals, vlans, topology.vmm === 'hosted')
  const isCrowded = frames.flat().some(({ times }) => times > 1)
  const what = run.finished ? wrong(arena, expected, isCrowded) : 'a guest does not come to its end'
  return what === undefined ? undefined : found(NAME, scenario, run, { what, where: arena.where() })
}

/** Where there is a crowd, some of it may get lost. */
function wrong(arena: Arena, { guests, wire }: Deliveries, isCrowded: boolean): string | undefined {
  for (const [index, expected] of guests.entries()) {
    const { bytes: memory } = arena.machine.memory
    const received = receivedBy(address => memory[arena.pages[index].hostOf(address)])
    if (typeof received === 'string') return `guest ${index}: ${received}`
    const what = compared(`guest ${index} gets`, received, expected, isCrowded)
    if (what !== undefined) return what
  }
  return compared('the wire gets', arena.frames().map(textOf).toSorted(), wire, isCrowded)
}

function compared(
  who: string,
  seen: readonly string[],
  expected: readonly string[],
  isCrowded: boolean,
): string | undefined {
  const short = (text: string) => `${text.slice(0, 32)}… (${text.length / 2} bytes)`
  const left = [...expected]
  for (const text of seen) {
    const at = left.indexOf(text)
    if (at < 0) return `${who} a frame that is not for it: ${short(text)}`
    left.splice(at, 1)
  }
  return left.length > 0 && !isCrowded ? `${who} nothing of a frame that is for it: ${short(left[0])}` : undefined
}

export const network: IsolationPromise = {
  name: NAME,
  sentence:
    'A frame reaches those whom it is for within its VLAN, and the wire if they may be there, byte for byte, and nobody else; no guest sends as another or in another VLAN.',
  arbitrary,
  check,
}
