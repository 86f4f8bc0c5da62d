/** What guests do at their consoles: programs that print and read by every way there is, and what is to come of that. */
import { GUEST_MAP } from '../../hw/spec/guest-map.ts'
import { SBI_DBCN, SBI_LEGACY_GETCHAR, SBI_LEGACY_PUTCHAR } from '../../hw/spec/sbi.ts'
import { put } from './generators/virtio-steps.ts'
import { DATA } from './guest-runtime.ts'
import type { Action, Program, Step, Value } from './scenario.ts'

/** By legacy call, by the serial port, byte by byte with the debug console, or many bytes at once with that. */
export type Way = 'call' | 'port' | 'byte' | 'string'

export type Turn =
  /** `within`: where in a page a string begins. */
  | { readonly do: 'print'; readonly way: Way; readonly text: string; readonly within: number }
  | { readonly do: 'read'; readonly way: Exclude<Way, 'byte'>; readonly times: number }
  /** Bytes that are not the guest's are to be printed, or to be filled with what was typed. */
  | { readonly do: 'elsewhere'; readonly fill: boolean; readonly address: Value; readonly bytes: number }
  | { readonly do: 'wait'; readonly ticks: number }

const UART = GUEST_MAP.uart.base
const WRITE = 0
const READ = 1
const WRITE_BYTE = 2
const PAGE = 4096
/** Each turn has its own. */
const BUFFERS = DATA + 0x2_0000
const BUFFER = 2 * PAGE
const STRING = 16
/** Moves the focus to the next guest. */
export const MOVE = '\x01'
/** Ticks after which all has been typed, and has come. */
const TYPED = 8000
/** And after which every line has come out, though others left theirs open. */
const PRINTED = 45_000
const DRAINED = 24
const BETWEEN = 30

const call = (extension: number, number: number, ...values: readonly Value[]): Step => ({
  op: 'call',
  extension,
  function: number,
  arguments: values,
})
const codes = (text: string) => Array.from(text, character => character.charCodeAt(0))
const bufferOf = (index: number) => BUFFERS + index * BUFFER

/** In words of 8 bytes, the first of which begins with so many bytes of nothing. */
function packed(text: string, skip: number): readonly Value[] {
  const bytes = [...Array.from({ length: skip }, () => 0), ...codes(text)]
  return Array.from({ length: Math.ceil(bytes.length / 8) }, (_, word) => {
    let value = 0n
    for (let at = 7; at >= 0; at--) value = value * 256n + BigInt(bytes[word * 8 + at] ?? 0)
    return `0x${value.toString(16)}`
  })
}

function printed({ way, text, within }: Extract<Turn, { do: 'print' }>, index: number): readonly Step[] {
  if (way === 'call') return codes(text).map(code => call(SBI_LEGACY_PUTCHAR, 0, code))
  if (way === 'byte') return codes(text).map(code => call(SBI_DBCN, WRITE_BYTE, code))
  if (way === 'port') return codes(text).map((value): Step => ({ op: 'store', bytes: 1, address: UART, value }))
  const at = bufferOf(index) + within
  return [...put(at - (at % 8), packed(text, at % 8)), call(SBI_DBCN, WRITE, text.length, at, 0)]
}

function readBy(way: Extract<Turn, { do: 'read' }>['way'], index: number): Step {
  if (way === 'call') return call(SBI_LEGACY_GETCHAR, 0)
  if (way === 'port') return { op: 'load', bytes: 1, signed: false, address: UART }
  return call(SBI_DBCN, READ, STRING, bufferOf(index), 0)
}

/** All that is typed is there when it ends, and read. */
export function closed(turns: readonly Turn[]): readonly Turn[] {
  return [
    ...turns,
    { do: 'wait', ticks: TYPED },
    { do: 'read', way: 'port', times: DRAINED },
    { do: 'read', way: 'call', times: DRAINED },
    { do: 'wait', ticks: PRINTED },
  ]
}

function stepsOf(turn: Turn, index: number): readonly Step[] {
  switch (turn.do) {
    case 'print':
      return printed(turn, index)
    case 'elsewhere':
      return [call(SBI_DBCN, turn.fill ? READ : WRITE, turn.bytes, turn.address, 0)]
    case 'wait':
      return [{ op: 'wait', ticks: turn.ticks }]
    case 'read':
      return Array.from({ length: turn.way === 'string' ? 1 : turn.times }, () => [
        readBy(turn.way, index),
        { op: 'wait', ticks: BETWEEN } as const,
      ]).flat()
  }
}

