/** What time protection costs two guests that always have something to do: their rounds in a while, with and without. */
import { NOTES, workerGuest } from '../../guests/channels/index.ts'
import type { TimeProtection } from '../../hw/spec/layouts/time-protection.ts'
import { noted, sharedHart } from './shared-hart.ts'

export interface ProtectionCost {
  /** Undefined: time is shared by need, in turns of 5 ms. */
  readonly protection: TimeProtection | undefined
  /** Of both guests together, a second. */
  readonly rounds: number
  /** Of what they do unprotected. */
  readonly share: number
}

/** A whole number of turns, and of slots. */
const WINDOW = 40_000_000
const CYCLES_PER_SECOND = 1_000_000_000
const BOOT_CYCLES = 400_000_000

function roundsWith(protection: TimeProtection | undefined): number {
  const system = sharedHart(
    ['first', 'second'].map(label => ({ label, ...workerGuest() })),
    { disk: false, ...(protection && { timeProtection: protection }) },
  )
  const { machine } = system
  const rounds = () => system.guests.reduce((sum, guest) => sum + noted(system, guest, NOTES), 0)
  machine.run({ untilCycle: BOOT_CYCLES })
  const before = rounds()
  machine.run({ untilCycle: BOOT_CYCLES + WINDOW })
  return ((rounds() - before) * CYCLES_PER_SECOND) / WINDOW
}

/** Without first. */
export function protectionCosts(protections: readonly TimeProtection[]): readonly ProtectionCost[] {
  const free = roundsWith(undefined)
  return [
    { protection: undefined, rounds: free, share: 1 },
    ...protections.map(protection => {
      const rounds = roundsWith(protection)
      return { protection, rounds, share: rounds / free }
    }),
  ]
}
