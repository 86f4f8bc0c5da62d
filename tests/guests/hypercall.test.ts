import { expect, test } from 'vitest'
import { CALLS, hypercall } from '../../guests/workloads/hypercall.ts'
import { measure } from '../../lab/study/measure.ts'

test('a null call costs more under a VMM than in firmware, and the ledger says where', async () => {
  const bare = await measure(hypercall, 'bare')
  const native = await measure(hypercall, 'native')
  expect(native.cycles).toBeGreaterThan(bare.cycles)
  const answered = native.ledger.filter(({ party, cause }) => party === 'vmm' && cause === 'ecall base')
  expect(answered.reduce((sum, { cycles }) => sum + cycles, 0)).toBeGreaterThan(CALLS)
  expect(bare.ledger.some(({ party }) => party === 'vmm')).toBe(false)
})
