/** A Trojan and a spy on one hart: what was sent, and what was seen. */
import { setImmediate } from 'node:timers/promises'
import { type Channel, NOTES, SYMBOLS } from '../../guests/channels/index.ts'
import type { TimeProtection } from '../../hw/spec/layouts/time-protection.ts'
import { randomWords } from '../../hw/spec/random.ts'
import { type Information, informationOf } from './information.ts'
import { sharedHart, noted } from './shared-hart.ts'

export interface ChannelFinding {
  readonly resource: string
  readonly does: string
  readonly unit: string
  readonly protected: boolean
  readonly symbols: readonly number[]
  readonly observations: readonly number[]
  readonly information: Information
  /** The spy saw the same as when nothing was sent. */
  readonly constant: boolean
  readonly traceHash: string
}

/** Microseconds: longer than switching and clearing ever takes. */
export const PAD = 100
/** Epochs that are not counted: caches and pages are filled for the first time. */
export const SETTLING = 4
const TICKS_PER_MICROSECOND = 10
const CYCLES_PER_TICK = 100
const TURN = 20_000_000
const SPARE_CYCLES = 1_000_000_000

/** The slots that protect a channel's guests. */
export function protectionFor({ epoch, slots }: Channel): TimeProtection {
  return { slot: epoch / slots / TICKS_PER_MICROSECOND, pad: PAD }
}

export interface ChannelOptions {
  /** How many are sent. */
  readonly symbols: number
  /** Decides which. */
  readonly seed: number
  readonly protected: boolean
}

/** Sends random symbols. Throws one line if the spy does not see as many. */
export async function measureChannel(channel: Channel, options: ChannelOptions): Promise<ChannelFinding> {
  const random = randomWords(options.seed)
  const symbols = Array.from({ length: options.symbols + SETTLING }, () => random() % SYMBOLS)
  const { observations, traceHash } = await send(channel, symbols, options.protected)
  const [sent, seen] = [symbols.slice(SETTLING), observations.slice(SETTLING)]
  const information = informationOf(sent, seen, options.seed)
  return {
    resource: channel.resource,
    does: channel.does,
    unit: channel.unit,
    protected: options.protected,
    symbols: sent,
    observations: seen,
    information,
    constant: !information.visible && (await isConstant(channel, observations, options.protected)),
    traceHash,
  }
}

/** Whether the spy sees just the same if nothing is sent, symbol 0 all the time: then there is nothing to be known. */
async function isConstant(channel: Channel, seen: readonly number[], isProtected: boolean): Promise<boolean> {
  const { observations } = await send(
    channel,
    seen.map(() => 0),
    isProtected,
  )
  return observations.every((value, index) => value === seen[index])
}

/** Runs both until the spy has seen all symbols. */
async function send(channel: Channel, symbols: readonly number[], isProtected: boolean) {
  const system = sharedHart(
    [
      { label: 'trojan', ...channel.trojan(symbols) },
      { label: 'spy', ...channel.spy(symbols.length) },
    ],
    { disk: channel.disk, ...(isProtected && { timeProtection: protectionFor(channel) }) },
  )
  const { machine } = system
  const [, spy] = system.guests
  const last = symbols.length * channel.epoch * CYCLES_PER_TICK + SPARE_CYCLES
  while (!spy.record.ended) {
    const stop = machine.run({ untilCycle: machine.now() + TURN, until: () => spy.record.ended })
    if (machine.now() > last || stop.kind === 'stopped' || stop.kind === 'idle')
      throw new Error(`${channel.resource}: the spy has not come to its end by cycle ${machine.now()} (${stop.kind})`)
    await setImmediate()
  }
  if (spy.record.crashed || spy.record.exitCode !== 0)
    throw new Error(`${channel.resource}: the spy failed with code ${spy.record.exitCode}`)
  return {
    observations: symbols.map((_, index) => noted(system, spy, NOTES + index * 8)),
    traceHash: machine.traceHash(),
  }
}
