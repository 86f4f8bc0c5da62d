/**
 * What a port needs of the hart beneath it: the services that executors use too, and the run loop's duties, which an
 * entry has to see to itself because it does not return to the loop while it runs.
 */
import type { Memory } from '../../memory/memory.ts'
import type { Prices } from '../../time/prices.ts'
import type { PartMark } from '../../spec/isa/mark.ts'
import type { Activity, Party } from '../../spec/ledger.ts'
import type { HartServices } from '../services.ts'

export interface PortHost extends HartServices {
  /** mhartid. */
  readonly id: number
  readonly prices: Prices
  /** Cycles that an instruction of counted path length takes: 1, or otherwise to see what depends on the counting. */
  readonly pathLength: number
  /** Its first WINDOW_BYTES are this hart's window while it runs. */
  readonly memory: Memory
  /**
   * BUDGET has run out: lets every event happen that is due by now, and sets DEADLINE and BUDGET anew. It does not end
   * the hart's turn: that waits until the entry is over.
   */
  catchUp(): void
  /** Takes the interrupt that is pending and enabled, if there is one: then PC and MODE are its handler's. */
  takeInterrupt(): boolean
  /**
   * Where `bytes` at a virtual address lie in linear memory, if they lie in one page of plain RAM that may be read
   * (written, `forWriting`) without telling anybody: its TLB entry is filled and priced as by an access. -1 if only
   * load and store will do; -2 if the translation trapped.
   */
  reach(address: number, bytes: number, forWriting: boolean): number
  /** Charges accesses to [host, host + bytes) beyond the cycles in which they retire: what caches miss. */
  priceRun(host: number, bytes: number, forWriting: boolean, activity?: Activity): void
  /** Stalls: cycles in which nothing retires. */
  charge(cycles: number, activity: Activity): void
  /** Called before each operation, if given: lets other harts run, nested, and puts this hart's window back. */
  readonly interleave: (() => void) | undefined
  /** Off the record. */
  account(party: Party, cause: string, activity: Activity): void
  mark(kind: PartMark, number: number): void
  /** Of the cycles up to now, so many belong to another activity of whoever runs. */
  attribute(activity: Activity, cycles: number): void
}
