/** A VMM process prepares its threads before it lets the guest go. */
import { expect, test } from 'vitest'
import { workloadOf } from '../../../lab/study/names.ts'
import { measure } from '../../../lab/study/measure.ts'

test('a guest that only computes has its hart to itself but for ticks: nobody of its process begins meanwhile', async () => {
  const { ledger } = await measure(workloadOf('memory'), 'hosted')
  const others = ledger.filter(({ party }) => party !== 'guest' && party !== 'idle')
  expect(new Set(others.map(({ party }) => party))).toEqual(new Set(['host kernel']))
  expect(new Set(others.map(({ cause }) => cause))).toEqual(
    new Set(['timer interrupt', 'supervisor timer interrupt', 'run guest']),
  )
})
