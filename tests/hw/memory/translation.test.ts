import { describe, expect, test } from 'vitest'
import { rocketFlat } from '../../../hw/index.ts'
import { RAM, smallMachine } from '../small-machine.ts'
import { A, D, G, PageTables, R, ROOT, RW, U, V, W, X } from './page-tables.ts'

const DATA = BigInt(RAM + 0x4_0000)
const VALUE = 0x1122_3344_5566_7788n
const AT = 0x10_0000_0000n
const LOAD_PAGE = 13n
const STORE_PAGE = 15n
const LOAD_ACCESS = 5n
const SUM = 0x4_0000
const MXR = 0x8_0000

interface Case {
  readonly mode?: 8 | 9
  readonly map: (tables: PageTables, root: number) => void
  /** mstatus bits beside MPRV and MPP. */
  readonly status?: number
  readonly user?: boolean
  readonly prelude?: string
}

/** One access as S (or U): M-mode with MPRV. What a0 holds then, or mcause and mtval, is noted. */
const as = (statement: string) => `csrs mstatus, s1\n ${statement}\n csrc mstatus, s2`
const load = (address: bigint) => `li t1, ${address}\n ${as('ld a0, 0(t1)')}`
const store = (address: bigint) => `li t1, ${address}\n ${as('sd t1, 0(t1)')}`
const noteLoad = (address: bigint) => `${load(address)}\n note a0`

function prepared({ mode = 8, map, status = 0, user = false, prelude = '' }: Case, program: string) {
  const small = smallMachine(`
    la t0, noting
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr15, t0
    li t0, 0x1f
    slli t0, t0, 56
    csrw pmpcfg2, t0
    li t0, ${(BigInt(mode) << 60n) | (5n << 44n) | BigInt(ROOT / 4096)}
    csrw satp, t0
    li s0, ${DATA}
    li t1, ${VALUE}
    sd t1, 0(s0)
    ${prelude}
    li t1, 0x1800
    csrc mstatus, t1
    li s1, ${0x2_0000 + status + (user ? 0 : 0x800)}
    li s2, ${0x2_0000 + status}
    ${program}
  `)
  const tables = new PageTables(small.machine)
  map(tables, tables.table())
  return { ...small, tables }
}

function translated(count: number, options: Case, ...program: readonly string[]): readonly bigint[] {
  const { machine, run, at } = prepared(options, program.join('\n'))
  const stop = run()
  if (stop.kind !== 'stopped')
    throw new Error(`stopped by ${stop.kind} at pc 0x${machine.registers(0).pc.toString(16)}`)
  return Array.from({ length: count }, (_, index) => at('log', index))
}

const page = (flags: bigint, levels = 3, virtual = AT, level = 0, physical = DATA) => ({
  map: (tables: PageTables, root: number) => void tables.map(root, levels, virtual, physical, flags, level),
})
/** An access that faults, by mapping. */
const faults = (options: Case, program: string) => translated(2, options, program)

