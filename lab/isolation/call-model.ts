/** What calls of the environment answer (SBI 2.0), as far as it follows from the call alone. */
import {
  SBI_ALREADY_AVAILABLE,
  SBI_BASE,
  SBI_DBCN,
  SBI_FAILED,
  SBI_HSM,
  SBI_INVALID_ADDRESS,
  SBI_INVALID_PARAM,
  SBI_IPI,
  SBI_LEGACY_GETCHAR,
  SBI_LEGACY_PUTCHAR,
  SBI_LEGACY_SET_TIMER,
  SBI_LEGACY_SHUTDOWN,
  SBI_NOT_SUPPORTED,
  SBI_RFENCE,
  SBI_SRST,
  SBI_SUCCESS,
  SBI_TIME,
  SBI_VERSION_2_0,
} from '../../hw/spec/sbi.ts'
import type { Arena } from './arena.ts'
import type { Expected, Snapshot } from './exit-model.ts'

const A0 = 10
const A1 = 11
const A6 = 16
const A7 = 17
const IMPLEMENTATION = 0x6268
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
  SBI_LEGACY_SHUTDOWN,
]
/** Times of 2^53 and more are one and the same to the VMM: never. */
const NEVER_HIGH = 0x20_0000
const CONSOLE_CHUNK = 256
const HART_STATES = 7

type Words = readonly [number, number]
const words = (value: number): Words => [value | 0, value < 0 ? -1 : 0]

/** Fills in what a0, a1 and others become. */
export function answerOf(arena: Arena, snapshot: Snapshot, expected: Expected): void {
  const { exit, x } = snapshot
  const low = (register: number) => x[register * 2] >>> 0
  const extension = low(A7)
  const call = low(A6)
  const answer = (error: number, value: number) => {
    expected.x.set(A0, words(error))
    expected.x.set(A1, words(value))
  }
  /** One of these errors; with the first, any small value. */
  const oneOf = (errors: readonly number[], most: number) => {
    expected.x.set(A0, (a, b) => errors.some(error => a === (error | 0) && b === (error < 0 ? -1 : 0)))
    expected.x.set(A1, (a, b) => b === 0 && a >= 0 && a <= most)
  }
  const timer = () => {
    const high = x[A0 * 2 + 1]
    expected.csrs.set('vstimecmp', high >>> 0 >= NEVER_HIGH ? [0, NEVER_HIGH] : [x[A0 * 2], high])
    answer(SBI_SUCCESS, 0)
  }
  switch (extension) {
    case SBI_BASE:
      if (call === 0) return answer(SBI_SUCCESS, SBI_VERSION_2_0)
      if (call === 1) return answer(SBI_SUCCESS, IMPLEMENTATION)
      if (call === 2) return answer(SBI_SUCCESS, 1)
      if (call === 3) return answer(SBI_SUCCESS, EXTENSIONS.includes(low(A0)) ? 1 : 0)
      return answer(call <= 6 ? SBI_SUCCESS : SBI_NOT_SUPPORTED, 0)
    case SBI_TIME:
      return call === 0 ? timer() : answer(SBI_NOT_SUPPORTED, 0)
    case SBI_LEGACY_SET_TIMER:
      return timer()
    case SBI_IPI:
      return answer(call === 0 ? SBI_SUCCESS : SBI_NOT_SUPPORTED, 0)
    case SBI_RFENCE:
      return answer(call <= 2 ? SBI_SUCCESS : SBI_NOT_SUPPORTED, 0)
    case SBI_HSM: {
      const { vcpus } = arena.topology.guests[exit.guest]
      if (call === 1) {
        expected.anew = true
        return
      }
      if (call === 3) return answer(low(A0) === 0 ? SBI_SUCCESS : SBI_NOT_SUPPORTED, 0)
      if (low(A0) >= vcpus) return answer(SBI_INVALID_PARAM, 0)
      if (call === 2) return oneOf([SBI_SUCCESS], HART_STATES)
      if (call === 0) return oneOf([SBI_SUCCESS, SBI_ALREADY_AVAILABLE, SBI_INVALID_ADDRESS], 0)
      return answer(SBI_NOT_SUPPORTED, 0)
    }
    case SBI_SRST:
      return answer(call === 0 ? SBI_INVALID_PARAM : SBI_NOT_SUPPORTED, 0)
    case SBI_DBCN:
      if (call === 2) return answer(SBI_SUCCESS, 0)
      if (call > 2) return answer(SBI_NOT_SUPPORTED, 0)
      return oneOf([SBI_SUCCESS, SBI_INVALID_PARAM, SBI_FAILED], CONSOLE_CHUNK)
    case SBI_LEGACY_PUTCHAR:
      expected.x.set(A0, words(0))
      return
    case SBI_LEGACY_GETCHAR:
      expected.x.set(A0, (a, b) => (a === -1 && b === -1) || (b === 0 && a >= 0 && a < 256))
      return
    default:
      return answer(SBI_NOT_SUPPORTED, 0)
  }
}