export function consoleProgram(turns: readonly Turn[]): Program {
  return turns.flatMap(stepsOf)
}

/** What a guest has printed and read, as its log has it. */
export interface Talk {
  readonly printed: string
  /** By its serial port, where nothing is 0; and by calls. */
  readonly atPort: string
  readonly byCall: string
  /** What cannot be, if there is something. */
  readonly wrong: string | undefined
}

const character = (code: number) => String.fromCharCode(code)
const low = (word: string | undefined) => Number(BigInt.asIntN(32, BigInt(word ?? 0)))

/** `log`: a line a step, with a0 and a1 first. `load`: a byte of the guest's memory, as it is now. */
export function talkOf(turns: readonly Turn[], log: readonly string[], load: (address: number) => number): Talk {
  let printed = ''
  let atPort = ''
  let byCall = ''
  let wrong: string | undefined
  let entry = 0
  for (const [index, turn] of turns.entries()) {
    const steps = stepsOf(turn, index)
    const lines = log.slice(entry, entry + steps.length).map(line => line.split(' '))
    entry += steps.length
    // It has not come so far.
    if (lines.length < steps.length) break
    const [error, count] = [low(lines.at(-1)![0]), low(lines.at(-1)![1])]
    if (turn.do === 'print') {
      if (turn.way !== 'string') printed += turn.text
      else if (error !== 0 || count < 1 || count > turn.text.length)
        wrong ??= `${turn.text.length} bytes were to be printed, and the call answers ${error}, ${count}`
      else printed += turn.text.slice(0, count)
    } else if (turn.do === 'elsewhere' && error === 0)
      wrong ??= `the console ${turn.fill ? 'fills' : 'prints'} ${count} bytes at ${turn.address}, which is none of its memory`
    else if (turn.do === 'read' && turn.way !== 'string') {
      const codes = steps.flatMap(({ op }, at) => (op === 'wait' ? [] : [low(lines[at][0])]))
      if (turn.way === 'port')
        atPort += codes
          .filter(code => code !== 0)
          .map(character)
          .join('')
      else
        byCall += codes
          .filter(code => code !== -1)
          .map(character)
          .join('')
    } else if (turn.do === 'read') {
      const [first, filled] = [low(lines[0][0]), low(lines[0][1])]
      const bytes = Array.from({ length: STRING }, (_, at) => load(bufferOf(index) + at))
      if (first !== 0 || filled > STRING) wrong ??= `reading the console answers ${first}, ${filled}`
      else if (bytes.slice(filled).some(byte => byte !== 0))
        wrong ??= `the console says that it has read ${filled} bytes, and more have changed`
      else byCall += bytes.slice(0, filled).map(character).join('')
    }
  }
  return { printed, atPort, byCall, wrong }
}

/** By guest: what was typed for it, and how much of that since it has the focus, if it has it at the end. */
export function typedFor(actions: readonly Action[], guests: number): readonly { all: string; last: string }[] {
  const typed = Array.from({ length: guests }, () => ({ all: '', last: '' }))
  let focus = 0
  for (const action of [...actions].sort((a, b) => a.at - b.at)) {
    if (action.do !== 'type') continue
    for (const each of action.text) {
      if (each === MOVE && guests > 1) {
        typed[focus].last = ''
        focus = (focus + 1) % guests
      } else {
        typed[focus].all += each
        typed[focus].last += each
      }
    }
  }
  return typed
}

/** The machine's line, taken apart: what each guest has printed, line ends aside. */
export function linesOf(
  output: string,
  guests: number,
): { readonly texts: readonly string[]; readonly stray?: string } {
  const texts = Array.from({ length: guests }, () => '')
  for (const line of output.split('\n')) {
    if (line === '') continue
    const [, guest, text] = guests > 1 ? (/^\[guest(\d)\] (.*)$/s.exec(line) ?? []) : [line, '0', line]
    if (guest === undefined) return { texts, stray: line }
    texts[Number(guest)] += text
  }
  return { texts }
}
