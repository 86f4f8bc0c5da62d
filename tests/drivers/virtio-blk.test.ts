import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { virtioBlk } from '../../drivers/virtio-blk.ts'
import { VIRTIO_F, VIRTIO_ID, virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import { VIRTIO_BLK_F } from '../../hw/spec/layouts/virtio-blk.ts'
import { BenchMemory, BenchTime } from '../hw/devices/bench.ts'
import { blockOwner } from './block-owner.ts'
import { FakeEnvironment } from './fake-environment.ts'
import { serveDisk, VirtioModel } from './virtio-model.ts'

const SECTORS = 1024
const DEPTH = 8
const FLUSH = 1 << VIRTIO_BLK_F.FLUSH
const EVENT_IDX = 1 << VIRTIO_F.EVENT_IDX

interface Options {
  readonly features?: number
  readonly polled?: boolean
  readonly most?: number
  readonly id?: number
  readonly abandons?: () => boolean
  readonly fails?: ReadonlySet<number>
}

function bench({ features = FLUSH, polled = false, most = 256, id = VIRTIO_ID.block, abandons, fails }: Options = {}) {
  const time = new BenchTime()
  const memory = new BenchMemory()
  const disk = new Uint8Array(SECTORS * 512)
  const config = new Uint8Array(64)
  new DataView(config.buffer).setUint32(0, SECTORS, true)
  const served: number[] = []
  const serve = serveDisk(memory, disk, fails)
  const model = new VirtioModel(
    {
      id,
      features,
      queues: 1,
      config,
      most,
      serve(queue, chain) {
        served.push(memory.view.getUint32(chain.segments[0].address, true))
        return serve(queue, chain)
      },
    },
    time,
    memory,
  )
  const env = new FakeEnvironment({
    chip: model,
    time,
    memory,
    lines: polled ? [] : [model],
    doorbells: [virtioMmio.QueueNotify],
    ...(abandons ? { abandons } : {}),
  })
  const owner = blockOwner(env, memory, made => virtioBlk(made, { queueDepth: DEPTH }), { polled })
  return { model, disk, env, owner, served }
}

for (const options of [
  {},
  { features: FLUSH | EVENT_IDX },
  { polled: true },
  { polled: true, features: FLUSH | EVENT_IDX },
] satisfies Options[]) {
  test(`virtio-blk ${JSON.stringify(options)}: data written come back, and it stops without leaks`, () => {
    const { owner, env, model } = bench(options)
    expect(owner.start()).toBe(true)
    expect(owner.disk().sectors()).toBe(SECTORS)
    for (let round = 0; round < 40; round++) {
      const tag = round % DEPTH
      const data = owner.dataOf(tag).subarray(0, 2048)
      data.fill(round + 1)
      expect(owner.submit(tag, { operation: 'write', sector: round * 4, count: 4 })).toBe(true)
      expect(owner.finish(tag)).toBe('ok')
      data.fill(0)
      owner.submit(tag, { operation: 'read', sector: round * 4, count: 4 })
      expect(owner.finish(tag)).toBe('ok')
      expect(data.every(byte => byte === round + 1)).toBe(true)
    }
    if (options.polled) expect(model.interrupts).toBe(0)
    owner.submit(0, { operation: 'read', sector: 0, count: 1 })
    expect(owner.stop()).toBe(true)
    expect(env.leaks()).toBe(0)
    expect(env.longest).toBeLessThan(300)
  })
}

describe('virtio-blk', () => {
  test('a batch is answered with fewer notifications and interrupts under EVENT_IDX', () => {
    const counts = [FLUSH, FLUSH | EVENT_IDX].map(features => {
      const { owner, model } = bench({ features })
      owner.start()
      for (let tag = 0; tag < DEPTH; tag++) owner.submit(tag, { operation: 'read', sector: tag, count: 1 })
      for (let tag = 0; tag < DEPTH; tag++) expect(owner.finish(tag)).toBe('ok')
      return model.notifications
    })
    expect(counts).toEqual([DEPTH, 1])
  })

  test('forced unit access is a write and then a flush; without FLUSH there is no cache to flush', () => {
    const { owner, served } = bench()
    owner.start()
    owner.submit(0, { operation: 'write', sector: 1, count: 1, forceUnitAccess: true })
    expect(owner.finish(0)).toBe('ok')
    expect(served).toEqual([1, 4])
    const through = bench({ features: 0 })
    through.owner.start()
    through.owner.submit(0, { operation: 'write', sector: 1, count: 1, forceUnitAccess: true })
    expect(through.owner.finish(0)).toBe('ok')
    through.owner.submit(0, { operation: 'flush', sector: 0, count: 0 })
    expect(through.owner.finish(0)).toBe('ok')
    expect(through.served).toEqual([1])
  })

  test('errors are told apart', () => {
    const { owner } = bench({ fails: new Set([64]) })
    owner.start()
    owner.submit(0, { operation: 'read', sector: 60, count: 8 })
    expect(owner.finish(0)).toBe('media error')
    owner.submit(0, { operation: 'read', sector: SECTORS, count: 1 })
    expect(owner.finish(0)).toBe('out of range')
    expect(owner.submit(0, { operation: 'read', sector: 0, count: 0 })).toBe(false)
    expect(owner.submit(0, { operation: 'read', sector: 0, count: owner.disk().maximumSectors() + 1 })).toBe(false)
  })

  test('another kind of device, or a queue that is too short, is refused', () => {
    const stranger = bench({ id: VIRTIO_ID.network })
    expect(stranger.owner.start()).toBe(false)
    expect(stranger.owner.disk().failure()).toBe('no virtio device of this kind')
    const short = bench({ most: 8 })
    expect(short.owner.start()).toBe(false)
    expect(short.owner.disk().failure()).toBe('a queue is missing or too short')
    expect(short.owner.stop()).toBe(true)
    expect(short.env.leaks()).toBe(0)
  })

  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        tag: fc.nat(DEPTH - 1),
        operation: fc.constantFrom('read', 'write', 'flush'),
        sector: fc.nat(SECTORS - 16),
        count: fc.integer({ min: 1, max: 16 }),
        forceUnitAccess: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.constantFrom('remake', 'wait') },
  )

  test('random requests complete exactly once with the right data, though entries are abandoned and the driver is remade', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.boolean(),
        fc.integer({ min: 2, max: 40 }),
        (steps, events, every) => {
          let calls = 0
          const { owner, env, disk } = bench({
            features: events ? FLUSH | EVENT_IDX : FLUSH,
            abandons: () => ++calls % every === 0,
          })
          expect(owner.start()).toBe(true)
          const model = new Uint8Array(disk.length)
          const expected = new Map<number, Uint8Array>()
          const check = (tag: number) => {
            expect(owner.finish(tag)).toBe('ok')
            const data = expected.get(tag)!
            expect(Buffer.compare(owner.dataOf(tag).subarray(0, data.length), data)).toBe(0)
            expected.delete(tag)
          }
          for (const [i, what] of steps.entries()) {
            if (what === 'remake') owner.remake()
            else if (what === 'wait') for (const tag of expected.keys()) check(tag)
            else {
              const { tag, operation, sector, count } = what
              for (const other of expected.keys()) if (other === tag || operation === 'write') check(other)
              const data = owner.dataOf(tag).subarray(0, count * 512)
              if (operation === 'write') {
                data.fill(i + 1)
                model.set(data, sector * 512)
              }
              expect(owner.submit(tag, what)).toBe(true)
              expected.set(
                tag,
                operation === 'flush' ? new Uint8Array(0) : model.slice(sector * 512, (sector + count) * 512),
              )
              if (operation === 'write') check(tag)
            }
          }
          for (const tag of expected.keys()) check(tag)
          expect(Buffer.compare(disk, model)).toBe(0)
          expect(owner.stop()).toBe(true)
          expect(env.leaks()).toBe(0)
        },
      ),
      { numRuns: 60 },
    )
  })
})
