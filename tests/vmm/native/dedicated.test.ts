import { describe, expect, it } from 'vitest'
import { bootargsFor, numberOf } from '../../../guests/micro/index.ts'
import { runMicroGuests } from '../../../lab/study/micro-machine.ts'

describe('A vCPU that has a hart to itself', () => {
  it('goes on at once when it has interrupted another: nobody is scheduled on its hart', async () => {
    const guest = { label: 'micro', bootargs: bootargsFor(['virtual-ipi']), vcpus: 2 }
    const { spans } = await runMicroGuests('native', [guest], {})
    const ledger = spans.find(({ number }) => number === numberOf('virtual-ipi'))?.ledger ?? []
    const spent = (hart: number, cause: string) =>
      ledger.filter(row => row.hart === hart && row.cause === cause).reduce((sum, { cycles }) => sum + cycles, 0)
    expect(spent(0, 'ecall send_ipi')).toBeGreaterThan(0)
    expect(spent(0, 'scheduling')).toBe(0)
    expect(spent(1, 'scheduling')).toBeGreaterThan(0)
  })
})
