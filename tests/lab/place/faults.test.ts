import { describe, expect, test } from 'vitest'
import { blastOf, containmentOf } from '../../../lab/place/faults/blast.ts'
import { PLANS } from '../../../lab/place/faults/plans.ts'
import { faultTrials, judged } from '../../../lab/place/faults/trials.ts'
import type { Trial } from '../../../lab/place/faults/rig.ts'
import { sourceOf, substituted } from '../../../lab/planting/substitution.ts'
import { DEVICES } from '../../../lab/place/workloads.ts'

test.each(DEVICES)('each fault of the %s driver has its place in the driver, exactly once', device => {
  const { substitutions } = PLANS[device]
  for (const file of new Set(substitutions.map(one => one.file))) {
    const own = substitutions.filter(one => one.file === file)
    expect(substituted(sourceOf(file), own)).not.toBe(sourceOf(file))
  }
})

const trials = (placement: 'vmm' | 'passthrough-posted', runs: number) =>
  faultTrials({ placement, device: 'nvme', of: 'driver', until: 'all', runs, seed: 8 })

describe('the same faults', () => {
  test('of a driver in a guest reach that guest alone; done again they do the same', async () => {
    const found = await trials('passthrough-posted', 8)
    const { struck, radius, escapes, refused } = blastOf('passthrough-posted', found, 1000)
    expect(struck).toBe(8)
    expect(radius).toEqual(['driver', 'its user'])
    expect(escapes).toEqual([])
    expect(refused).toBeGreaterThan(0)
    const alone = {
      placement: 'passthrough-posted',
      device: 'nvme',
      of: 'driver',
      until: 'all',
      runs: 1,
      seed: 13,
    } as const
    expect(await faultTrials(alone)).toEqual([found[5]])
  })

  test.each(['passthrough-posted', 'function'] as const)(
    'of a network card’s driver stay there too: %s',
    async placement => {
      const found = await faultTrials({ placement, device: 'nic', of: 'driver', until: 'others', runs: 8, seed: 0 })
      expect(containmentOf(placement, found, 1000)).toMatchObject({ struck: 8, escapes: [] })
    },
  )

  test('of a server that is called again at once, for ever, leave other guests their turns', async () => {
    const storm = { placement: 'server', device: 'nvme', of: 'driver', until: 'others', runs: 1, seed: 2 } as const
    const [trial] = await faultTrials(storm)
    expect(trial).toMatchObject({ strike: { kind: 'interrupt storm' }, struck: true, recovered: false })
    expect(containmentOf('server', [trial], 1000).escapes).toEqual([])
  })

  test('of a driver in the VMM reach those who share it', async () => {
    expect(blastOf('vmm', await trials('vmm', 8), 1000).radius).toContain('other users')
  })
})

test('a trial is judged by what its witnesses came to without the fault', () => {
  const well = { ended: true, crashed: false, code: 0, good: 8, failed: 0, wrong: 0, longest: 100, memory: 7 }
  const reference: Trial = { struck: false, halted: undefined, witnesses: [well, well, well], refused: 0 }
  const strike = { kind: 'crash', at: 1, value: 0, data: 0, pause: 0 } as const
  const judge = (witnesses: Trial['witnesses'], halted?: string) =>
    judged(strike, { struck: true, halted, witnesses, refused: 2 }, reference, { placement: 'vmm', device: 'nvme' })
  expect(judge([well, well, well])).toMatchObject({ reached: [], recovered: true, refused: 2 })
  expect(judge([{ ...well, longest: 350 }, well, well])).toMatchObject({ reached: [], stalls: [250, 0, 0] })
  expect(judge([{ ...well, wrong: 1 }, well, well])).toMatchObject({ reached: ['its user'], lost: 1 })
  expect(judge([well, well, { ...well, code: 4 }]).reached).toEqual(['other guests'])
  expect(judge([well, { ...well, ended: false }, well]).reached).toEqual(['driver', 'other users'])
  expect(judge([well, well, { ...well, memory: 8 }]).reached).toEqual(['other guests'])
  expect(judge([well, well, well], 'has taken too long').reached).toEqual(['whole machine'])
})
