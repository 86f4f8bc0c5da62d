/** What the host's kernel keeps of what is on its way to a device: records, tags, turns at the card, sockets' shares, memory that it reaches. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createTags,
  DISK_DEPTH,
  giveTag,
  hasTags,
  NO_TAG,
  requestOfTag,
  takeTag,
} from '../../../vmm/hosted/files/tags.ts'
import { DEVICE_MEMORY, KERNEL_BASE, TABLES } from '../../../vmm/hosted/layout.ts'
import { DeviceMemory, DISK_DEVICE, NOT_MAPPED } from '../../../vmm/hosted/memory/device-memory.ts'
import { BUFFER_CACHE, NO_RECORD, SlabCache } from '../../../vmm/hosted/memory/slab-cache.ts'
import { FairQueue } from '../../../vmm/hosted/network/fair-queue.ts'
import { NO_PACKET, packet, packetAt, Packets } from '../../../vmm/hosted/network/packets.ts'
import { createOpenFiles, openNew, UDP_SOCKET, useOpen } from '../../../vmm/hosted/objects/open-files.ts'
import { ramPort } from './ram-port.ts'

const RECORDS = 100

test('records: none is handed out twice, whichever harts take and give them, and none is lost', () => {
  const step = fc.record({ hart: fc.nat(3), takes: fc.boolean(), which: fc.nat(200) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), steps => {
      const { port } = ramPort()
      const cache = new SlabCache(BUFFER_CACHE, TABLES.sorting, 16, RECORDS)
      cache.create(port)
      const taken: number[] = []
      for (const { hart, takes, which } of steps) {
        const own = { ...port, hart }
        if (takes) {
          const number = cache.take(own)
          expect(taken).not.toContain(number)
          if (number !== NO_RECORD) taken.push(number)
        } else if (taken.length > 0) cache.give(own, taken.splice(which % taken.length, 1)[0])
      }
      expect(cache.unused(port, 4)).toBe(RECORDS - taken.length)
    }),
  )
})

test("tags: as many as there are, each one request's at a time", () => {
  const { port } = ramPort()
  createTags(port)
  const tags = Array.from({ length: DISK_DEPTH }, (_, request) => takeTag(port, request))
  expect(new Set(tags).size).toBe(DISK_DEPTH)
  expect([hasTags(port), takeTag(port, 99)]).toEqual([false, NO_TAG])
  expect(tags.map(tag => requestOfTag(port, tag))).toEqual(tags.map((_, request) => request))
  giveTag(port, tags[31])
  expect([takeTag(port, 99), requestOfTag(port, tags[31])]).toEqual([tags[31], 99])
})

test('who floods the card waits behind itself, and loses its own packets', () => {
  const { port } = ramPort()
  const packets = new Packets()
  packets.create(port)
  const queue = new FairQueue()
  const send = (sender: number, bytes: number) => {
    const number = packets.take(port)
    port.store32(packetAt(number) + packet.port.at, sender)
    port.store32(packetAt(number) + packet.length.at, bytes)
    return { number, lost: queue.add(port, number) }
  }
  for (let count = 0; count < 60; count++) expect(send(2, 1500).lost).toBe(NO_PACKET)
  const { number, lost } = send(3, 60)
  expect(port.load32(packetAt(lost) + packet.port.at)).toBe(2)
  const order = Array.from({ length: 60 }, () => queue.take(port))
  expect(order.indexOf(number)).toBeLessThan(3)
  expect(order).not.toContain(NO_PACKET)
  expect(queue.take(port)).toBe(NO_PACKET)
})

test("a socket has so much under way and no more; its thread is woken when half of it has gone; a closed one's number comes back then", () => {
  const { port } = ramPort()
  createOpenFiles(port)
  const { sockets } = new Packets()
  sockets.create(port)
  const woken: number[] = []
  sockets.attach((_port, threads) => woken.push(threads))
  const number = sockets.find(port)
  const file = openNew(port, UDP_SOCKET, number, 0, 0)
  sockets.open(port, number, file)
  expect(sockets.find(port)).not.toBe(number)
  let sent = 0
  while (sockets.charge(port, number, 2112, 3)) sent++
  expect(sent).toBe(Math.floor(212_992 / 2112))
  for (let gone = 0; gone * 2 < sent - 2; gone++) sockets.uncharge(port, number + 1, 2112)
  expect(woken).toEqual([])
  sockets.uncharge(port, number + 1, 2112)
  expect(woken).toEqual([1 << 3])
  useOpen(port, file, -1)
  expect(sockets.find(port)).not.toBe(number)
  while (sockets.find(port) !== number && sent-- > 0) sockets.uncharge(port, number + 1, 2112)
  expect(sockets.find(port)).toBe(number)
})

test("a device gets no memory of the kernel's own and none that is not there; what it has is counted", () => {
  const { port } = ramPort()
  const end = 0x9000_0000
  const memory = new DeviceMemory(end)
  memory.create(port)
  const map = (address: number, bytes: number) => memory.map(port, DISK_DEVICE, address, bytes)
  expect([map(KERNEL_BASE, 512), map(DEVICE_MEMORY - 8, 16), map(end - 512, 1024)]).toEqual(Array(3).fill(NOT_MAPPED))
  expect([map(DEVICE_MEMORY, 512), map(end - 512, 512)]).toEqual([DEVICE_MEMORY, end - 512])
  memory.unmap(port, DISK_DEVICE, 512)
  expect(memory.mapped(port, DISK_DEVICE)).toBe(512)
})
