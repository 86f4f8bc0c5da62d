/** The host's fair queues, and how readers of what may change are waited for. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TABLES } from '../../../vmm/hosted/layout.ts'
import { ANY, IoBuses, KERNEL_CHIP, NOBODY } from '../../../vmm/hosted/hypervisor/io-buses.ts'
import { entity, queue, threadEntity } from '../../../vmm/hosted/scheduling/entity.ts'
import { FairQueues } from '../../../vmm/hosted/scheduling/fair-queue.ts'
import { CALLS } from '../../../vmm/hosted/hypervisor/statistics.ts'
import { END } from '../assembly.ts'
import { hosted } from './machine.ts'
import { ramPort } from './ram-port.ts'

const SLICE = 700_000
const QUEUE = TABLES.groups
const THREADS = 12

test('of those who have had no more than the average, the one with the earliest deadline is picked', () => {
  const operation = fc.record({
    thread: fc.nat(THREADS - 1),
    kind: fc.constantFrom('come or go', 'run', 'weigh'),
    time: fc.nat(2_000_000),
    weight: fc.integer({ min: 16, max: 4096 }),
  })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), operations => {
      const { port } = ramPort()
      const fair = new FairQueues(SLICE)
      port.store64(QUEUE + queue.zero.at, 2 ** 42)
      for (let index = 0; index < THREADS; index++) {
        port.store32(threadEntity(index) + entity.weight.at, 256)
        port.store32(threadEntity(index) + entity.order.at, (index * 2654435761) % 2 ** 32)
      }
      const there = new Set<number>()
      for (const { thread, kind, time, weight } of operations) {
        const node = threadEntity(thread)
        const current = port.load64(QUEUE + queue.current.at)
        if (kind === 'come or go' && !there.delete(node)) {
          there.add(node)
          fair.enter(port, QUEUE, node)
        } else if (kind === 'come or go') fair.leave(port, QUEUE, node)
        else if (kind === 'weigh' && there.has(node)) fair.weigh(port, QUEUE, node, weight)
        else if (kind === 'run') {
          if (current !== 0) {
            fair.charge(port, QUEUE, time)
            port.store64(QUEUE + queue.current.at, 0)
            fair.wait(port, QUEUE, current)
          }
          const next = fair.pick(port, QUEUE)
          if (next === 0) continue
          fair.take(port, QUEUE, next)
          port.store64(QUEUE + queue.current.at, next)
        }
        const all = [...there].map(at => ({
          at,
          runtime: port.load64(at + entity.runtime.at),
          deadline: port.load64(at + entity.deadline.at),
          weight: port.load32(at + entity.weight.at),
        }))
        const weights = all.reduce((sum, each) => sum + each.weight, 0)
        const zero = port.load64(QUEUE + queue.zero.at)
        const mean = all.reduce((sum, each) => sum + (each.runtime - zero) * each.weight, 0)
        const eligible = all.filter(({ runtime }) => (runtime - zero) * weights <= mean)
        const picked = fair.pick(port, QUEUE)
        if (eligible.length === 0) continue
        expect(port.load64(picked + entity.deadline.at)).toBe(Math.min(...eligible.map(({ deadline }) => deadline)))
      }
    }),
  )
})

test('a doorbell is found by register and value, a chip by its window, and a change is complete when old readers have left', () => {
  const { port } = ramPort()
  const buses = new IoBuses(2, 2)
  buses.create(port)
  buses.add(port, 1, 0x1000, 4, 1, 3)
  const reader = buses.enter(port, 1)
  const phase = buses.add(port, 1, 0x1000, 4, 0, 2)
  expect(buses.isComplete(port, 1, phase)).toBe(false)
  const later = buses.enter(port, 1)
  buses.leave(port, 1, reader)
  expect(buses.isComplete(port, 1, phase)).toBe(true)
  buses.leave(port, 1, later)
  const chip = buses.add(port, 1, 0x8000, 0x100, ANY, KERNEL_CHIP)
  expect(buses.isComplete(port, 1, chip)).toBe(true)
  expect(buses.find(port, 1, 0x1000, true, 0)).toBe(2)
  expect(buses.find(port, 1, 0x1000, true, 1)).toBe(3)
  expect(buses.find(port, 1, 0x1000, true, 7)).toBe(NOBODY)
  expect(buses.find(port, 1, 0x1000, false, 0)).toBe(NOBODY)
  expect(buses.find(port, 1, 0x80fc, false, 0)).toBe(KERNEL_CHIP)
  expect(buses.find(port, 1, 0x8100, true, 0)).toBe(NOBODY)
  expect(buses.find(port, 0, 0x1000, true, 0)).toBe(NOBODY)
})

test('exits of a vCPU are counted by what they were for', () => {
  const calls = 20
  const run = hosted([
    {
      kernel: `
    li s0, ${calls}
1:  li a7, 0x10
    li a6, 0
    ecall
    addi s0, s0, -1
    bnez s0, 1b
    ${END}`,
    },
  ])
  run.run(100_000_000)
  const counted = new DataView(run.machine.memory.read(TABLES.vcpus, 64).slice().buffer).getUint32(CALLS * 4, true)
  expect(counted).toBeGreaterThanOrEqual(calls)
  expect(counted).toBeLessThan(calls + 3)
})
