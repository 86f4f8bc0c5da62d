import { describe, expect, test } from 'vitest'
import { type CoreName, type L2Sharing, pricesFor } from '../../../hw/index.ts'
import { type CacheCounts, Hierarchy } from '../../../hw/memory/hierarchy.ts'
import { Memory } from '../../../hw/memory/memory.ts'
import { Occupancy } from '../../../hw/memory/occupancy.ts'
import { chipyardMemory, type MemoryPrices } from '../../../hw/time/prices-memory.ts'
import { numbers } from '../spec/isa/random-words.ts'

const RAM = 0x8000_0000
const LINE = 64
const PAGE = 4096
/** Between accesses that are not to wait for each other. */
const LATER = 1000
const { l2Access, upgrade, probe, victim, rowHit, rowClosed, rowConflict } = chipyardMemory

function caches(harts = 1, l2: L2Sharing = 'shared', prices: MemoryPrices = chipyardMemory, core: CoreName = 'rocket') {
  const structure = pricesFor({ core, model: 'cached', l2 }).caches!
  const memory = new Memory([{ base: RAM, bytes: 2 ** 22, writable: true }], harts, structure.data.lineBytes)
  const hierarchy = new Hierarchy(memory, harts, structure, prices)
  let now = 0
  const line = (offset: number) => memory.lines!.lineOf(memory.ram.host + offset)
  const later = () => (now += LATER)
  return {
    hierarchy,
    load: (hart: number, offset: number) => hierarchy.load(hart, line(offset), later()),
    store: (hart: number, offset: number) => hierarchy.store(hart, line(offset), later()),
    fetch: (hart: number, offset: number) => hierarchy.fetch(hart, line(offset), later()),
    fence: (hart: number) => hierarchy.fence(hart, later()),
    dma: (offset: number, bytes: number, write: boolean) =>
      hierarchy.dma(memory.ram.host + offset, bytes, write, later()),
    line,
  }
}

describe('one hart', () => {
  test('the first access goes to DRAM, the next to the L1; a line that left the L1 is in the L2', () => {
    const { load } = caches()
    expect(load(0, 0)).toBe(l2Access + rowClosed)
    expect(load(0, 8)).toBe(0)
    // Four ways: 4 more lines of its set push one of the first five out.
    const others = [1, 2, 3, 4].map(n => load(0, n * PAGE))
    expect(others).toEqual([l2Access + rowHit, ...[2, 3, 4].map(n => l2Access + (n % 2 === 0 ? rowClosed : rowHit))])
    const again = [0, 1, 2, 3, 4].map(n => load(0, n * PAGE))
    expect(again.filter(stall => stall === l2Access).length).toBeGreaterThan(0)
    expect(again.filter(stall => stall !== 0 && stall !== l2Access)).toEqual([])
  })

  test('as many lines of a set as there are ways stay, one more does not', () => {
    const { load, hierarchy } = caches()
    const round = (lines: number) => {
      const before = hierarchy.counts().loadMisses
      for (let n = 0; n < lines; n++) load(0, n * PAGE)
      return hierarchy.counts().loadMisses - before
    }
    expect([round(4), round(4), round(4)]).toEqual([4, 0, 0])
    const fives = [round(5), round(5), round(5), round(5)]
    expect(Math.min(...fives)).toBeGreaterThan(0)
  })

  test('rows: the open one, none, another in the same bank', () => {
    const { load } = caches()
    const banks = 8
    const row = 8192
    expect(load(0, 0)).toBe(l2Access + rowClosed)
    expect(load(0, LINE)).toBe(l2Access + rowHit)
    expect(load(0, row)).toBe(l2Access + rowClosed)
    expect(load(0, row * banks)).toBe(l2Access + rowConflict)
    expect(load(0, 2 * LINE)).toBe(l2Access + rowConflict)
  })

  test('a line that was read alone is written for free, once; a modified one has to leave before its place is refilled', () => {
    const { load, store, hierarchy } = caches()
    load(0, 0)
    expect(store(0, 0)).toBe(0)
    for (let n = 1; n <= 3; n++) store(0, n * PAGE)
    expect(hierarchy.counts().victim).toBe(0)
    expect(load(0, 4 * PAGE)).toBe(victim + l2Access + rowClosed)
    expect(hierarchy.counts().upgrade).toBe(0)
  })

  test.each([
    ['rocket', 0],
    ['cva6', l2Access],
  ] as const)(
    'fence.i of %s empties the instruction cache, and the data cache if that is not told of stores',
    (core, again) => {
      const { fetch, load, store, fence, hierarchy } = caches(1, 'shared', chipyardMemory, core)
      fetch(0, 0)
      store(0, PAGE)
      expect([fetch(0, 4), load(0, PAGE)]).toEqual([0, 0])
      fence(0)
      expect([fetch(0, 4), load(0, PAGE)]).toEqual([l2Access, again])
      // What was written back is in the L2.
      expect(hierarchy.counts()).toMatchObject({ rowHit: 1, rowClosed: 1, rowConflict: 0 })
    },
  )
})

