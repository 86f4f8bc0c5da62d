/**
 * Where the instructions of TypeScript software lie, as far as caches are concerned. They are in no memory, but the counting
 * (lab/counting) says how many were computed up to a port operation, and which in the software's text was the last. What
 * was computed is taken to end there without a gap: a function that was called on the way counts as the lines before.
 */
import { TEXT_BYTES } from '../../memory/line-tables.ts'
import type { LineCaches } from '../services.ts'

/** RV64GC: compressed code is 25 to 30 % shorter than four bytes an instruction (RISC-V unprivileged manual, chapter C). */
const INSTRUCTION_BYTES = 3
/** In instructions. What is longer has looped. */
const LONGEST = 256

/** Fetches `instructions` of text that end with number `last`. */
export function fetchText(caches: LineCaches, last: number, instructions: number): void {
  const length = Math.min(instructions, LONGEST, last)
  if (length > 0) caches.text(((last - length) * INSTRUCTION_BYTES) % TEXT_BYTES, length * INSTRUCTION_BYTES)
}
