import { expect, test } from 'vitest'
import { resourcesLost } from '../../../lab/calibrate/resources-lost.ts'

const MIB = 2 ** 20

test('what the host takes at rest: memory by what for, cycles by who and why', () => {
  const { ramBytes, memory, bytes, cyclesPerSecond, rows } = resourcesLost({ ramBytes: 128 * MIB, seconds: 5 })
  expect(memory.reduce((sum, part) => sum + part.bytes, 0)).toBe(bytes)
  expect(bytes).toBeLessThan(ramBytes / 2)
  expect(rows.reduce((sum, row) => sum + row.cyclesPerSecond, 0)).toBeCloseTo(cyclesPerSecond)
  // It sleeps nearly always, and does not always sleep: the flusher looks every five seconds.
  expect(cyclesPerSecond).toBeLessThan(1e9 / 1000)
  expect(rows.every(({ party }) => party !== 'guest' && party !== 'idle')).toBe(true)
  expect(rows.some(({ party }) => party === 'host kernel')).toBe(true)
})
