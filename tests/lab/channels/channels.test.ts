/** Covert channels: each is there, or the measurement would prove nothing, and time protection closes it. */
import { describe, expect, test } from 'vitest'
import { CHANNELS } from '../../../guests/channels/index.ts'
import { randomWords } from '../../../hw/spec/random.ts'
import { informationOf } from '../../../lab/channels/information.ts'
import { measureChannel } from '../../../lab/channels/measure.ts'
import { channelPage } from '../../../lab/channels/report.ts'

const SYMBOLS = 64

describe.each(CHANNELS)('$resource', channel => {
  test('tells the spy of the Trojan while time is shared by need, and nothing once it is protected', async () => {
    const [open, closed] = [
      await measureChannel(channel, { symbols: SYMBOLS, seed: 3, protected: false }),
      await measureChannel(channel, { symbols: SYMBOLS, seed: 3, protected: true }),
    ]
    expect(open).toMatchObject({ constant: false, information: { visible: true } })
    expect(closed).toMatchObject({ constant: true, information: { visible: false } })
    const page = channelPage(
      { seed: 3, count: SYMBOLS, findings: [[open, closed]], costs: [] },
      'npx barehart channels',
    )
    expect(page).toContain(closed.traceHash)
    expect(page).not.toMatch(/undefined|NaN/)
  })
})

test('what is sent without noise is known, what is noise is not', () => {
  const random = randomWords(5)
  const symbols = Array.from({ length: 800 }, () => random() % 16)
  const clear = informationOf(symbols, symbols, 1)
  expect(clear.visible).toBe(true)
  expect(clear.millibits).toBeGreaterThan(2900)
  const noise = informationOf(
    symbols,
    symbols.map(() => random()),
    1,
  )
  expect(noise.visible).toBe(false)
})
