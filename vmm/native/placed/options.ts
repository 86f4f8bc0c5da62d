/** Which options of a placement a driver's place has; others are refused, where they are not as by default. Set-up. */
import { DEFAULT_PLACEMENT, type DriverPlacement } from '../../../hw/spec/layouts/placement.ts'

type Option = 'service' | 'coalescing' | 'depth' | 'queues' | 'hart' | 'transfer'
const OPTIONS: readonly Option[] = ['service', 'coalescing', 'depth', 'queues', 'hart', 'transfer']

/** Throws one line, naming what is there instead. */
export function checkOptions(device: string, placement: DriverPlacement, known: readonly Option[]): void {
  for (const option of OPTIONS) {
    if (known.includes(option) || placement[option] === DEFAULT_PLACEMENT[option]) continue
    throw new Error(
      `the ${device}'s driver at "${placement.at}" has no ${option} ${JSON.stringify(placement[option])}: leave it out; it has ${known.join(', ')}`,
    )
  }
}
