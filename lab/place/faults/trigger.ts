/** What decides, from outside of the simulated machine, which fault a planted driver suffers, and when. */
import { FAULT_KINDS, type Strike } from './kinds.ts'

/** The global symbol by which planted drivers find it. */
export const TRIGGER = 'barehart driver fault'

export interface Trigger {
  /** Drivers made so far, in this process: each is known by its number. */
  made: number
  /** The first of a machine's drivers that is given a request, unless it is known. */
  isVictim(instance: number): boolean
  /** Requests until it strikes; 0: never. */
  at: number
  kind: Strike['kind'] | ''
  /** The same as a number, for the driver's state. */
  code: number
  value: number
  data: number
  /** It has struck, at this time of the driver's. */
  strikes(microseconds: number): void
  /** How often, since it was set. */
  struck: number
  /** Requests that the victim has been given. */
  seen: number
  victim: number
  /** Only drivers of these numbers may be the victim, the last one excluded. */
  from: number
  to: number
}

/** This process's. */
export function trigger(): Trigger {
  const symbol = Symbol.for(TRIGGER)
  const known = (globalThis as { [symbol]?: Trigger })[symbol]
  if (known) return known
  const made: Trigger = {
    made: 0,
    victim: -1,
    from: 0,
    to: Infinity,
    isVictim(instance) {
      if (made.victim < 0 && instance >= made.from && instance < made.to) made.victim = instance
      return instance === made.victim
    },
    at: 0,
    kind: '',
    code: 0,
    value: 0,
    data: 0,
    strikes: () => void made.struck++,
    struck: 0,
    seen: 0,
  }
  ;(globalThis as { [symbol]?: Trigger })[symbol] = made
  return made
}

/** Faults of the hardware are none of the driver's. */
const CODES: readonly string[] = FAULT_KINDS

/** Sets it for a machine that is about to run. */
export function arm({ kind, at, value, data }: Strike): void {
  Object.assign(trigger(), { kind, at, value, data, code: CODES.indexOf(kind) + 1, struck: 0 })
}

export function disarm(): void {
  Object.assign(trigger(), { kind: '', at: 0, code: 0, struck: 0 })
}
