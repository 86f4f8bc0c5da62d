/**
 * Sections of readers that may sleep, in the manner of SRCU: each hart counts those that have begun and ended on it, in one of
 * two phases; who has published something new turns the phase, and waits until all that had begun in the old one have ended.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'

/** A domain of readers, 0x220 bytes: its phase; for each hart, and each phase, sections begun and ended. Harts write lines of their own. */
const domain = layout(0x220, 'our own', {
  phase: { at: 0x00, bytes: 4 },
  counts: { at: 0x20, bytes: 16 },
})
const HART = 16
const OF_PHASE = 8
const ENDED = 4

/** A section begins; returns the phase, which `endReading` wants. */
export function beginReading(port: HartPort, at: number): number {
  const phase = port.load32(at + domain.phase.at) & 1
  port.add32(at + domain.counts.at + port.hart * HART + phase * OF_PHASE, 1)
  // What is read within is read after that is seen.
  port.fence()
  return phase
}

/** It ends, perhaps on another hart. */
export function endReading(port: HartPort, at: number, phase: number): void {
  port.fence()
  port.add32(at + domain.counts.at + port.hart * HART + phase * OF_PHASE + ENDED, 1)
}

/** New sections are of the other phase; returns the old one, to be waited for. */
export function turnPhase(port: HartPort, at: number): number {
  port.fence()
  return port.add32(at + domain.phase.at, 1) & 1
}

/** True if all sections of a phase have ended. */
export function haveEnded(port: HartPort, at: number, phase: number, harts: number): boolean {
  let ended = 0
  for (let hart = 0; hart < harts; hart++)
    ended += port.load32(at + domain.counts.at + hart * HART + phase * OF_PHASE + ENDED)
  // Ends are counted first: a section that ends between is seen to have begun.
  port.fence()
  let begun = 0
  for (let hart = 0; hart < harts; hart++) begun += port.load32(at + domain.counts.at + hart * HART + phase * OF_PHASE)
  return begun === ended
}
