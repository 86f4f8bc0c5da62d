/** Programs of two harts, one of which starts and stops the other, and what they are to see of that (SBI 2.0, 9). */
import { satp, sstatus } from '../../hw/spec/csrs/supervisor.ts'
import { plic } from '../../hw/spec/devices/plic.ts'
import { uart } from '../../hw/spec/devices/uart.ts'
import { GUEST_KERNEL, GUEST_MAP } from '../../hw/spec/guest-map.ts'
import {
  HART_STATE,
  SBI_ALREADY_AVAILABLE,
  SBI_HSM,
  SBI_INVALID_ADDRESS,
  SBI_INVALID_PARAM,
  SBI_IPI,
} from '../../hw/spec/sbi.ts'
import { areaOf, DATA } from './guest-runtime.ts'
import { assembled, type Part, type Sight } from './interrupt-parts.ts'
import type { Program, Step, Value } from './scenario.ts'

const START = 0
const STOP = 1
const STATUS = 2
const OTHER = 1
const HARTS = 2
const ALL = 0xffff_ffff
const SIE = 2
const UART = GUEST_MAP.uart
const TRANSMIT = 2
const ROOT = DATA + 0x6_0000
/** An identity mapping of the gigabyte that RAM is in: V R W X A D. */
const ITSELF = (0x8000_0000 / 4096) * 1024 + 0xcf
const SV39 = `0x${((8n << 60n) + BigInt(ROOT / 4096)).toString(16)}`
/** `j .`: what a hart leaves in its area when it has been started. */
const PARKED = 0x6f

const call = (extension: number, number: number, ...values: readonly Value[]): Step => ({
  op: 'call',
  extension,
  function: number,
  arguments: values,
})
const answered = (step: Step, value: number, what: string): readonly [Step, Sight] => [step, { value, mask: ALL, what }]
/** a0 is the error; a1, the state, stands behind it in the log. */
const status = (state: number, what: string): readonly [Step, Sight] => [
  call(SBI_HSM, STATUS, OTHER),
  { value: state, mask: ALL, what, second: true },
]
const start = (address: Value) => call(SBI_HSM, START, OTHER, address, 0)

export interface HartPair {
  readonly first: ReturnType<typeof assembled>
  readonly second: ReturnType<typeof assembled>
  /** Steps of the second that it comes to, at most. */
  readonly most: number
}

/** What the stopping hart does before: nothing, turn translation on, or let a device interrupt it. */
export type Before = 'nothing' | 'translates' | 'is interrupted'

/**
 * The second hart stops after some work; the first looks, interrupts it, starts it wrongly and rightly, and looks again, each
 * time so many ticks later: the second has had its turn by then.
 */
export function stopAndStart(before: Before, work: number, isStarted: boolean, ticks: number): HartPair {
  const later: Step = { op: 'wait', ticks }
  const stopping: Part = [
    ...(before === 'translates'
      ? [
          { op: 'copy' as const, address: ROOT, words: [0, 0, ITSELF] },
          { op: 'write' as const, csr: satp.number, value: SV39 },
        ]
      : []),
    ...(before === 'is interrupted'
      ? [
          { op: 'store' as const, bytes: 4 as const, address: GUEST_MAP.plic.base + UART.source * 4, value: 1 },
          {
            op: 'store' as const,
            bytes: 4 as const,
            address: GUEST_MAP.plic.base + plic.enable.at + plic.enable.stride,
            value: 2 ** UART.source,
          },
        ]
      : []),
    { op: 'compute', times: work },
    call(SBI_HSM, STOP),
  ]
  const first: Part = [
    later,
    status(HART_STATE.STOPPED, 'hart 1 has stopped'),
    ...(before === 'translates' ? [{ op: 'copy' as const, address: ROOT, words: [0, 0, 0] }] : []),
    { op: 'store', bytes: 1, address: UART.base + uart.IER.at, value: before === 'is interrupted' ? TRANSMIT : 0 },
    call(SBI_IPI, 0, 2, 0),
    later,
    status(HART_STATE.STOPPED, 'hart 1 is stopped, whatever interrupts it'),
    { op: 'store', bytes: 1, address: UART.base + uart.IER.at, value: 0 },
    answered(start(0x1000), SBI_INVALID_ADDRESS, 'a start outside memory is refused'),
    answered(start(UART.base), SBI_INVALID_ADDRESS, 'a start outside memory is refused'),
    answered(call(SBI_HSM, START, HARTS, GUEST_KERNEL, 0), SBI_INVALID_PARAM, 'there is no hart 2'),
    answered(call(SBI_HSM, STATUS, HARTS), SBI_INVALID_PARAM, 'there is no hart 2'),
    ...(isStarted
      ? [
          answered(start(GUEST_KERNEL), 0, 'a stopped hart can be started'),
          answered(start(GUEST_KERNEL), SBI_ALREADY_AVAILABLE, 'a hart is started once'),
          later,
          status(HART_STATE.STARTED, 'hart 1 has started'),
          answered(
            { op: 'load', bytes: 4, signed: false, address: areaOf(1) },
            PARKED,
            'a hart that was started has come to where harts wait',
          ),
        ]
      : []),
  ]
  const second = assembled([stopping])
  return { first: assembled([first]), second, most: logged(second.program) }
}

/** What a hart has on when it stops: it has neither when it starts. */
const inUse: Part = [
  { op: 'copy', address: ROOT, words: [0, 0, ITSELF] },
  { op: 'write', csr: satp.number, value: SV39 },
  { op: 'set', csr: sstatus.number, value: SIE },
]

/** The first hart tries to start the second all the while that it stops. */
export function startedAmid(work: number, times: number, ticks: number): HartPair {
  const second = assembled([[...inUse, { op: 'compute', times: work }, call(SBI_HSM, STOP)]])
  const first: Program = [
    { op: 'repeat', times, steps: [start(GUEST_KERNEL)] },
    { op: 'wait', ticks },
  ]
  return { first: { program: first, sights: [] }, second, most: logged(second.program) }
}

/** The same again and again: whenever the second hart is started it does what it did, and stops. */
export function startedAgain(work: number, times: number, between: number, ticks: number): HartPair {
  const second = assembled([[...inUse, { op: 'compute', times: work }, call(SBI_HSM, STOP)]])
  const first: Program = [
    { op: 'repeat', times, steps: [start(areaOf(1)), { op: 'compute', times: between }] },
    { op: 'wait', ticks },
  ]
  return { first: { program: first, sights: [] }, second, most: Infinity }
}

/** Entries of the log up to the stop, which does not return. */
function logged(program: Program): number {
  return program.length - 1
}
