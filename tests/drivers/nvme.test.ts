import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type NvmeCoalescing, nvmeDriver } from '../../drivers/nvme.ts'
import type { Chip } from '../../hw/bus/chip.ts'
import { MemoryBacking, SECTOR_BYTES } from '../../hw/devices/disk-backing.ts'
import { NvmeController } from '../../hw/devices/nvme/nvme-controller.ts'
import { nvme } from '../../hw/spec/devices/nvme.ts'
import { BenchTime, plugged } from '../hw/devices/bench.ts'
import { blockOwner } from './block-owner.ts'
import { FakeEnvironment } from './fake-environment.ts'

const SECTORS = 1024
const DEPTH = 8

interface Options {
  readonly queues?: number
  readonly polled?: boolean
  readonly abandons?: () => boolean
  readonly timeout?: number
  readonly coalescing?: NvmeCoalescing
}

/** The real controller with the driver on it; its DMA must stay within what the driver or its owner gave it. */
function bench({ queues = 1, polled = false, abandons, timeout, coalescing }: Options = {}) {
  const time = new BenchTime()
  const backing = new MemoryBacking(SECTORS)
  const chip: NvmeController = new NvmeController(
    'disk0',
    backing,
    time.clockFor(() => chip),
  )
  const { host, memory, lines } = plugged(chip, { msix: false })
  const bar = { swallows: (_offset: number, _value: number): boolean => false, silent: false }
  const filtered: Chip = {
    read: (offset, bytes) => host.window32.read(offset, bytes),
    write: (offset, bytes, value) => {
      if (!bar.swallows(offset, value)) host.window32.write(offset, bytes, value)
    },
  }
  const line = {
    get level() {
      return lines[1].level && !bar.silent
    },
  }
  const env = new FakeEnvironment({
    chip: filtered,
    time,
    memory,
    lines: polled ? [] : [line],
    doorbells: [nvme.SQTDBL],
    ...(abandons ? { abandons } : {}),
  })
  const owner = blockOwner(
    env,
    memory,
    made =>
      nvmeDriver(made, {
        queueDepth: DEPTH,
        queues,
        ...(timeout ? { timeout } : {}),
        ...(coalescing ? { coalescing } : {}),
      }),
    { polled },
  )
  const strays: string[] = []
  const read = memory.read.bind(memory)
  const write = memory.write.bind(memory)
  memory.read = (address, into) => {
    if (!env.owns(address, into.length) && !owner.lent(address, into.length))
      strays.push(`read ${address}+${into.length}`)
    return read(address, into)
  }
  memory.write = (address, from) => {
    if (!env.owns(address, from.length) && !owner.lent(address, from.length))
      strays.push(`write ${address}+${from.length}`)
    return write(address, from)
  }
  return { backing, chip, bar, env, owner, strays, time }
}

const pattern = (bytes: Uint8Array, seed: number): Uint8Array =>
  bytes.map((_, i) => (seed * 31 + i * 7 + (i >>> 9)) & 0xff)

for (const options of [{}, { queues: 3 }, { polled: true }] satisfies Options[]) {
  describe(`NVMe driver ${JSON.stringify(options)}`, () => {
    test('identifies the namespace, and data written come back', () => {
      const { owner, strays, env } = bench(options)
      expect(owner.start()).toBe(true)
      expect(owner.disk().sectors()).toBe(SECTORS)
      expect(owner.disk().maximumSectors()).toBeGreaterThanOrEqual(8)
      for (const [tag, offset, count] of [
        [0, 0, 1],
        [1, 0, 16],
        [2, 0x200, 8],
        [3, 0xe04, 9],
        [4, 0, 64],
      ] as const) {
        const data = owner.dataOf(tag).subarray(offset, offset + count * SECTOR_BYTES)
        data.set(pattern(data, tag))
        const expected = data.slice()
        expect(owner.submit(tag, { operation: 'write', sector: 100 * tag, count, offset })).toBe(true)
        expect(owner.finish(tag)).toBe('ok')
        data.fill(0)
        owner.submit(tag, { operation: 'read', sector: 100 * tag, count, offset })
        expect(owner.finish(tag)).toBe('ok')
        expect(Buffer.compare(data, expected)).toBe(0)
      }
      expect(owner.submit(0, { operation: 'flush', sector: 0, count: 0 })).toBe(true)
      expect(owner.finish(0)).toBe('ok')
      expect(strays).toEqual([])
      expect(env.longest).toBeLessThan(1500)
    })

    test('stops, and frees all its memory', () => {
      const { owner, env, strays } = bench(options)
      owner.start()
      owner.submit(1, { operation: 'read', sector: 5, count: 1 })
      expect(owner.stop()).toBe(true)
      expect(owner.outcome(1)).toBe('device lost')
      expect(env.leaks()).toBe(0)
      expect(owner.submit(0, { operation: 'read', sector: 0, count: 1 })).toBe(false)
      env.pass(1_000_000)
      expect(strays).toEqual([])
    })
  })
}