describe('first stage', () => {
  test('Sv39_leaf_any_level: pages of 4 KiB, 2 MiB and 1 GiB', () => {
    expect(translated(1, page(RW), noteLoad(AT))).toEqual([VALUE])
    const inGigabyte = DATA & 0x3fff_ffffn
    const inLarge = DATA & 0x1f_ffffn
    expect(translated(1, page(RW, 3, AT, 1, DATA - inLarge), noteLoad(AT + inLarge))).toEqual([VALUE])
    expect(translated(1, page(RW, 3, AT, 2, DATA - inGigabyte), noteLoad(AT + inGigabyte))).toEqual([VALUE])
  })

  test('Sv48_leaf_any_level: pages of 4 KiB and 512 GiB', () => {
    expect(translated(1, { ...page(RW, 4, 0x7fff_1234_5000n), mode: 9 }, noteLoad(0x7fff_1234_5000n))).toEqual([VALUE])
    expect(
      translated(1, { ...page(RW, 4, 0x80_0000_0000n, 3, 0n), mode: 9 }, noteLoad(0x80_0000_0000n + DATA)),
    ).toEqual([VALUE])
  })

  test('Sv39_va_signext: bits 63 to 39 must equal bit 38', () => {
    expect(faults(page(RW), load(1n << 40n))).toEqual([LOAD_PAGE, 1n << 40n])
    const high = 0xffff_ffc0_0000_0000n
    expect(translated(1, page(RW, 3, high), noteLoad(high))).toEqual([VALUE])
    expect(faults(page(RW), load(0x7fff_ffc0_0000_0000n))).toEqual([LOAD_PAGE, 0x7fff_ffc0_0000_0000n])
  })

  test('Sv39_superpage_align_fault: a superpage that is not aligned', () => {
    expect(faults(page(RW, 3, AT, 1, DATA), load(AT))).toEqual([LOAD_PAGE, AT])
  })

  test.each([
    ['not valid', RW & ~V],
    ['writable, not readable', V | W | A | D],
    ['Sv39_pte_svnapot_rsv: N', RW | (1n << 63n)],
    ['Sv39_pte_svpbmt_rsv: PBMT', RW | (1n << 61n)],
    ['Sv39_pte_future_rsv', RW | (1n << 54n)],
    ['svade_access_ad_bit_clear: A', RW & ~A],
  ])('%s: a page fault', (_, flags) => {
    expect(faults(page(flags), load(AT))).toEqual([LOAD_PAGE, AT])
  })

  test('svade_access_ad_bit_clear: D clear faults stores, not loads', () => {
    expect(translated(3, page(RW & ~D), noteLoad(AT), store(AT))).toEqual([VALUE, STORE_PAGE, AT])
  })

  test('store_page_fault_no_w: stores, sc and AMOs fault as stores', () => {
    const readable = page(V | R | A | D)
    expect(faults(readable, store(AT))).toEqual([STORE_PAGE, AT])
    expect(faults(readable, `li t1, ${AT}\n ${as('amoadd.d a0, t1, (t1)')}`)).toEqual([STORE_PAGE, AT])
    expect(faults(readable, `li t1, ${AT}\n ${as('sc.d a0, t1, (t1)')}`)).toEqual([STORE_PAGE, AT])
  })

  test('mstatus_sum_op: S reaches user pages only with SUM, U reaches no supervisor page', () => {
    expect(faults(page(RW | U), load(AT))).toEqual([LOAD_PAGE, AT])
    expect(translated(1, { ...page(RW | U), status: SUM }, noteLoad(AT))).toEqual([VALUE])
    expect(translated(1, { ...page(RW | U), user: true }, noteLoad(AT))).toEqual([VALUE])
    expect(faults({ ...page(RW), user: true }, load(AT))).toEqual([LOAD_PAGE, AT])
  })

  test('mstatus_mxr_op: execute-only pages can be read with MXR', () => {
    expect(faults(page(V | X | A), load(AT))).toEqual([LOAD_PAGE, AT])
    expect(translated(1, { ...page(V | X | A), status: MXR }, noteLoad(AT))).toEqual([VALUE])
  })

  test('an access across pages: each half by its own page, the trap value names the half that faults', () => {
    const map = (tables: PageTables, root: number) => {
      tables.map(root, 3, AT, DATA, RW)
      tables.map(root, 3, AT + 0x1000n, DATA + 0x2000n, RW)
    }
    const prelude = `li t2, 0x10000\n add t2, s0, t2\n li t3, 0xaabbccdd\n sw t3, -4(t2)`
    const across = `li t0, 0xffc\n add t1, s0, t0\n li t2, 0x55667788\n sw t2, 0(t1)\n li t0, 0x2000\n add t1, s0, t0\n li t2, 0x11223344\n sw t2, 0(t1)`
    expect(translated(1, { map, prelude: prelude + '\n' + across }, noteLoad(AT + 0xffcn))).toEqual([
      0x1122_3344_5566_7788n,
    ])
    expect(faults(page(RW), load(AT + 0xffcn))).toEqual([LOAD_PAGE, AT + 0x1000n])
    expect(faults(page(RW), store(AT + 0xffcn))).toEqual([STORE_PAGE, AT + 0x1000n])
  })

  test('beyond the bus there is an access fault', () => {
    expect(faults(page(RW, 3, AT, 0, 1n << 55n), load(AT))).toEqual([LOAD_ACCESS, AT])
  })
})

