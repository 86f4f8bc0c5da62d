/** A machine that faults are tried on, one after the other, each from the same moment: when its first witness is at work. */
import { OUTCOMES, outcomeMark } from '../../../guests/witnesses/marks.ts'
import type { Machine } from '../../../hw/index.ts'
import { fail, isHardware } from './hardware.ts'
import type { Strike } from './kinds.ts'
import { arm, disarm, trigger } from './trigger.ts'
import type { World } from './world.ts'

/** What a witness has come to. */
export interface Witnessed {
  readonly ended: boolean
  readonly crashed: boolean
  /** What it said when it switched itself off. */
  readonly code: number
  /** Its requests (a bystander's rounds), by what came of them. */
  readonly good: number
  readonly failed: number
  readonly wrong: number
  /** The longest time without a good one, up to its end or the run's: cycles. */
  readonly longest: number
}

export interface Trial {
  /** False if the driver was not given so many requests. */
  readonly struck: boolean
  /** The machine's software stands still for good, and why. */
  readonly halted: string | undefined
  readonly witnesses: readonly Witnessed[]
  /** Requests of devices that the IOMMU refused, since the machine was switched on. */
  readonly refused: number
}

interface Tally {
  good: number
  failed: number
  wrong: number
  last: number
  longest: number
}

const START_WITHIN = 200_000_000
const TURN = 1_000_000

/** How long to wait for witnesses that do not come to their ends: cycles in all, and of a busy hart. */
export interface Patience {
  readonly cycles: number
  readonly busy: number
}

export class Rig {
  readonly world: World
  /** Requests that the driver was given before the moment from which faults are tried. */
  readonly before: number
  readonly #machine: Machine
  readonly #checkpoint: ReturnType<Machine['checkpoint']>
  /** Frames that had come to the card by then. */
  readonly #sent: number
  #tallies: Tally[] = []
  #strikeAt: number | undefined
  /** The machine is switched off: the bare machine's guest has ended. */
  #stopped = false

  /** Runs the world to where the first witness begins. */
  constructor(world: World) {
    this.world = world
    this.#machine = world.system.machine
    disarm()
    Object.assign(trigger(), { victim: -1, seen: 0, ...world.drivers })
    const stop = this.#machine.run({ marks: true, untilCycle: START_WITHIN })
    if (stop.kind !== 'mark') throw new Error(`no witness has begun in ${START_WITHIN} cycles (${stop.kind})`)
    this.#machine.onMark((_hart, mark, number, cycle) => this.#marked(mark, number, cycle))
    this.before = trigger().seen
    this.#sent = world.hardware.sent
    this.#checkpoint = this.#machine.checkpoint()
  }

  /** Goes back, and lets this strike, or nothing. After a halt the rig is of no more use. */
  try(strike: Strike | undefined, patience: Patience): Trial {
    const machine = this.#machine
    machine.rollback(this.#checkpoint)
    this.world.hardware.sent = this.#sent
    const from = machine.now()
    const begun = { good: 0, failed: 0, wrong: 0, last: from, longest: 0 }
    this.#tallies = this.world.witnesses.map(() => ({ ...begun }))
    this.#strikeAt = undefined
    this.#stopped = false
    if (strike) arm(strike)
    else disarm()
    trigger().strikes = () => {
      trigger().struck++
      if (this.#strikeAt !== undefined) return
      this.#strikeAt = machine.now()
      if (strike && isHardware(strike.kind)) fail(strike.kind, strike.value, this.world.hardware)
    }
    const halted = this.#run(from, patience)
    return {
      struck: this.#strikeAt !== undefined,
      halted,
      witnesses: this.#tallies.map((tally, index) => this.#witnessed(tally, index)),
      refused: this.world.system.dmaFaults?.record.faults ?? 0,
    }
  }

  /** Runs until all have ended, or patience has; what has halted the machine's software, if anything has. */
  #run(from: number, { cycles, busy }: Patience): string | undefined {
    const machine = this.#machine
    const begun = this.#busy()
    try {
      while (machine.now() < from + cycles && this.#busy() - begun < busy && !this.#over()) {
        const stop = machine.run({ untilCycle: machine.now() + TURN, until: () => this.#over() })
        this.#stopped = stop.kind === 'stopped'
        if (stop.kind === 'idle' || this.#stopped) return undefined
      }
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }

  /** Cycles of the hart that were not idle. */
  #busy(): number {
    return this.#machine.ledger(0).reduce((sum, { party, cycles }) => (party === 'idle' ? sum : sum + cycles), 0)
  }

  #over(): boolean {
    const { guests } = this.world.system
    return guests.length > 0 && guests.every(({ record }) => record.ended)
  }

  #marked(mark: string, number: number, cycle: number): void {
    if (mark !== 'end' || number === 0) return
    for (const [guest, tally] of this.#tallies.entries()) {
      for (const outcome of OUTCOMES) {
        if (number !== outcomeMark(guest, outcome)) continue
        tally[outcome]++
        if (outcome !== 'good') continue
        tally.longest = Math.max(tally.longest, cycle - tally.last)
        tally.last = cycle
      }
    }
  }

  #witnessed({ good, failed, wrong, last, longest }: Tally, index: number): Witnessed {
    const guest = this.world.system.guests.at(index)
    const record = guest?.record
    const ended = record?.ended ?? this.#stopped
    return {
      ended,
      crashed: record?.crashed ?? false,
      code: record?.exitCode ?? 0,
      good,
      failed,
      wrong,
      longest: ended ? longest : Math.max(longest, this.#machine.now() - last),
    }
  }
}
