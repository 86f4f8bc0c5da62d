/** What witnesses of a fault say of each of their requests, by marks: when it began, and what came of it. */
import { requestMark } from '../workload.ts'

/** How a request may end: with the right data, not at all, or with wrong data. */
export const OUTCOMES = ['good', 'failed', 'wrong'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** The number of the mark that ends a request of this guest so. Good ones begin with the same. */
export function outcomeMark(guest: number, outcome: Outcome): number {
  return requestMark(guest, OUTCOMES.indexOf(outcome))
}
