/** The bug library. */
import type { Bug } from './bug.ts'
import { EMULATION } from './emulation.ts'
import { FENCES } from './fences.ts'
import { GRANTED } from './grants.ts'
import { HOSTED } from './hosted.ts'
import { INTERRUPTS } from './interrupts.ts'
import { LIFE_CYCLE } from './life-cycle.ts'
import { PARTITIONS } from './partitions.ts'
import { PASSTHROUGH } from './passthrough.ts'
import { REGISTERS } from './registers.ts'
import { SCHEDULING } from './scheduler.ts'
import { SERVED } from './servers.ts'
import { STAGE_2 } from './stage-2.ts'
import { VIRTIO } from './virtio.ts'

export { type Area, AREAS, type Bug } from './bug.ts'

export const BUGS: readonly Bug[] = [
  ...STAGE_2,
  ...FENCES,
  ...REGISTERS,
  ...VIRTIO,
  ...EMULATION,
  ...INTERRUPTS,
  ...PARTITIONS,
  ...PASSTHROUGH,
  ...GRANTED,
  ...SERVED,
  ...SCHEDULING,
  ...LIFE_CYCLE,
  ...HOSTED,
]

/** The bug of a name. Throws one line if there is none. */
export function bugOf(name: string): Bug {
  const bug = BUGS.find(known => known.name === name)
  if (!bug) throw new Error(`no bug is called "${name}": isolate --list names all`)
  return bug
}
