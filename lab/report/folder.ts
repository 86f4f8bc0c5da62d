/** Where a report is written. */
import { mkdirSync } from 'node:fs'
import { UserError } from '../user-error.ts'

/** Makes the folder of `--report`; throws one line if there can be none. */
export function makeFolder(report: string): void {
  try {
    mkdirSync(report, { recursive: true })
  } catch (error) {
    throw new UserError(
      `--report ${report}: no folder can be made there (${(error as NodeJS.ErrnoException).code}); give another`,
    )
  }
}