describe.each(['shared', 'private'] as const)('two harts, %s L2', l2 => {
  const fromOther = l2 === 'shared' ? 0 : 1

  test('a line that the other has modified comes from there, and is then shared: to write it takes an upgrade', () => {
    const { store, load } = caches(2, l2)
    store(0, 0)
    expect(load(1, 0)).toBe(l2Access + probe)
    expect(load(0, 0)).toBe(0)
    expect(store(1, 0)).toBe(upgrade + probe)
    expect(load(0, 0)).toBe(l2Access + probe)
  })

  test('a line that both have read is in both', () => {
    const { load } = caches(2, l2)
    load(0, 0)
    // The L2 has it; but who has it alone may have written it since, so it is asked. A private L2 gets it from DRAM.
    expect(load(1, 0)).toBe(l2Access + (fromOther ? rowHit : probe))
    expect([load(0, 0), load(1, 0)]).toEqual([0, 0])
  })

  test('what one writes in a line disturbs the other, though they use different words', () => {
    const { store, hierarchy } = caches(2, l2)
    store(0, 0)
    store(1, 8)
    const before = hierarchy.counts()
    for (let n = 0; n < 5; n++) {
      store(0, 0)
      store(1, 8)
    }
    expect(hierarchy.counts().storeMisses - before.storeMisses).toBe(10)
    expect(hierarchy.counts().probe - before.probe).toBe(10)
  })

  test('instructions are fetched past a data cache that has modified them', () => {
    const { store, fetch } = caches(2, l2)
    store(0, 0)
    expect(fetch(1, 0)).toBe(l2Access + probe)
  })

  test('a device sees what harts have written, and harts what it has: its writes take lines away, its reads the right to write', () => {
    const { load, store, dma } = caches(2, l2)
    store(0, 0)
    load(1, LINE)
    dma(0, 2 * LINE, false)
    expect(load(0, 0)).toBe(0)
    expect(store(0, 0)).toBe(upgrade)
    dma(0, 4 * LINE, true)
    const memory = l2 === 'shared' ? 0 : rowHit
    expect(load(0, 0)).toBe(l2Access + memory)
    expect(load(1, LINE)).toBe(l2Access + memory)
    // Lines that no cache had are in the shared L2 now.
    expect(load(1, 2 * LINE)).toBe(l2Access + memory)
  })
})

