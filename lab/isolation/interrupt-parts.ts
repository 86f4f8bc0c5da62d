/** Parts of programs that raise, mask, claim and wait for interrupts, with what a guest has to see of them by the specifications. */
import { sip } from '../../hw/spec/csrs/supervisor.ts'
import { plic } from '../../hw/spec/devices/plic.ts'
import { uart } from '../../hw/spec/devices/uart.ts'
import { GUEST_MAP } from '../../hw/spec/guest-map.ts'
import { SBI_IPI } from '../../hw/spec/sbi.ts'
import { diskProgram } from './disk-requests.ts'
import type { Step } from './scenario.ts'

/** The value that a step is to log. */
export interface Sight {
  readonly value: number
  readonly mask: number
  readonly what: string
  /** It is the second of the two words that an entry has: a call's value, behind its error. */
  readonly second?: boolean
}

/** Steps, each with what it is to log if that is known. */
export type Part = readonly (Step | readonly [Step, Sight])[]

const SSIP = 2
const SEIP = 0x200
const UART = GUEST_MAP.uart
const DISK = GUEST_MAP.disk
const TRANSMIT = 2
const ALL = 0xffff_ffff
/** Longer than any scenario: whoever waits so long waits for an interrupt that has to come. */
const FOR_EVER = 100_000_000
/** Ticks within which a disk has answered. */
const ANSWERED = 8000
/** Until another hart has done its part. */
const LATER = 3000

const register = (at: number) => GUEST_MAP.plic.base + at
const store = (address: number, value: number, bytes: 1 | 4 = 4): Step => ({ op: 'store', bytes, address, value })
const enable = (context: number, sources: number) =>
  store(register(plic.enable.at + context * plic.enable.stride), sources)
const threshold = (context: number, value: number) =>
  store(register(plic.threshold.at + context * plic.threshold.stride), value)
const claimAt = (context: number) => register(plic.claim.at + context * plic.claim.stride)
const claim = (context: number, source: number): readonly [Step, Sight] => [
  { op: 'load', bytes: 4, signed: false, address: claimAt(context) },
  { value: source, mask: ALL, what: source === 0 ? 'there is nothing to claim' : `source ${source} is to be claimed` },
]
const complete = (context: number, source: number) => store(claimAt(context), source)
const pending = (bit: number, isUp: boolean, what: string): readonly [Step, Sight] => [
  { op: 'read', csr: sip.number },
  { value: isUp ? bit : 0, mask: bit, what: `${what} is ${isUp ? '' : 'not '}pending` },
]
const transmitter = (isOn: boolean) => store(UART.base + uart.IER.at, isOn ? TRANSMIT : 0, 1)
const external = (isUp: boolean) => pending(SEIP, isUp, 'the external interrupt')
const software = (isUp: boolean) => pending(SSIP, isUp, 'the software interrupt')

/** The UART's interrupt of a priority, against a threshold; claimed, falling and rising meanwhile, completed. */
export function uartPart(priority: number, above: number): Part {
  const shows = priority > above
  const there = priority > 0 ? UART.source : 0
  return [
    store(register(UART.source * 4), priority),
    threshold(0, above),
    enable(0, 2 ** UART.source),
    transmitter(true),
    external(shows),
    claim(0, there),
    external(false),
    ...(priority > 0
      ? [transmitter(false), transmitter(true), claim(0, 0), external(false), complete(0, UART.source), external(shows)]
      : []),
    transmitter(false),
    external(false),
    enable(0, 0),
    threshold(0, 0),
  ]
}

/** Waits for an interrupt that is there already, and would wait for ever. */
export const waitedFor: Part = [
  threshold(0, 0),
  transmitter(true),
  [
    { op: 'listen', sources: 2 ** UART.source, ticks: FOR_EVER },
    { value: UART.source, mask: ALL, what: 'the UART has interrupted' },
  ],
  transmitter(false),
  enable(0, 0),
]

