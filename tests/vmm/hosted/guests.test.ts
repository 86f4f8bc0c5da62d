import { expect, test } from 'vitest'
import { hosted } from './machine.ts'

test('a process and its guest are preempted by the tick: two busy guests share a hart by weight', () => {
  const count = `
    li t0, 0x80600000
1:  ld t1, 0(t0)
    addi t1, t1, 1
    sd t1, 0(t0)
    j 1b`
  const run = hosted([
    { kernel: count, weight: 100 },
    { kernel: count, weight: 300 },
  ])
  run.run(300_000_000)
  const [light, heavy] = run.guests.map(({ ram }) => {
    const { memory } = run.machine
    return Number(memory.view.getBigUint64(memory.toHost(ram.pages[3] + 0), true))
  })
  expect(heavy / light).toBeGreaterThan(2.5)
  expect(heavy / light).toBeLessThan(3.5)
})
