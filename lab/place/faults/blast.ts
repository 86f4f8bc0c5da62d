/** Who is reached by a fault: what the fault study says of a placement. */
import type { PlacementName } from '../placements.ts'

/** Who is there when a fault strikes, from the driver outwards. */
export const BYSTANDERS = ['driver', 'its user', 'other users', 'other guests', 'whole machine'] as const
export type Bystander = (typeof BYSTANDERS)[number]

export interface Blast {
  readonly placement: PlacementName
  /** Who has died, or has seen wrong data, of a fault of the driver. */
  readonly radius: readonly Bystander[]
}