describe('modelled TLB', () => {
  const remap = `
    li t2, ${ROOT}
    ld t3, ${Number((AT >> 30n) & 511n) * 8}(t2)
    srli t3, t3, 10
    slli t3, t3, 12
    ld t4, 0(t3)
    srli t4, t4, 10
    slli t4, t4, 12
    li t5, ${((DATA + 0x1000n) >> 2n) | RW}
    sd t5, 0(t4)
    li t5, 99
    li t6, 0x1000
    add t6, t6, s0
    sd t5, 0(t6)
  `
  const one = `li t1, ${AT}\n`

  test('satp_op_sfence_vma: a translation in use stays until it is fenced', () => {
    expect(translated(2, page(RW), noteLoad(AT), remap, noteLoad(AT))).toEqual([VALUE, VALUE])
    expect(translated(2, page(RW), noteLoad(AT), remap, 'sfence.vma', noteLoad(AT))).toEqual([VALUE, 99n])
  })

  test('sfence_vma_va_asid: fences its address and address space, and no other', () => {
    const after = (fence: string, flags = RW) => translated(2, page(flags), noteLoad(AT), remap, fence, noteLoad(AT))[1]
    expect(after(`${one} sfence.vma t1, x0`)).toBe(99n)
    expect(after(`${one} li t2, 5\n sfence.vma t1, t2`)).toBe(99n)
    expect(after('li t2, 5\n sfence.vma x0, t2')).toBe(99n)
    expect(after('li t2, 6\n sfence.vma x0, t2')).toBe(VALUE)
    expect(after('li t1, 0x5000\n sfence.vma t1, x0')).toBe(VALUE)
  })

  test('sfence_vma_asid_only: global pages stay when an address space is fenced', () => {
    const after = (fence: string) => translated(2, page(RW | G), noteLoad(AT), remap, fence, noteLoad(AT))[1]
    expect(after('li t2, 5\n sfence.vma x0, t2')).toBe(VALUE)
    expect(after('sfence.vma')).toBe(99n)
  })

  test('another ASID does not see the page, unless it is global', () => {
    const other = `csrr t2, satp\n li t3, 3\n slli t3, t3, 44\n xor t2, t2, t3\n csrw satp, t2`
    expect(translated(2, page(RW), noteLoad(AT), remap, other, noteLoad(AT))).toEqual([VALUE, 99n])
    expect(translated(2, page(RW | G), noteLoad(AT), remap, other, noteLoad(AT))).toEqual([VALUE, VALUE])
  })

  test("a walk costs its reads: three, then one with its tables in the walker's cache; a hit costs nothing", () => {
    const map = (tables: PageTables, root: number) => {
      for (let n = 0n; n < 40n; n++) tables.map(root, 3, AT + n * 0x1000n, DATA, RW)
    }
    const counted = (program: string) => {
      const { machine, run } = prepared({ map }, program)
      run()
      const counts = machine.mmuCounts(0)
      const walked = machine
        .ledger(0)
        .filter(({ activity }) => activity === 'walk')
        .reduce((sum, { cycles }) => sum + cycles, 0)
      const { replay, l2TlbHit, pteRead, pteCacheHit } = rocketFlat
      expect(walked).toBe(
        counts.l1Misses * replay +
          counts.l2Hits * l2TlbHit +
          counts.firstStageReads * pteRead +
          counts.pteCacheHits * pteCacheHit,
      )
      return [counts.l1Misses, counts.l2Hits, counts.firstStageReads, counts.pteCacheHits]
    }
    expect(counted(load(AT))).toEqual([1, 0, 3, 0])
    expect(counted(load(AT) + '\n' + load(AT + 8n))).toEqual([1, 0, 3, 0])
    expect(counted(load(AT) + '\n' + load(AT + 0x1000n))).toEqual([2, 0, 4, 2])
    // 33 pages push the first one out of 32 entries; it is still in the second level.
    const pages = Array.from({ length: 33 }, (_, n) => load(AT + BigInt(n) * 0x1000n)).join('\n')
    expect(counted(pages + '\n' + load(AT))).toEqual([34, 1, 35, 64])
  })
})

