/** Console: what guests print, and what is typed for them. */
import fc from 'fast-check'
import { closed, consoleProgram, linesOf, MOVE, talkOf, type Turn, typedFor } from '../console-turns.ts'
import { foreignAddress } from '../generators/values.ts'
import { interleaving } from '../generators/scenarios.ts'
import { APART, HOSTED, HOSTED_KERNEL, HOSTED_TOGETHER, LONE, TOGETHER } from '../generators/topologies.ts'
import { GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import { found, watch } from '../judge.ts'
import { Ownership } from '../ownership.ts'
import type { IsolationPromise } from '../promise.ts'
import type { Scenario, Value } from '../scenario.ts'
import { WANDERERS } from '../topologies-io.ts'
import { logOf } from '../view.ts'

const NAME = 'console'
const CYCLES = 60_000_000
const LONGEST = 320
const MOST_TURNS = 5

interface ConsoleScenario extends Scenario {
  /** By guest. */
  readonly turns: readonly (readonly Turn[])[]
}

const topologies = fc.constantFrom(
  APART,
  APART,
  TOGETHER,
  TOGETHER,
  WANDERERS,
  LONE,
  HOSTED,
  HOSTED_TOGETHER,
  HOSTED_KERNEL,
)

/** Every guest has letters of its own. */
const ALPHABETS = ['abcdefgh', 'ABCDEFGH', '01234567', '+-*/=<>%']

/** Lines and parts of lines, most of them short. */
const textOf = (guest: number, most: number): fc.Arbitrary<string> =>
  fc.tuple(fc.integer({ min: 1, max: most }), fc.nat(7), fc.boolean()).map(([length, first, ends]) => {
    const letters = ALPHABETS[guest]
    const text = Array.from({ length }, (_, at) => letters[(first + at) % letters.length]).join('')
    return ends ? `${text}\n` : text
  })

const printing = (guest: number): fc.Arbitrary<readonly Turn[]> =>
  fc.oneof(
    fc
      .tuple(fc.constantFrom('call' as const, 'port' as const, 'byte' as const), textOf(guest, 20))
      .map(([way, text]): readonly Turn[] => [{ do: 'print', way, text, within: 0 }]),
    fc
      .tuple(textOf(guest, LONGEST), fc.oneof(fc.nat(64), fc.integer({ min: 4096 - 300, max: 4095 })))
      .map(([text, within]): readonly Turn[] => [{ do: 'print', way: 'string', text, within }]),
    // More than is kept of one who may not print yet.
    fc
      .tuple(textOf(guest, LONGEST), textOf(guest, LONGEST))
      .map(texts => texts.map((text): Turn => ({ do: 'print', way: 'string', text: text.slice(0, 250), within: 0 }))),
  )

/** No byte of a guest's of 16 MiB. */
const isOutside = (address: Value) => !(Number(address) >= GUEST_RAM && Number(address) < GUEST_RAM + 2 ** 24)

const otherwise: fc.Arbitrary<readonly Turn[]> = fc.oneof(
  fc
    .tuple(fc.constantFrom('call' as const, 'port' as const, 'string' as const), fc.integer({ min: 1, max: 12 }))
    .map(([way, times]): readonly Turn[] => [{ do: 'read', way, times }]),
  fc
    .tuple(fc.boolean(), foreignAddress.filter(isOutside), fc.integer({ min: 1, max: 64 }))
    .map(([fill, address, bytes]): readonly Turn[] => [{ do: 'elsewhere', fill, address, bytes }]),
  fc.integer({ min: 1, max: 4000 }).map((ticks): readonly Turn[] => [{ do: 'wait', ticks }]),
)

const turnsOf = (guest: number) =>
  fc
    .array(fc.oneof({ weight: 3, arbitrary: printing(guest) }, { weight: 2, arbitrary: otherwise }), {
      maxLength: MOST_TURNS,
    })
    .map(turns => turns.flat())

/** Typed in one piece, with the focus moved or not. */
const typed = fc.array(
  fc.record({
    at: fc.nat(300_000),
    moves: fc.nat(2),
    text: fc.array(fc.constantFrom(...'qrstuvwxyz'), { minLength: 1, maxLength: 5 }).map(letters => letters.join('')),
  }),
  { maxLength: 4 },
)

const arbitrary = topologies.chain(topology =>
  fc
    .record({ turns: fc.tuple(...topology.guests.map((_, guest) => turnsOf(guest))), typed, interleaving })
    .map(({ turns, typed, interleaving }): ConsoleScenario => {
      const all = turns.map(closed)
      return {
        topology,
        turns: all,
        guests: all.map(own => ({ programs: [consoleProgram(own)] })),
        ...(interleaving && topology.harts > 1 && { interleaving }),
        actions: typed.map(({ at, moves, text }) => ({ at, do: 'type', text: MOVE.repeat(moves) + text })),
        everyone: true,
        cycles: CYCLES,
      }
    }),
)

function check(scenario: Scenario) {
  const { turns, actions, topology } = scenario as ConsoleScenario
  const { arena, run } = watch(scenario, [new Ownership()])
  if (run.sighting) return found(NAME, scenario, run, run.sighting)
  const where = arena.where()
  const see = (what: string) => found(NAME, scenario, run, { what, where })
  if (!run.finished) return see('a guest does not come to its end')
  const { texts, stray } = linesOf(arena.printed(), topology.guests.length)
  if (stray !== undefined) return see(`a line is printed that is nobody's: ${JSON.stringify(stray)}`)
  const typed = typedFor(actions, topology.guests.length)
  for (const [guest, own] of turns.entries()) {
    const load = (address: number) => arena.machine.memory.bytes[arena.pages[guest].hostOf(address)]
    const talk = talkOf(own, logOf(arena, guest, 0), load)
    const { all, last } = typed[guest]
    const what =
      talk.wrong ??
      unlike('has printed', talk.printed.replaceAll('\n', ''), texts[guest]) ??
      unlike('was to read at its serial port', all, talk.atPort) ??
      misread(all, last, talk.byCall)
    if (what !== undefined) return see(`guest ${guest}: ${what}`)
  }
  return undefined
}

function unlike(what: string, expected: string, seen: string): string | undefined {
  return expected === seen ? undefined : `it ${what} ${JSON.stringify(expected)}, and there is ${JSON.stringify(seen)}`
}

/** Calls are answered with what was typed, in its order, but for what the guest had not taken when the focus went elsewhere. */
function misread(all: string, last: string, read: string): string | undefined {
  let at = 0
  for (const each of all) if (read[at] === each) at++
  if (at === read.length && read.endsWith(last)) return undefined
  return `it was to read ${JSON.stringify(all)}, of which ${JSON.stringify(last)} was still there, and has read ${JSON.stringify(read)}`
}

export const console: IsolationPromise = {
  name: NAME,
  sentence:
    'What a guest prints comes out under its name, whole and in its order, whatever others print; what is typed reaches the guest in focus, whole and in its order, and nobody else.',
  arbitrary,
  check,
}
