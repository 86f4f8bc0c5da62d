/** Which folders are counted, each group as one program; and what they may import besides. */
import { COUNTED_FOLDERS } from './weights.ts'

export interface Group {
  readonly folders: readonly string[]
  /** Exported functions that nobody in the group calls run on a hart. Otherwise they are for whoever sets software up. */
  readonly exportsRun: boolean
}

export const SOFTWARE: Group = { folders: COUNTED_FOLDERS, exportsRun: false }
export const GROUPS: readonly Group[] = [
  SOFTWARE,
  { folders: ['tests/counting/twins/'], exportsRun: true },
  { folders: ['tests/hw/port/software/'], exportsRun: false },
]
export const IMPORTED_FOLDERS: readonly string[] = ['hw/spec/', 'hw/port.ts', ...COUNTED_FOLDERS]
