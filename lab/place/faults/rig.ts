/** A machine that faults are tried on, one after the other, each from the same moment: when its first witness is at work. */
import { OUTCOMES, outcomeMark } from '../../../guests/witnesses/marks.ts'
import type { Machine } from '../../../hw/index.ts'
import type { GuestPages } from '../../isolation/guest-pages.ts'
import { fail, isHardware } from './hardware.ts'
import type { Strike } from './kinds.ts'
import { arm, disarm, trigger } from './trigger.ts'
import { memoryOf, type World } from './world.ts'

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
  /** Of a bystander: what was in all of its memory when it had done its work; nobody has any business there. */
  readonly memory: number
}

export interface Trial {
  /** False if the driver was not given so many requests while anybody was waited for. */
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
  memory: number
}

const START_WITHIN = 400_000_000
const TURN = 1_000_000
/** So many requests that were answered within 0.3 ms. */
const PROMPT = 3
const PROMPTLY = 300_000

/** For whom to wait until they have come to their ends, and for how long if they do not. */
export interface Patience {
  /** Of the witnesses. */
  readonly whom: readonly number[]
  /** In all. */
  readonly cycles: number
  /** Of a busy hart, since one of them was told something good. */
  readonly silence: number
}

export class Rig {
  readonly world: World
  /** Requests that the driver was given before the moment from which faults are tried. */
  readonly before: number
  readonly #machine: Machine
  readonly #checkpoint: ReturnType<Machine['checkpoint']>
  /** Frames that had come to the card by then. */
  readonly #sent: number
  /** The bystander's memory, if there is one. */
  readonly #memory: GuestPages | undefined
  /** When the user asked last, and how many of its requests were answered promptly, one after the other. */
  #asked = 0
  #prompt = 0
  /** How often others had the hart meanwhile. */
  #turns = 0
  /** That the bystander does after the checkpoint. */
  #rounds = 0
  #tallies: Tally[] = []
  /** Busy cycles when a witness that is waited for was told something good last. */
  #heard = 0
  #patience: Patience = { whom: [], cycles: 0, silence: 0 }
  /** All that are waited for had ended when the fault struck: it was too late to tell anything. */
  #late = false
  #strikeAt: number | undefined
  /** The machine is switched off: the bare machine's guest has ended. */
  #stopped = false

  /** Runs the world to where all are at work, and those that wait for answers are not kept waiting by schedulers any more. */
  constructor(world: World) {
    this.world = world
    this.#machine = world.system.machine
    disarm()
    Object.assign(trigger(), { victim: -1, seen: 0, ...world.drivers })
    this.#machine.onMark((_hart, mark, number, cycle) => this.#marked(mark, number, cycle))
    while (this.#prompt < PROMPT || this.#turns < world.turns) {
      const stop = this.#machine.run({ marks: true, untilCycle: START_WITHIN })
      if (stop.kind !== 'mark') throw new Error(`nobody is answered within ${START_WITHIN} cycles (${stop.kind})`)
    }
    this.before = trigger().seen
    this.#sent = world.hardware.sent
    for (const [index, word] of world.last.entries()) this.#letEnd(memoryOf(world, index).hostOf(word))
    const bystander = world.witnesses.indexOf('bystander')
    this.#memory = bystander < 0 ? undefined : memoryOf(world, bystander)
    this.#checkpoint = this.#machine.checkpoint()
    this.#memory?.remember()
  }

  /** What comes of it if nothing strikes. Before anything is tried. */
  undisturbed(patience: Patience): Trial {
    const { witnesses } = this.try(undefined, patience)
    this.#rounds = witnesses[this.world.witnesses.indexOf('bystander')]?.good ?? 0
    return this.try(undefined, patience)
  }

  /** Goes back, and lets this strike, or nothing. After a halt the rig is of no more use. */
  try(strike: Strike | undefined, patience: Patience): Trial {
    const machine = this.#machine
    machine.rollback(this.#checkpoint)
    this.world.hardware.sent = this.#sent
    if (strike) machine.harts[0].sleepUntil(machine.now() + strike.pause)
    const from = machine.harts[0].now()
    const begun = { good: 0, failed: 0, wrong: 0, last: from, longest: 0, memory: 0 }
    this.#tallies = this.world.witnesses.map(() => ({ ...begun }))
    this.#strikeAt = undefined
    this.#stopped = false
    if (strike) arm(strike)
    else disarm()
    trigger().strikes = () => {
      trigger().struck++
      if (this.#strikeAt !== undefined) return
      this.#strikeAt = machine.now()
      this.#late = this.#over()
      if (strike && isHardware(strike.kind)) fail(strike.kind, strike.value, this.world.hardware)
    }
    this.#patience = patience
    this.#late = false
    const halted = this.#run(from)
    return {
      struck: this.#strikeAt !== undefined && !this.#late,
      halted,
      witnesses: this.#tallies.map((tally, index) => this.#witnessed(tally, index)),
      refused: this.world.system.dmaFaults?.record.faults ?? 0,
    }
  }

  /** Runs until all have ended, or patience has; what has halted the machine's software, if anything has. */
  #run(from: number): string | undefined {
    const machine = this.#machine
    const { cycles, silence } = this.#patience
    this.#heard = this.#busy()
    try {
      while (machine.now() < from + cycles && this.#busy() - this.#heard < silence && !this.#over()) {
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
    return guests.length > 0 && this.#patience.whom.every(index => guests[index].record.ended)
  }

  /** That witness has a while to go, and no longer. */
  #letEnd(host: number): void {
    const { memory } = this.#machine
    memory.words[host >> 2] = 1
    memory.written(host, 4)
  }

  #answered(mark: string, cycle: number): void {
    if (mark === 'start') this.#asked = cycle
    else if (cycle - this.#asked < PROMPTLY) this.#prompt++
    else {
      this.#prompt = 0
      this.#turns++
    }
  }

  #marked(mark: string, number: number, cycle: number): void {
    if (number === outcomeMark(0, 'good')) this.#answered(mark, cycle)
    if (mark !== 'end' || number === 0) return
    for (const [guest, tally] of this.#tallies.entries()) {
      for (const outcome of OUTCOMES) {
        if (number !== outcomeMark(guest, outcome)) continue
        tally[outcome]++
        if (outcome !== 'good') continue
        tally.longest = Math.max(tally.longest, cycle - tally.last)
        tally.last = cycle
        if (this.#patience.whom.includes(guest)) this.#heard = this.#busy()
        if (this.world.witnesses[guest] === 'bystander' && tally.good === this.#rounds)
          tally.memory = this.#memory!.digest()
      }
    }
  }

  #witnessed({ good, failed, wrong, last, longest, memory }: Tally, index: number): Witnessed {
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
      memory,
    }
  }
}
