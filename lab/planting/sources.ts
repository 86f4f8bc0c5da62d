/** Whether there is something to plant in: the package as it is installed has no sources. */
import { UserError } from '../user-error.ts'

export const HAS_SOURCES: boolean = import.meta.url.endsWith('.ts')

/** Throws UserError where there are none. */
export function needSources(option: string): void {
  if (HAS_SOURCES) return
  throw new UserError(
    `${option}: bugs and faults are planted in the sources, and an installed package has none; run it in a checkout`,
  )
}