describe('two stages', () => {
  const GUEST_DATA = 0x4000_0000n

  /** Guest physical memory: tables and data of the guest in one 2 MiB region, mapped to themselves or to DATA by 4 KiB pages. */
  function twoStages(program: string) {
    const vsRoot = ROOT + 0x1_0000
    const small = smallMachine(`
      la t0, noting
      csrw mtvec, t0
      li t0, -1
      csrw pmpaddr15, t0
      li t0, 0x1f
      slli t0, t0, 56
      csrw pmpcfg2, t0
      li t0, ${DATA}
      li t1, ${VALUE}
      sd t1, 0(t0)
      li t0, ${(8n << 60n) | BigInt(vsRoot / 4096)}
      csrw vsatp, t0
      li t0, ${(8n << 60n) | (7n << 44n) | BigInt(ROOT / 4096)}
      csrw hgatp, t0
      li t0, 0x100
      csrs hstatus, t0
      li t1, ${AT}
      ${program}
    `)
    const g = new PageTables(small.machine, ROOT)
    const gRoot = g.table(0x4000)
    const vs = new PageTables(small.machine, vsRoot)
    vs.map(vs.table(), 3, AT, GUEST_DATA, RW)
    vs.map(vsRoot, 3, AT + 0x1000n, GUEST_DATA + 0x1000n, RW)
    for (let n = 0; n < 4; n++) g.map(gRoot, 3, BigInt(vsRoot + n * 4096), BigInt(vsRoot + n * 4096), RW | U)
    for (let n = 0n; n < 2n; n++) g.map(gRoot, 3, GUEST_DATA + n * 0x1000n, DATA + n * 0x1000n, RW | U)
    small.run()
    const { l1Misses, l2Hits, firstStageReads, guestStageReads, pteCacheHits } = small.machine.mmuCounts(0)
    const walked = small.machine
      .ledger(0)
      .filter(({ activity }) => activity === 'walk')
      .reduce((sum, { cycles }) => sum + cycles, 0)
    const { replay, l2TlbHit, pteRead, pteCacheHit } = rocketFlat
    expect(walked).toBe(
      l1Misses * replay +
        l2Hits * l2TlbHit +
        (firstStageReads + guestStageReads) * pteRead +
        pteCacheHits * pteCacheHit,
    )
    return { ...small, counts: { l1Misses, l2Hits, firstStageReads, guestStageReads, pteCacheHits } }
  }

  test("a walk reads each stage's tables: the first stage's own through the G-stage, as far as they are not cached", () => {
    const { at, counts } = twoStages('hlv.d a0, (t1)\n note a0\n hlv.d a0, (t1)\n note a0')
    expect([at('log'), at('log', 1)]).toEqual([VALUE, VALUE])
    // Three entries of the guest's; their pages take 3, 1 and 1 reads of the G-stage's tables, its data 3.
    expect(counts).toEqual({
      l1Misses: 1,
      l2Hits: 0,
      firstStageReads: 3,
      guestStageReads: 3 + 1 + 1 + 3,
      pteCacheHits: 4,
    })
  })

  test("the next page: both upper levels from the guest's cache, then one entry and its page, then the data's page", () => {
    const { counts } = twoStages('hlv.d a0, (t1)\n li t2, 0x1000\n add t1, t1, t2\n hlv.d a0, (t1)')
    expect(counts.l1Misses).toBe(2)
    expect(counts.firstStageReads).toBe(4)
  })

  test("hfence-gvma_vmid: other guests' pages stay", () => {
    const fenced = (fence: string) => twoStages(`hlv.d a0, (t1)\n ${fence}\n hlv.d a0, (t1)`).counts.l1Misses
    expect(fenced('hfence.gvma')).toBe(2)
    expect(fenced('li t2, 7\n hfence.gvma x0, t2')).toBe(2)
    expect(fenced('li t2, 6\n hfence.gvma x0, t2')).toBe(1)
    expect(fenced('hfence.vvma')).toBe(2)
    expect(fenced('sfence.vma')).toBe(1)
  })

  test("another VMID does not see the guest's pages", () => {
    const { counts } = twoStages(
      'hlv.d a0, (t1)\n csrr t2, hgatp\n li t3, 1\n slli t3, t3, 44\n xor t2, t2, t3\n csrw hgatp, t2\n hlv.d a0, (t1)',
    )
    expect(counts.l1Misses).toBe(2)
  })
})

describe('PMP', () => {
  const deny = `li t0, ${(DATA >> 2n) | 0x1ffn}\n csrw pmpaddr0, t0`
  test('pmp_no_entry_match, pmp_entry_priority: the lowest entry that matches decides', () => {
    expect(translated(2, { ...page(RW), prelude: `${deny}\n li t0, 0x18\n csrw pmpcfg0, t0` }, load(AT))).toEqual([
      LOAD_ACCESS,
      AT,
    ])
    expect(translated(1, { ...page(RW), prelude: `${deny}\n li t0, 0x19\n csrw pmpcfg0, t0` }, noteLoad(AT))).toEqual([
      VALUE,
    ])
  })

  test('pmp_check_pagetable_access: a page table that PMP hides is an access fault of the original access', () => {
    const prelude = `li t0, ${(BigInt(ROOT) >> 2n) | 0x1ffn}\n csrw pmpaddr0, t0\n li t0, 0x18\n csrw pmpcfg0, t0`
    expect(translated(2, { ...page(RW), prelude }, store(AT))).toEqual([7n, AT])
  })

  test('pmp_l_bit_m_mode_enforcement: locked, it binds M-mode too, and can no longer be written', () => {
    const prelude = `${deny}\n li t0, 0x98\n csrw pmpcfg0, t0\n ld a0, 0(s0)\n csrw pmpcfg0, x0\n csrr a0, pmpcfg0\n note a0`
    expect(translated(3, { ...page(RW), prelude })).toEqual([LOAD_ACCESS, DATA, 0x98n])
  })

  test('pmp_a_field_tor, pmp_full_match_required: a range by its top; an access half in it fails', () => {
    const prelude = `li t0, ${DATA >> 2n}\n csrw pmpaddr0, t0\n li t0, ${(DATA + 12n) >> 2n}\n csrw pmpaddr1, t0\n li t0, 0x0900\n csrw pmpcfg0, t0`
    const values = translated(3, { ...page(RW), prelude }, noteLoad(AT), load(AT + 8n))
    expect(values).toEqual([VALUE, LOAD_ACCESS, AT + 8n])
  })
})
