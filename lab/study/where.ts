/** The headings under which people look for cycles, and which ledger row belongs where. */
import type { Result, ResultRow } from './measure.ts'

export const HEADINGS = [
  'guest',
  'world switch',
  'translation',
  'emulation',
  'copies',
  'scheduling',
  'host kernel',
  'idle',
] as const
export type Heading = (typeof HEADINGS)[number]

/** For narrow terminals. */
export const SHORT: Readonly<Record<Heading, string>> = {
  guest: 'guest',
  'world switch': 'switch',
  translation: 'walks',
  emulation: 'emul',
  copies: 'copies',
  scheduling: 'sched',
  'host kernel': 'host',
  idle: 'idle',
}

/** What each heading holds, for the legend. */
export const MEANING: Readonly<Record<Heading, string>> = {
  guest: "the guest's own instructions",
  'world switch': 'traps, registers saved and restored',
  translation: 'page walks of either stage',
  emulation: 'VMM, drivers and firmware doing what the guest asked for',
  copies: 'copies of data',
  scheduling: 'choosing among vCPUs and among processes',
  'host kernel': 'system calls, drivers and all else in it',
  idle: 'waiting with nothing to run',
}

/** The heading of a row: each row has exactly one. */
export function headingOf({ party, activity }: ResultRow): Heading {
  if (party === 'idle' || activity === 'waiting') return 'idle'
  if (activity === 'walk') return 'translation'
  if (activity === 'copy') return 'copies'
  if (party === 'guest') return 'guest'
  if (party === 'firmware') return 'emulation'
  if (activity === 'world switch') return 'world switch'
  if (activity === 'scheduling') return 'scheduling'
  return party === 'host kernel' && activity !== 'emulation' ? 'host kernel' : 'emulation'
}

/** Cycles under each heading; they sum to the result's cycles. */
export function cyclesByHeading(result: Result): Readonly<Record<Heading, number>> {
  const sums = Object.fromEntries(HEADINGS.map(heading => [heading, 0])) as Record<Heading, number>
  for (const row of result.ledger) sums[headingOf(row)] += row.cycles
  return sums
}
