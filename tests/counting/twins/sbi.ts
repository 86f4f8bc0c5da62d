/** Decodes a supervisor call: timers, inter-processor interrupts, remote fences, hart state. */
export interface Harts {
  readonly count: number
  readonly software: Int32Array
  readonly fences: Int32Array
  readonly state: Int32Array
  readonly timer: Float64Array
}

export interface Answer {
  error: number
  value: number
}

const TIME = 0x54494d45
const IPI = 0x735049
const RFENCE = 0x52464e43
const HSM = 0x48534d
const BASE = 0x10
const NOT_SUPPORTED = -2
const INVALID = -3
const STOPPED = 1
const STARTING = 2
const ALREADY = -6

/** Marks the harts of a mask in `flags`; false if one does not exist. */
function mark(harts: Harts, flags: Int32Array, mask: number, base: number): boolean {
  if (base < 0) {
    for (let hart = 0; hart < harts.count; hart++) flags[hart] = 1
    return true
  }
  let left = mask
  for (let hart = base; left !== 0; hart++) {
    if ((left & 1) !== 0) {
      if (hart >= harts.count) return false
      flags[hart] = 1
    }
    left >>>= 1
  }
  return true
}

export function call(
  harts: Harts,
  self: number,
  extension: number,
  fid: number,
  first: number,
  second: number,
  answer: Answer,
): void {
  answer.error = 0
  answer.value = 0
  switch (extension) {
    case TIME:
      if (fid !== 0) answer.error = NOT_SUPPORTED
      else harts.timer[self] = first
      return
    case IPI:
      if (fid !== 0) answer.error = NOT_SUPPORTED
      else if (!mark(harts, harts.software, first, second)) answer.error = INVALID
      return
    case RFENCE:
      if (fid > 6) answer.error = NOT_SUPPORTED
      else if (!mark(harts, harts.fences, first, second)) answer.error = INVALID
      return
    case HSM:
      if (first >= harts.count) answer.error = INVALID
      else if (fid === 2) answer.value = harts.state[first]!
      else if (fid === 0) {
        if (harts.state[first] !== STOPPED) answer.error = ALREADY
        else harts.state[first] = STARTING
      } else answer.error = NOT_SUPPORTED
      return
    case BASE:
      if (fid === 0) answer.value = 0x2000000
      else if (fid === 3) {
        answer.value = first === TIME || first === IPI || first === RFENCE || first === HSM || first === BASE ? 1 : 0
      } else if (fid > 6) answer.error = NOT_SUPPORTED
      return
    default:
      answer.error = NOT_SUPPORTED
  }
}
