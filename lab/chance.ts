/** What is chance on a real machine, and a seed's here: where pages and images lie, when the clock ticks, which hart goes first. */
import { randomWords, shuffled } from '../hw/spec/random.ts'

export interface Chance {
  /** Cycles by which mtime is ahead at power-on. */
  readonly timePhase: number
  /** The order in which harts take turns. */
  readonly turns: readonly number[]
  /** Of hw/spec/layouts/page-order.ts. */
  readonly pageOrder: number
  /** Where images lie: anywhere in the room there is, from 0 to below 1. */
  readonly images: number
}

/** 100 ms at 1 GHz: a whole number of periods of every tick and slice that a scheduler here has. */
const PHASES = 100_000_000

/** Seed 0 is the machine without chance: everything in order, at time zero. */
export function chanceOf(seed: number, harts: number): Chance {
  const numbers = Array.from({ length: harts }, (_, hart) => hart)
  if (seed === 0) return { timePhase: 0, turns: numbers, pageOrder: 0, images: 0 }
  const random = randomWords(seed)
  return {
    timePhase: random() % PHASES,
    pageOrder: random(),
    images: random() / 2 ** 32,
    turns: shuffled(numbers, random),
  }
}
