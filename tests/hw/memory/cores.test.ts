import { expect, test } from 'vitest'
import { type CORES, type Prices, pricesFor, rocketFlat } from '../../../hw/index.ts'
import { RAM, smallMachine } from '../small-machine.ts'
import { PageTables, ROOT, RW } from './page-tables.ts'

const AT = 0x10_0000_0000n
const PAGE = 4096

/** Loads from `pages` pages, one after the other, twice over. */
function twice(core: (typeof CORES)[number], pages: number, changes: Partial<Prices> = {}) {
  const { machine, run } = smallMachine(
    `
      li t0, -1
      csrw pmpaddr15, t0
      li t0, 0x1f
      slli t0, t0, 56
      csrw pmpcfg2, t0
      li t0, ${(8n << 60n) | BigInt(ROOT / PAGE)}
      csrw satp, t0
      li t0, 0x1800
      csrc mstatus, t0
      li t0, 0x20800
      csrs mstatus, t0
      li s0, 2
    round:
      li t0, ${pages}
      li t1, ${AT}
      li t2, ${PAGE}
    1: ld t3, 0(t1)
      add t1, t1, t2
      addi t0, t0, -1
      bnez t0, 1b
      addi s0, s0, -1
      bnez s0, round
      li t0, 0x20000
      csrc mstatus, t0`,
    { prices: { ...pricesFor({ core }), ...changes } },
  )
  const tables = new PageTables(machine)
  const root = tables.table()
  for (let page = 0; page < pages; page++)
    tables.map(root, 3, AT + BigInt(page * PAGE), BigInt(RAM + 0x4_0000 + page * PAGE), RW)
  expect(run()).toMatchObject({ reason: 'pass' })
  return { ...machine.mmuCounts(0), cycles: machine.now() }
}

test('a core has the TLBs that it has: 20 pages fit in Rocket’s first level, and not in CVA6’s, which has no second', () => {
  expect(twice('rocket', 20)).toMatchObject({ l1Misses: 20, walks: 20, l2Hits: 0, pteCacheHits: 38 })
  expect(twice('rocket', 40)).toMatchObject({ l1Misses: 80, walks: 40, l2Hits: 40 })
  expect(twice('cva6', 16)).toMatchObject({ l1Misses: 16, walks: 16, firstStageReads: 48 })
  expect(twice('cva6', 20)).toMatchObject({ l1Misses: 40, walks: 40, l2Hits: 0, pteCacheHits: 0, firstStageReads: 120 })
})

test('law: what translation costs more, if one of its prices rises, is how often it was paid', () => {
  const base = twice('rocket', 40)
  const { l1Misses, l2Hits, pteCacheHits, firstStageReads } = base
  const paid = { replay: l1Misses, l2TlbHit: l2Hits, pteCacheHit: pteCacheHits, pteRead: firstStageReads }
  for (const [price, times] of Object.entries(paid)) {
    const raised = twice('rocket', 40, { [price]: rocketFlat[price as keyof typeof paid] + 7 })
    expect(times, price).toBeGreaterThan(0)
    expect(raised.cycles - base.cycles, price).toBe(times * 7)
  }
})