/** A disk answers, and says so. */
export function diskPart(sectors: number): Part {
  const request = {
    write: false,
    where: 'inside',
    offset: 1,
    sectors: 3,
    place: { kind: 'page', at: 0 },
    stamp: 1,
  } as const
  const steps = diskProgram([[request]], sectors)
  const at = steps.findIndex(({ op }) => op === 'listen')
  return [
    store(register(DISK.source * 4), 1),
    threshold(0, 0),
    enable(0, 2 ** DISK.source),
    ...steps.slice(0, at),
    { op: 'wait', ticks: ANSWERED },
    external(true),
    claim(0, DISK.source),
    ...steps.slice(at + 2),
    complete(0, DISK.source),
    external(false),
    enable(0, 0),
  ]
}

export const timer = (ticks: number): Part => [{ op: 'wait', ticks }, external(false)]

/** Interrupts harts by mask and base. `self`: it is one of them. */
export function ipiPart(mask: number, base: number, self: number): Part {
  const named = mask >= 0 && ((mask >>> (self - base)) & 1) === 1 && self >= base
  return [
    { op: 'call', extension: SBI_IPI, function: 0, arguments: [mask, base] },
    software(named),
    { op: 'clear', csr: sip.number, value: SSIP },
    software(false),
  ]
}

/** Of two harts: the second interrupts those named, the first looks later. */
export function ipiPair(mask: number, base: number): readonly [Part, Part] {
  const named = (hart: number) => hart >= base && ((mask >>> (hart - base)) & 1) === 1
  return [
    [{ op: 'wait', ticks: LATER }, software(named(0)), { op: 'clear', csr: sip.number, value: SSIP }],
    [
      { op: 'call', extension: SBI_IPI, function: 0, arguments: [mask, base] },
      software(named(1)),
      { op: 'clear', csr: sip.number, value: SSIP },
      { op: 'wait', ticks: 2 * LATER },
    ],
  ]
}

/** Of two harts: the second claims and completes the UART's interrupt, which is enabled for those in `contexts`; the first looks later. */
export function sharedSource(contexts: number, times: number): readonly [Part, Part] {
  const isMine = (contexts & 1) !== 0
  const again: Part = (contexts & 2) !== 0 ? [claim(1, UART.source), complete(1, UART.source)] : []
  return [
    [{ op: 'wait', ticks: LATER }, external(isMine)],
    [
      store(register(UART.source * 4), 1),
      enable(0, isMine ? 2 ** UART.source : 0),
      enable(1, (contexts & 2) !== 0 ? 2 ** UART.source : 0),
      transmitter(true),
      ...Array.from({ length: times }, () => again).flat(),
      { op: 'wait', ticks: 2 * LATER },
      transmitter(false),
    ],
  ]
}

const logs = ({ op }: Step) => op !== 'fill' && op !== 'fence' && op !== 'repeat'

/** A program of parts, and what its log's entries are to be. */
export function assembled(parts: readonly Part[]): {
  readonly program: readonly Step[]
  readonly sights: readonly (Sight & { readonly entry: number })[]
} {
  const program: Step[] = []
  const sights: (Sight & { readonly entry: number })[] = []
  let entry = 0
  for (const item of parts.flat()) {
    const [step, sight] = 'op' in item ? [item] : item
    program.push(step)
    if (sight) sights.push({ ...sight, entry })
    if (logs(step)) entry++
  }
  return { program, sights }
}

/** What of it a vCPU's log, a line an entry, does not bear out; undefined if all. */
export function unmet(
  sights: readonly (Sight & { readonly entry: number })[],
  log: readonly string[],
): string | undefined {
  for (const { entry, value, mask, what, second } of sights) {
    if (log[entry] === undefined) continue
    const seen = Number(BigInt(log[entry].split(' ')[second ? 1 : 0]) & 0xffff_ffffn)
    if ((seen & mask) >>> 0 !== (value & mask) >>> 0) return `${what}, but step ${entry} saw 0x${seen.toString(16)}`
  }
  return undefined
}
