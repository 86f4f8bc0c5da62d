/** Every channel that is measured. */
import type { Channel } from './channel.ts'
import { diskChannel } from './disk.ts'
import { cacheChannel, schedulerChannel, tlbChannel } from './hart.ts'

export const CHANNELS: readonly Channel[] = [cacheChannel, tlbChannel, schedulerChannel, diskChannel]
export { workerGuest } from './worker.ts'
export { type Channel, NOTES, SYMBOLS } from './channel.ts'
