/** Makes a program on which two machines differ as short as it stays different. */
import type { Program } from './program.ts'

/** Which of the programs the two machines disagree on. */
export type Differ = (programs: readonly Program[]) => boolean[]

/** Tries all single removals at once, keeps the first that still differs, and goes on from there. */
export function shrink(program: Program, differ: Differ): Program {
  let current = program
  for (let round = 0; round < 200; round++) {
    const candidates = removals(current)
    if (candidates.length === 0) return current
    const still = differ(candidates).indexOf(true)
    const next = candidates[still]
    if (!next) return current
    current = next
  }
  return current
}

/** The program without a run of slots' contents, without one slot's, or without one instruction; the boldest first. */
function removals(program: Program): Program[] {
  const { slots } = program
  const body = slots.length - 1
  const filled = slots.slice(0, body).filter(words => words.length > 0).length
  const results: Program[] = []
  const emptied = (from: number, to: number): void => {
    if (!slots.slice(from, to).some(words => words.length > 0)) return
    results.push({ ...program, slots: slots.map((words, slot) => (slot >= from && slot < to ? [] : words)) })
  }
  if (filled > 2) {
    const half = body >> 1
    emptied(0, half)
    emptied(half, body)
  }
  for (let slot = 0; slot < body; slot++) emptied(slot, slot + 1)
  slots.slice(0, body).forEach((words, slot) =>
    words.forEach((word, position) => {
      // Jumps have fixed targets: what is removed leaves room of the same size.
      const hole = (word & 3) === 3 ? [1, 1] : [1]
      if (word === 1) return
      const shorter = [...words.slice(0, position), ...hole, ...words.slice(position + 1)]
      const empty = shorter.every(rest => rest === 1)
      results.push({
        ...program,
        slots: slots.map((other, index) => (index === slot ? (empty ? [] : shorter) : other)),
      })
    }),
  )
  return results
}
