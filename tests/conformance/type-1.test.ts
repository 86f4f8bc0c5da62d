import { describe, expect, it } from 'vitest'
import { calibrateType1 } from '../../lab/calibrate/type-1.ts'

const folder = process.env['BAREHART_TYPE_1']
const NAMES = ['null-hypercall', 'irqchip-access', 'external-interrupt', 'syscall']
const TICK = 100

describe.skipIf(!folder)(`Real type 1${folder ? '' : ' (BAREHART_TYPE_1 names no folder of images)'}`, () => {
  it('runs our guest on our machine, whose marks agree with the clock that the guest sees', {
    timeout: 300_000,
  }, async () => {
    const found = await calibrateType1(folder ?? '', undefined, NAMES)
    expect(found.length).toBeGreaterThan(0)
    for (const { project, results, absent } of found) {
      expect({ project, absent, names: results.map(({ name }) => name) }).toEqual({ project, absent: [], names: NAMES })
      // A span begins and ends within a tick, and there is at most one an operation.
      for (const { value, byClock = NaN } of results) expect(Math.abs(value - byClock)).toBeLessThan(TICK)
    }
  })
})
