import { describe, expect, test } from 'vitest'
import { WORKLOADS } from '../../guests/index.ts'
import { measure } from '../../lab/study/measure.ts'
import { CONFIGURATIONS } from '../../lab/system.ts'

describe.each(WORKLOADS)('$name', workload => {
  test.each(CONFIGURATIONS)(
    '%s: reaches its end, every cycle is in the ledger, and a second run is the same',
    async configuration => {
      const result = await measure(workload, configuration)
      expect(result.instructions).toBeGreaterThan(0)
      expect(result.ledger.reduce((sum, { cycles }) => sum + cycles, 0)).toBe(result.cycles)
      expect(result.ledger.some(({ party }) => party === 'guest')).toBe(true)
      expect(await measure(workload, configuration)).toEqual(result)
    },
  )
})
