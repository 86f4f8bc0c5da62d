/** Which folders are counted, each group as one program; and what they may import besides. */
import { COUNTED_FOLDERS } from './weights.ts'

export const COUNTED_GROUPS: readonly (readonly string[])[] = [COUNTED_FOLDERS, ['tests/counting/twins/'], ['tests/hw/port/software/']]
export const IMPORTED_FOLDERS: readonly string[] = ['hw/spec/', 'hw/port.ts', ...COUNTED_FOLDERS]