describe('NVMe driver', () => {
  test('answers beyond the disk, and errors of the medium, are told apart', () => {
    const { owner, chip } = bench()
    owner.start()
    chip.faults = [{ kind: 'media error', sector: 64, count: 1 }]
    owner.submit(0, { operation: 'read', sector: SECTORS - 1, count: 2 })
    expect(owner.finish(0)).toBe('out of range')
    owner.submit(0, { operation: 'read', sector: 60, count: 8 })
    expect(owner.finish(0)).toBe('media error')
    owner.submit(0, { operation: 'read', sector: 65, count: 8 })
    expect(owner.finish(0)).toBe('ok')
  })

  test('a request that is never answered is aborted or costs a reset, and the disk goes on', () => {
    const { owner, chip, strays } = bench({ timeout: 10_000 })
    owner.start()
    chip.faults = [{ kind: 'lost completion', sector: 7, count: 1 }]
    owner.submit(0, { operation: 'read', sector: 7, count: 1 })
    expect(owner.finish(0)).toBe('device lost')
    chip.faults = []
    expect(owner.env.run(() => owner.env.enter(() => owner.disk().ready()))).toBe(true)
    owner.submit(0, { operation: 'read', sector: 7, count: 1 })
    expect(owner.finish(0)).toBe('ok')
    expect(strays).toEqual([])
  })

  test('a lost interrupt only delays requests', () => {
    const { owner, bar } = bench({ timeout: 10_000 })
    owner.start()
    bar.silent = true
    owner.submit(0, { operation: 'read', sector: 7, count: 1 })
    expect(owner.finish(0)).toBe('ok')
  })

  test('other traffic does not put off the watch over a request that is never answered', () => {
    const { owner, chip, env } = bench({ timeout: 10_000 })
    owner.start()
    chip.faults = [{ kind: 'lost completion', sector: 7, count: 1 }]
    owner.submit(0, { operation: 'read', sector: 7, count: 1 })
    for (let round = 0; round < 50; round++) {
      owner.submit(1, { operation: 'read', sector: 20, count: 1 })
      env.pass(1000)
    }
    expect(owner.outcome(0)).toBe('device lost')
  })

  test('a controller that hangs is reset, and the disk goes on', () => {
    const { owner, bar } = bench({ timeout: 10_000 })
    owner.start()
    let hung = true
    bar.swallows = (offset, value) => {
      if (offset === nvme.CC.at && (value & 1) === 0) hung = false
      return hung && offset >= nvme.SQTDBL.at
    }
    for (let tag = 0; tag < DEPTH; tag++) owner.submit(tag, { operation: 'read', sector: tag, count: 1 })
    for (let tag = 0; tag < DEPTH; tag++) expect(owner.finish(tag)).toBe('device lost')
    expect(owner.env.run(() => owner.env.enter(() => owner.disk().ready()))).toBe(true)
    owner.submit(0, { operation: 'read', sector: 7, count: 1 })
    expect(owner.finish(0)).toBe('ok')
  })

  test('a controller that hangs again after each reset is given up, and all its requests come back', () => {
    const { owner, bar, env } = bench({ timeout: 10_000 })
    owner.start()
    bar.swallows = offset => offset >= nvme.SQTDBL.at
    for (let tag = 0; tag < DEPTH; tag++) owner.submit(tag, { operation: 'write', sector: tag, count: 1 })
    for (let tag = 0; tag < DEPTH; tag++) expect(owner.finish(tag)).toBe('device lost')
    expect(env.run(() => env.enter(() => owner.disk().failure()) !== '')).toBe(true)
    expect(owner.stop()).toBe(true)
    expect(env.leaks()).toBe(0)
  })

  test('a controller that does not stop keeps its memory', () => {
    const { owner, bar, env } = bench()
    owner.start()
    bar.swallows = offset => offset === nvme.CC.at
    expect(env.run(() => env.enter(() => owner.disk().ready()))).toBe(true)
    env.enter(() => owner.disk().stop())
    expect(env.run(() => env.enter(() => owner.disk().failure()) !== '')).toBe(true)
    expect(env.enter(() => owner.disk().stopped())).toBe(false)
    expect(env.leaks()).toBeGreaterThan(0)
  })

  const request = fc.record({
    tag: fc.nat(DEPTH - 1),
    operation: fc.constantFrom('read', 'write', 'flush'),
    sector: fc.nat(SECTORS - 1),
    count: fc.integer({ min: 1, max: 32 }),
    offset: fc.nat(0x1000 / 4).map(words => words * 4),
    forceUnitAccess: fc.boolean(),
  })

  test('random requests complete exactly once with the right data, though entries are abandoned and the driver is remade', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof({ arbitrary: request, weight: 6 }, { arbitrary: fc.constantFrom('wait', 'remake'), weight: 1 }),
          { maxLength: 40 },
        ),
        fc.constantFrom(1, 2),
        fc.integer({ min: 3, max: 50 }),
        (steps, queues, every) => {
          let calls = 0
          const { owner, strays, env, backing } = bench({ queues, abandons: () => ++calls % every === 0 })
          expect(owner.start()).toBe(true)
          const model = new Uint8Array(SECTORS * SECTOR_BYTES)
          const expected = new Map<number, { at: number; data: Uint8Array }>()
          const check = (tag: number) => {
            const beyond = expected.get(tag)?.at === -1
            expect(owner.finish(tag)).toBe(beyond ? 'out of range' : 'ok')
            const known = expected.get(tag)
            expected.delete(tag)
            if (known && known.at >= 0)
              expect(
                Buffer.compare(owner.dataOf(tag).subarray(known.at, known.at + known.data.length), known.data),
              ).toBe(0)
          }
          for (const [i, step] of steps.entries()) {
            if (step === 'remake') owner.remake()
            else if (step === 'wait') for (const tag of expected.keys()) check(tag)
            else {
              const { tag, operation, sector, count, offset } = step
              // One tag at a time on a sector, since the device may reorder: wait for all others before a write.
              for (const other of expected.keys()) if (operation === 'write' || other === tag) check(other)
              const at = sector * SECTOR_BYTES
              const bytes = count * SECTOR_BYTES
              const beyond = operation !== 'flush' && sector + count > SECTORS
              const data = owner.dataOf(tag).subarray(offset, offset + bytes)
              if (operation === 'write') data.set(pattern(data, i))
              expect(owner.submit(tag, step)).toBe(true)
              if (operation === 'write' && !beyond) model.set(data, at)
              if (beyond) expected.set(tag, { at: -1, data })
              else
                expected.set(
                  tag,
                  operation === 'read'
                    ? { at: offset, data: model.slice(at, at + bytes) }
                    : { at: offset, data: data.slice(0, 0) },
                )
              if (operation === 'write') check(tag)
            }
          }
          for (const tag of expected.keys()) check(tag)
          expect(owner.stop()).toBe(true)
          expect(env.leaks()).toBe(0)
          expect(strays).toEqual([])
          const stored = new Uint8Array(model.length)
          backing.read(0, stored)
          expect(Buffer.compare(stored, model)).toBe(0)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('A controller that coalesces', () => {
  /** Nanoseconds until so many requests, begun at once, have ended. */
  function taken(requests: number, coalescing?: NvmeCoalescing): number {
    const { owner, time } = bench(coalescing ? { coalescing } : {})
    expect(owner.start()).toBe(true)
    const begin = time.now
    for (let tag = 0; tag < requests; tag++) owner.submit(tag, { operation: 'read', sector: tag, count: 1 })
    for (let tag = 0; tag < requests; tag++) expect(owner.finish(tag)).toBe('ok')
    return time.now - begin
  }

  test('waits for as many completions as it was told, no longer than it was told', () => {
    const coalescing = { microseconds: 1000, completions: 4 }
    expect(taken(4, coalescing)).toBe(taken(4))
    expect(taken(3, coalescing)).toBe(taken(1) + 1_000_000)
    expect(taken(1, coalescing)).toBe(taken(1) + 1_000_000)
  })
})