describe('contention', () => {
  test('harts that come at the same time wait for one another; alone, nobody does', () => {
    const { hierarchy, line } = caches(2)
    const alone = hierarchy.load(0, line(0), 0) + hierarchy.load(0, line(LINE), LATER)
    const { hierarchy: busy, line: at } = caches(2)
    const first = busy.load(0, at(0), 0)
    const second = busy.load(1, at(LINE), 0)
    expect(first + second).toBe(alone + busy.counts().waited)
    expect(busy.counts().waited).toBeGreaterThan(0)
  })

  test('a device that moves data keeps harts waiting', () => {
    const quiet = caches()
    expect(quiet.load(0, 2 ** 20)).toBe(l2Access + rowClosed)
    const busy = caches()
    busy.dma(0, 4096, true)
    // 64 lines of 8 beats each, from the same cycle on.
    expect(busy.hierarchy.load(0, busy.line(2 ** 20), LATER)).toBeGreaterThan(l2Access + rowClosed + 64 * 8 - 64)
  })

  test('who comes earlier by the clock but later by turn takes what is left of his window', () => {
    const resource = new Occupancy()
    for (let cycle = 0; cycle < 2000; cycle += 20) expect(resource.take(cycle, 8)).toBe(0)
    // The first had its turn up to cycle 2,000. The second does not wait until then.
    const waits = Array.from({ length: 50 }, (_, n) => resource.take(n * 40, 8))
    expect(Math.max(...waits)).toBeLessThan(64)
    expect(Math.max(...waits)).toBeGreaterThan(0)
  })

  test('no more is served than there is time for', () => {
    const resource = new Occupancy()
    let last = 0
    for (let n = 0; n < 100; n++) last = resource.take(0, 8)
    expect(last).toBe(99 * 8)
    // Nor less, though it is longer than a window.
    expect(resource.take(0, 100)).toBe(100 * 8)
    expect(resource.take(0, 8)).toBeGreaterThanOrEqual(100 * 8 + 96)
  })
})

test('law: raising one price by δ raises the total of a recorded trace by count × δ', () => {
  const next = numbers(7)
  const trace = Array.from({ length: 4000 }, (_, n) => ({
    hart: next() % 2,
    offset: (next() % 4096) * (next() % 2 === 0 ? LINE : PAGE),
    kind: next() % 4,
    now: n * 11 + (next() % 2000),
  }))
  const total = (prices: MemoryPrices): { stalls: number; counts: CacheCounts } => {
    const { hierarchy, line } = caches(2, 'shared', prices)
    let stalls = 0
    for (const { hart, offset, kind, now } of trace) {
      const at = line(offset % 2 ** 22)
      stalls +=
        kind === 0
          ? hierarchy.store(hart, at, now)
          : kind === 1
            ? hierarchy.fetch(hart, at, now)
            : hierarchy.load(hart, at, now)
    }
    return { stalls, counts: hierarchy.counts() }
  }
  const base = total(chipyardMemory)
  const priced = ['l2Access', 'upgrade', 'probe', 'victim', 'rowHit', 'rowClosed', 'rowConflict'] as const
  const sum = priced.reduce((cycles, name) => cycles + base.counts[name] * chipyardMemory[name], base.counts.waited)
  expect(base.stalls).toBe(sum)
  for (const name of priced) {
    expect(base.counts[name], name).toBeGreaterThan(0)
    for (const delta of [1, 17]) {
      const raised = total({ ...chipyardMemory, [name]: chipyardMemory[name] + delta })
      expect(raised.stalls - base.stalls, name).toBe(base.counts[name] * delta)
    }
  }
})

test('its state, carried over, goes on as before', () => {
  const next = numbers(3)
  const step = (one: ReturnType<typeof caches>, n: number, word: number) => {
    const offset = (word >>> 4) % 2 ** 18
    const line = one.line(offset)
    const kind = word & 3
    return kind === 0
      ? one.hierarchy.store(word & 4 ? 1 : 0, line, n * 50)
      : kind === 1
        ? one.hierarchy.fetch(word & 4 ? 1 : 0, line, n * 50)
        : one.hierarchy.load(word & 4 ? 1 : 0, line, n * 50)
  }
  for (const l2 of ['shared', 'private'] as const) {
    const words = Array.from({ length: 4000 }, next)
    const whole = caches(2, l2)
    for (let n = 0; n < 2000; n++) step(whole, n, words[n])
    const rest = caches(2, l2)
    rest.hierarchy.restore(structuredClone(whole.hierarchy.save()))
    for (let n = 2000; n < 4000; n++) expect(step(rest, n, words[n])).toBe(step(whole, n, words[n]))
  }
})

test('a geometry that is none is refused by name', () => {
  const structure = pricesFor({ model: 'cached' }).caches!
  const memory = new Memory([{ base: RAM, bytes: 2 ** 20, writable: true }], 1, LINE)
  const l2 = { bytes: 3 * 2 ** 17, ways: 8, lineBytes: 64 }
  expect(() => new Hierarchy(memory, 1, { ...structure, l2 }, chipyardMemory)).toThrow(/^L2 of 393216 bytes, 8 ways/)
})
