/** Every channel, without protection and with it, and what protection costs. */
import { CHANNELS } from '../../guests/channels/index.ts'
import type { Watcher } from '../study/measure-all.ts'
import { type ProtectionCost, protectionCosts } from './cost.ts'
import { type ChannelFinding, measureChannel, PAD } from './measure.ts'

export interface ChannelStudy {
  readonly seed: number
  /** Symbols of each. */
  readonly count: number
  /** Of each channel two: without protection, and with. */
  readonly findings: readonly (readonly [open: ChannelFinding, closed: ChannelFinding])[]
  readonly costs: readonly ProtectionCost[]
}

/** Microseconds. */
const SLOTS = [400, 2000, 5000]

/** Two measurements a channel, and one of the costs. */
export const MEASUREMENTS = CHANNELS.length * 2 + 1

export async function channelStudy(count: number, seed: number, watcher: Watcher): Promise<ChannelStudy> {
  const findings: [ChannelFinding, ChannelFinding][] = []
  for (const channel of CHANNELS) {
    const one = async (isProtected: boolean) => {
      const name = `${channel.resource}, ${isProtected ? 'protected' : 'shared by need'}`
      watcher.begin(name)
      const finding = await measureChannel(channel, { symbols: count, seed, protected: isProtected })
      watcher.finish(name)
      return finding
    }
    findings.push([await one(false), await one(true)])
  }
  watcher.begin('what protection costs')
  const costs = protectionCosts(SLOTS.map(slot => ({ slot, pad: PAD })))
  watcher.finish('what protection costs')
  return { seed, count, findings, costs }
}
