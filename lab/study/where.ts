/** The headings under which people look for cycles, and which ledger row belongs where. */
import type { Result, ResultRow } from './measure.ts'

export const HEADINGS = ['guest', 'switch', 'transl', 'emul', 'copies', 'sched', 'host', 'idle'] as const
export type Heading = (typeof HEADINGS)[number]

/** What each heading holds, for the legend. */
export const MEANING: Readonly<Record<Heading, string>> = {
  guest: "the guest's own instructions",
  switch: 'world switches: traps, registers saved and restored',
  transl: 'address translation: page walks of either stage',
  emul: 'emulation: the VMM, its drivers and firmware doing what the guest asked for',
  copies: 'copies of data',
  sched: 'scheduling, of vCPUs and of processes',
  host: 'the rest of the host kernel',
  idle: 'waiting with nothing to run',
}

/** The heading of a row: each row has exactly one. */
export function headingOf({ party, activity }: ResultRow): Heading {
  if (party === 'idle' || activity === 'waiting') return 'idle'
  if (activity === 'walk') return 'transl'
  if (activity === 'copy') return 'copies'
  if (party === 'guest') return 'guest'
  if (party === 'firmware') return 'emul'
  if (activity === 'world switch') return 'switch'
  if (activity === 'scheduling') return 'sched'
  return party === 'host kernel' ? 'host' : 'emul'
}

/** Cycles under each heading; they sum to the result's cycles. */
export function cyclesByHeading(result: Result): Readonly<Record<Heading, number>> {
  const sums = { guest: 0, switch: 0, transl: 0, emul: 0, copies: 0, sched: 0, host: 0, idle: 0 }
  for (const row of result.ledger) sums[headingOf(row)] += row.cycles
  return sums
}
