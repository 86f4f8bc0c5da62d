/** What the host's kernel keeps in RAM: heaps, packets, the forwarding table. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clearHeap, EMPTY, heapCount, heapPop, heapPush, heapRemove } from '../../../vmm/hosted/heap.ts'
import { TABLES } from '../../../vmm/hosted/layout.ts'
import { ForwardingTable, NO_PORT } from '../../../vmm/hosted/network/forwarding-table.ts'
import { MOST_PACKETS, NO_PACKET, packet, packetAt, Packets } from '../../../vmm/hosted/network/packets.ts'
import { ramPort } from './ram-port.ts'

test('a heap gives back the least first, whatever was put in and taken out', () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), key: fc.nat(50) }),
    fc.record({ kind: fc.constant('pop' as const) }),
    fc.record({ kind: fc.constant('remove' as const), value: fc.nat(40) }),
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), operations => {
      const { port } = ramPort()
      const heap = TABLES.sorting
      clearHeap(port, heap)
      const model = new Map<number, number>()
      let next = 0
      for (const step of operations) {
        if (step.kind === 'push') {
          heapPush(port, heap, step.key, next)
          model.set(next++, step.key)
        } else if (step.kind === 'remove') {
          heapRemove(port, heap, step.value)
          model.delete(step.value)
        } else {
          const value = heapPop(port, heap)
          if (value === EMPTY) expect(model.size).toBe(0)
          else {
            expect(model.get(value)).toBe(Math.min(...model.values()))
            model.delete(value)
          }
        }
        expect(heapCount(port, heap)).toBe(model.size)
      }
    }),
  )
})

test('packets: a buffer is free when the last who shares it is, and none is handed out twice', () => {
  const { port } = ramPort()
  const packets = new Packets()
  packets.create(port)
  const dataOf = (number: number) => port.load64(packetAt(number) + packet.data.at)
  const first = packets.take(port)
  const copy = packets.share(port, first)
  expect(dataOf(copy)).toBe(dataOf(first))
  packets.free(port, first)
  const others = Array.from({ length: MOST_PACKETS - 1 }, () => packets.take(port))
  expect(others).not.toContain(NO_PACKET)
  expect(new Set([...others, copy].map(dataOf)).size).toBe(MOST_PACKETS)
  expect(packets.take(port)).toBe(NO_PACKET)
  packets.free(port, copy)
  expect(packets.take(port)).not.toBe(NO_PACKET)
})

test('the forwarding table learns who is outside, forgets it in time, and believes nobody about those that are fixed', () => {
  const ram = ramPort()
  const { port } = ram
  const table = new ForwardingTable()
  table.create(port)
  table.fix(port, 0x1234, 1, 5)
  ram.time = 1
  expect(table.learn(port, 0x1234, 1, 0)).toBe(false)
  expect(table.learn(port, 0x9999, 1, 0)).toBe(true)
  expect([table.portOf(port, 0x1234, 1), table.portOf(port, 0x9999, 1), table.portOf(port, 0x9999, 2)]).toEqual([
    5,
    0,
    NO_PORT,
  ])
  // A flood of others fills the table, and takes nobody's place.
  for (let station = 0; station < 1000; station++) table.learn(port, station * 64, 7, 0)
  expect(table.portOf(port, 0x1234, 1)).toBe(5)
  ram.time = 301 * 10_000_000
  table.age(port)
  expect([table.portOf(port, 0x1234, 1), table.portOf(port, 0x9999, 1)]).toEqual([5, NO_PORT])
  expect(table.learn(port, 0x8888, 1, 0)).toBe(true)
  expect(table.portOf(port, 0x8888, 1)).toBe(0)
})
