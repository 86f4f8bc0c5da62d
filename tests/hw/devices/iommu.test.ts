/** The IOMMU by its specification: tables in memory, registers, and a device that knows nothing of it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryDma } from '../../../hw/bus/memory-dma.ts'
import type { Dma } from '../../../hw/bus/chip.ts'
import { Iommu } from '../../../hw/devices/iommu/iommu.ts'
import { iommuPrices } from '../../../hw/time/prices-devices.ts'
import { Memory } from '../../../hw/memory/memory.ts'
import { iommu as table, IOMMU_MODE } from '../../../hw/spec/devices/iommu.ts'
import { command, deviceContext, FAULT, faultRecord, OPCODE } from '../../../hw/spec/layouts/iommu.ts'
import { PTE_A, PTE_D, PTE_R, PTE_U, PTE_V, PTE_W, SV39 } from '../../../hw/spec/layouts/pte.ts'
import { Wire } from './bench-top.ts'

const RAM = 0x8000_0000
const PAGES = 128
const PAGE = 4096
const DEVICE = 0x10
/** Pages with a part of their own. */
const DIRECTORY = 0
const COMMANDS = 1
const FAULTS = 2
/** Data, and whatever a test needs, from here on. */
const FREE = 8
const LEAF = BigInt(PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D)
const READ_ONLY = LEAF & ~BigInt(PTE_W)

const at = (page: number) => RAM + page * PAGE
const ppn = (page: number) => BigInt(at(page) / PAGE)
const pte = (page: number, flags: bigint) => (ppn(page) << 10n) | flags

class Bench {
  readonly memory = new Memory([{ base: RAM, bytes: PAGES * PAGE, writable: true }], 1)
  readonly wires = [new Wire(), new Wire(), new Wire(), new Wire()]
  readonly chip: Iommu
  readonly dma: Dma
  #next = FREE

  constructor({ messages = false } = {}) {
    this.chip = new Iommu(this.memory, memoryDma(this.memory), this.wires, { messages })
    this.dma = this.chip.behind(DEVICE)
  }

  ram(): Uint8Array {
    const host = this.memory.toHost(RAM)
    return this.memory.bytes.slice(host, host + PAGES * PAGE)
  }

  page(): number {
    return this.#next++
  }

  put(address: number, value: bigint): void {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, value, true)
    this.memory.write(address, bytes)
  }

  get(address: number): bigint {
    return this.memory.view.getBigUint64(this.memory.toHost(address), true)
  }

  register(offset: number, value: number | bigint): void {
    this.chip.write(offset, 4, Number(BigInt(value) & 0xffff_ffffn))
  }

  wide(offset: number, value: bigint): void {
    this.register(offset + 4, value >> 32n)
    this.register(offset, value)
  }

  /** Directory and queues of 16 entries, on. */
  start(mode: number = IOMMU_MODE.LVL1, root = DIRECTORY): void {
    this.wide(table.cqb.at, (ppn(COMMANDS) << 10n) | 3n)
    this.register(table.cqcsr.at, 3)
    this.wide(table.fqb.at, (ppn(FAULTS) << 10n) | 3n)
    this.register(table.fqcsr.at, 3)
    this.wide(table.ddtp.at, (ppn(root) << 10n) | BigInt(mode))
  }

  /** A device context; words by name. */
  context(words: Partial<Record<keyof typeof deviceContext, bigint>>, page = DIRECTORY, device = DEVICE): void {
    for (const [name, value] of Object.entries({ tc: 1n, ...words })) {
      const member = deviceContext[name as 'tc']
      this.put(at(page) + (device & 63) * deviceContext.size + member.at, value)
    }
  }

  /** A first-stage table that maps page n of the device to the nth of `leaves`; returns fsc. */
  firstStage(leaves: readonly bigint[]): bigint {
    const [root, middle, last] = [this.page(), this.page(), this.page()]
    this.put(at(root), pte(middle, BigInt(PTE_V)))
    this.put(at(middle), pte(last, BigInt(PTE_V)))
    leaves.forEach((leaf, index) => this.put(at(last) + index * 8, leaf))
    return (BigInt(SV39) << 60n) | ppn(root)
  }

  /** A second-stage table (its root takes four pages); returns iohgatp with GSCID 7. */
  secondStage(leaves: readonly bigint[]): bigint {
    while (this.#next % 4 !== 0) this.#next++
    const root = this.#next
    this.#next += 4
    const [middle, last] = [this.page(), this.page()]
    this.put(at(root), pte(middle, BigInt(PTE_V)))
    this.put(at(middle), pte(last, BigInt(PTE_V)))
    leaves.forEach((leaf, index) => this.put(at(last) + index * 8, leaf))
    return (BigInt(SV39) << 60n) | (7n << 44n) | ppn(root)
  }

  command(low: bigint, high = 0n): void {
    const tail = this.chip.read(table.cqt.at, 4)
    this.put(at(COMMANDS) + tail * command.size, low)
    this.put(at(COMMANDS) + tail * command.size + 8, high)
    this.register(table.cqt.at, (tail + 1) % 16)
  }

  /** Faults in the queue: cause, type, device, iotval, iotval2. */
  faults(): number[][] {
    const found: number[][] = []
    for (let index = 0; index < this.chip.read(table.fqt.at, 4); index++) {
      const address = at(FAULTS) + index * faultRecord.size
      const first = this.get(address)
      found.push([
        Number(first & 0xfffn),
        Number((first >> 34n) & 0x3fn),
        Number(first >> 40n),
        Number(this.get(address + 16)),
        Number(this.get(address + 24)),
      ])
    }
    return found
  }

  reads(address: number, bytes = 8): boolean {
    return this.dma.read(address, new Uint8Array(bytes))
  }

  writes(address: number, bytes = 8): boolean {
    return this.dma.write(address, new Uint8Array(bytes).fill(0xab))
  }
}

const VMA = BigInt(OPCODE.IOTINVAL)
const GVMA = VMA | (1n << 7n)
const AV = 1n << 10n
const GV = 1n << 33n
const IODIR = BigInt(OPCODE.IODIR)

describe('IOMMU ddtp', () => {
  test('Off: nothing passes, and each refusal is cause 256', () => {
    const bench = new Bench()
    bench.start(IOMMU_MODE.OFF)
    expect(bench.reads(RAM)).toBe(false)
    expect(bench.faults()).toEqual([[FAULT.ALL_DISALLOWED, 2, DEVICE, RAM, 0]])
  })

  test('Bare: everything passes as it is', () => {
    const bench = new Bench()
    bench.start(IOMMU_MODE.BARE)
    expect(bench.writes(at(100))).toBe(true)
    expect(bench.get(at(100))).toBe(0xabab_abab_abab_ababn)
  })

  test('one, two and three levels of directory; a number wider than they are is cause 260', () => {
    for (const [mode, levels] of [
      [IOMMU_MODE.LVL1, 1],
      [IOMMU_MODE.LVL2, 2],
      [IOMMU_MODE.LVL3, 3],
    ]) {
      const bench = new Bench()
      const device = levels === 1 ? 0x3f : levels === 2 ? 0x7fff : 0xffffff
      const index = [device & 63, (device >> 6) & 511, device >> 15]
      let page = bench.page()
      bench.start(mode, page)
      for (let level = levels - 1; level > 0; level--) {
        const next = bench.page()
        bench.put(at(page) + index[level] * 8, (ppn(next) << 10n) | 1n)
        page = next
      }
      bench.context({}, page, device)
      expect(bench.chip.behind(device).read(RAM, new Uint8Array(8))).toBe(true)
      if (levels === 3) continue
      expect(bench.chip.behind((device + 1) * 1).read(RAM, new Uint8Array(8))).toBe(false)
      expect(bench.faults()[0][0]).toBe(FAULT.TYPE_DISALLOWED)
    }
  })
})

describe('IOMMU device-context', () => {
  test.each<[string, Partial<Record<keyof typeof deviceContext, bigint>>, number]>([
    ['V is 0', { tc: 0n }, FAULT.DDT_NOT_VALID],
    ['a reserved bit of tc', { tc: 1n | (1n << 20n) }, FAULT.DDT_MISCONFIGURED],
    ['EN_ATS, which is not supported', { tc: 3n }, FAULT.DDT_MISCONFIGURED],
    ['a scheme that is not supported', { fsc: 10n << 60n }, FAULT.DDT_MISCONFIGURED],
    ['a second-stage root that is not aligned', { iohgatp: (8n << 60n) | 1n }, FAULT.DDT_MISCONFIGURED],
    ['an MSI table without a second stage', { msiptp: 1n << 60n }, FAULT.DDT_MISCONFIGURED],
    ['DPE without PDTV', { tc: 1n | (1n << 9n) }, FAULT.DDT_MISCONFIGURED],
    ['a reserved doubleword', { reserved: 1n }, FAULT.DDT_MISCONFIGURED],
  ])('is refused for %s', (_why, words, cause) => {
    const bench = new Bench()
    bench.context(words)
    bench.start()
    expect(bench.reads(RAM)).toBe(false)
    expect(bench.faults()).toEqual([[cause, 2, DEVICE, RAM, 0]])
  })

  test('DTF silences faults of translation, not those of the directory', () => {
    const bench = new Bench()
    bench.context({ tc: 1n | (1n << 4n), fsc: bench.firstStage([]) })
    bench.start()
    expect(bench.reads(0)).toBe(false)
    expect(bench.faults()).toEqual([])
    bench.context({ tc: 0n })
    bench.command(IODIR)
    expect(bench.reads(0)).toBe(false)
    expect(bench.faults().map(([cause]) => cause)).toEqual([FAULT.DDT_NOT_VALID])
  })
})

describe('translation', () => {
  test('first stage: pages are where the table says; a transfer over a page that is not mapped does not happen', () => {
    const bench = new Bench()
    bench.context({ fsc: bench.firstStage([pte(101, LEAF), pte(100, LEAF), pte(102, READ_ONLY)]) })
    bench.start()
    expect(bench.writes(PAGE - 4)).toBe(true)
    expect([bench.get(at(102) - 8) >> 32n, bench.get(at(100)) & 0xffff_ffffn]).toEqual([0xabab_ababn, 0xabab_ababn])
    expect(bench.reads(2 * PAGE)).toBe(true)
    expect(bench.writes(2 * PAGE - 4)).toBe(false)
    expect(bench.get(at(101) - 8)).toBe(0n)
    expect(bench.reads(3 * PAGE - 4)).toBe(false)
    expect(bench.faults()).toEqual([
      [15, 3, DEVICE, 2 * PAGE, 0],
      [13, 2, DEVICE, 3 * PAGE, 0],
    ])
  })

  test('second stage: a guest page fault says where; one of the walk itself says so', () => {
    const bench = new Bench()
    bench.context({ iohgatp: bench.secondStage([pte(101, LEAF)]) })
    bench.start()
    expect(bench.writes(0x10)).toBe(true)
    expect(bench.reads(PAGE + 0x124)).toBe(false)
    expect(bench.faults()).toEqual([[21, 2, DEVICE, PAGE + 0x124, PAGE]])
    bench.context({ fsc: (BigInt(SV39) << 60n) | 5n })
    bench.command(IODIR | GV | (BigInt(DEVICE) << 40n))
    expect(bench.reads(2 * PAGE)).toBe(false)
    expect(bench.faults()[1]).toEqual([21, 2, DEVICE, 2 * PAGE, 5 * PAGE + 1])
  })

  test('A and D are set where tc says so, else they are faults', () => {
    const bench = new Bench()
    const clean = LEAF & ~BigInt(PTE_A | PTE_D)
    const fsc = bench.firstStage([pte(101, clean)])
    bench.context({ fsc })
    bench.start()
    expect(bench.reads(0)).toBe(false)
    bench.context({ tc: 1n | (1n << 8n) })
    bench.command(IODIR)
    expect(bench.reads(0)).toBe(true)
    expect(bench.writes(0)).toBe(true)
    expect(bench.get(at(FREE + 2)) & 0xffn).toBe(LEAF)
  })

  test('a cached translation holds until it is invalidated: by page, by address space, by guest', () => {
    for (const [first, again] of [
      [VMA | AV, false],
      [VMA, false],
      [VMA | (1n << 32n) | (5n << 12n), false],
      [VMA | (1n << 32n) | (6n << 12n), true],
      [VMA | GV, true],
      [GVMA, true],
    ] as const) {
      const bench = new Bench()
      bench.context({ fsc: bench.firstStage([pte(101, LEAF)]), ta: 5n << 12n })
      bench.start()
      expect(bench.reads(0)).toBe(true)
      bench.put(at(FREE + 2), 0n)
      expect(bench.reads(0)).toBe(true)
      bench.command(first)
      expect(bench.reads(0)).toBe(again)
    }
    for (const [low, high, again] of [
      [GVMA | GV | (7n << 44n), 0n, false],
      [GVMA | GV | (7n << 44n) | AV, 0n, false],
      [GVMA | GV | (7n << 44n) | AV, 1n << 10n, true],
      [GVMA | GV | (6n << 44n), 0n, true],
      [GVMA, 0n, false],
      [VMA, 0n, true],
    ] as const) {
      const bench = new Bench()
      bench.context({ iohgatp: bench.secondStage([pte(101, LEAF)]) })
      bench.start()
      expect(bench.reads(0)).toBe(true)
      for (let page = FREE; page < FREE + 12; page++)
        if (bench.get(at(page)) === pte(101, LEAF)) bench.put(at(page), 0n)
      bench.command(low, high)
      expect(bench.reads(0)).toBe(again)
    }
  })

  test('an MSI page table redirects writes to a virtual interrupt file', () => {
    const bench = new Bench()
    const messages = bench.page()
    // Interrupt files at guest pages 0x28000 and 0x28001.
    bench.context({
      iohgatp: bench.secondStage([pte(101, LEAF)]),
      msiptp: (1n << 60n) | ppn(messages),
      msi_addr_mask: 1n,
      msi_addr_pattern: 0x28000n,
    })
    bench.start()
    bench.put(at(messages) + 16, (ppn(120) << 10n) | 7n)
    expect(bench.writes(0x2800_1000, 4)).toBe(true)
    expect(bench.get(at(120))).toBe(0xabab_ababn)
    expect(bench.writes(0x2800_0000, 4)).toBe(false)
    bench.put(at(messages), (ppn(120) << 10n) | 3n)
    expect(bench.writes(0x2800_0000, 4)).toBe(false)
    expect(bench.faults().map(([cause]) => cause)).toEqual([FAULT.MSI_NOT_VALID, FAULT.MSI_MISCONFIGURED])
    expect(bench.writes(0)).toBe(true)
  })

  test('a translation takes the time of its reads of tables: context and walk, then nothing until it is invalidated', () => {
    const bench = new Bench()
    const data = [bench.page(), bench.page()]
    bench.context({ fsc: bench.firstStage(data.map(page => pte(page, LEAF))), iohgatp: 0n })
    bench.start()
    const reads = () => bench.dma.waited!() / iommuPrices.tableRead
    bench.reads(0)
    expect(reads()).toBe(1 + 3)
    bench.writes(8)
    expect(reads()).toBe(0)
    // the walker remembers tables that are not leaves
    bench.reads(PAGE)
    expect(reads()).toBe(1)
    bench.command(BigInt(OPCODE.IOTINVAL))
    bench.reads(0)
    expect(reads()).toBe(3)
    bench.command(BigInt(OPCODE.IODIR))
    bench.command(BigInt(OPCODE.IOTINVAL))
    bench.reads(0, 2 * PAGE)
    expect(reads()).toBe(1 + 3 + 1)
  })

  test('the debug interface translates without a device', () => {
    const bench = new Bench()
    bench.context({ fsc: bench.firstStage([pte(101, READ_ONLY)]) })
    bench.start()
    bench.wide(table.tr_req_iova.at, 0x123n)
    bench.wide(table.tr_req_ctl.at, (BigInt(DEVICE) << 40n) | 9n)
    expect(bench.chip.read(table.tr_response.at, 4)).toBe(Number((ppn(101) << 10n) & 0xffff_ffffn))
    bench.wide(table.tr_req_ctl.at, (BigInt(DEVICE) << 40n) | 1n)
    expect(bench.chip.read(table.tr_response.at, 4) & 1).toBe(1)
  })
})

describe('IOMMU command-queue', () => {
  test('a command that does not exist stops it at that command, until software clears cmd_ill', () => {
    const bench = new Bench()
    bench.start()
    bench.command(VMA)
    bench.command(63n)
    bench.command(VMA)
    expect(bench.chip.read(table.cqh.at, 4)).toBe(1)
    expect(bench.chip.read(table.ipsr.at, 4)).toBe(1)
    expect(bench.wires[0].level).toBe(true)
    bench.put(at(COMMANDS) + command.size, VMA)
    bench.register(table.cqcsr.at, 3 | (1 << table.cqcsr.fields.cmd_ill.low))
    expect(bench.chip.read(table.cqh.at, 4)).toBe(3)
    bench.register(table.ipsr.at, 1)
    expect(bench.wires[0].level).toBe(false)
  })

  test('IOFENCE.C writes its data, and interrupts by wire if it is asked to', () => {
    const bench = new Bench()
    bench.start()
    bench.register(table.icvec.at, 2)
    bench.command(BigInt(OPCODE.IOFENCE) | AV | (1n << 11n) | (0x1234n << 32n), BigInt(at(110)) >> 2n)
    expect(bench.get(at(110))).toBe(0x1234n)
    expect(bench.wires.map(({ level }) => level)).toEqual([false, false, true, false])
    bench.command(BigInt(OPCODE.IOFENCE) | AV, 0n)
    expect(bench.chip.read(table.cqcsr.at, 4) & (1 << table.cqcsr.fields.cqmf.low)).not.toBe(0)
  })
})

test('IOMMU msi: by message, once each time that something begins to be pending, held back by its mask; by wire if software says so', () => {
  const bench = new Bench({ messages: true })
  const mailbox = bench.page()
  const came = () => {
    const value = Number(bench.get(at(mailbox)))
    bench.put(at(mailbox), 0n)
    return value
  }
  bench.register(table.fctl.at, 0)
  bench.register(table.icvec.at, 0x20)
  bench.wide(table.msi_addr.at + 2 * 16, BigInt(at(mailbox)))
  bench.register(table.msi_data.at + 2 * 16, 0x77)
  bench.register(table.msi_vec_ctl.at + 2 * 16, 1)
  bench.start()
  bench.reads(0)
  expect([came(), bench.wires.some(({ level }) => level)]).toEqual([0, false])
  bench.register(table.msi_vec_ctl.at + 2 * 16, 0)
  expect(came()).toBe(0x77)
  bench.reads(0)
  expect(came()).toBe(0)
  bench.register(table.ipsr.at, 2)
  bench.reads(0)
  expect(came()).toBe(0x77)
  const saved = structuredClone(bench.chip.save())
  bench.register(table.msi_data.at + 2 * 16, 0x78)
  bench.chip.restore(saved)
  expect(bench.chip.read(table.msi_data.at + 2 * 16, 4)).toBe(0x77)
  // nobody is there: a fault of the IOMMU's own
  bench.wide(table.msi_addr.at + 2 * 16, 0x1000n)
  bench.register(table.ipsr.at, 2)
  bench.reads(0)
  expect(bench.faults().at(-1)).toEqual([FAULT.MSI_WRITE, 0, 0, 0x1000, 0])
  bench.register(table.fctl.at, 2)
  bench.register(table.ipsr.at, 2)
  bench.reads(0)
  expect(bench.wires[2].level).toBe(true)
})

test('IOMMU fault-queue: full, it says so and keeps what it has', () => {
  const bench = new Bench()
  bench.start(IOMMU_MODE.OFF)
  for (let index = 0; index < 20; index++) bench.reads(index * 8)
  expect(bench.faults().map(([, , , iotval]) => iotval)).toEqual(Array.from({ length: 15 }, (_, index) => index * 8))
  expect(bench.chip.read(table.fqcsr.at, 4) & (1 << table.fqcsr.fields.fqof.low)).not.toBe(0)
  expect(bench.wires[0].level).toBe(true)
})

test('a saved IOMMU goes on as it was, its cache too', () => {
  const bench = new Bench()
  bench.context({ fsc: bench.firstStage([pte(101, LEAF)]) })
  bench.start()
  bench.reads(0)
  const state = structuredClone(bench.chip.save())
  bench.put(at(FREE + 2), 0n)
  bench.command(VMA)
  expect(bench.reads(0)).toBe(false)
  bench.chip.restore(state)
  expect(bench.reads(0)).toBe(true)
})

test('whatever a device asks for, it touches no page that its tables do not give it, and each refusal is on record', () => {
  const access = fc.record({
    write: fc.boolean(),
    address: fc.oneof(
      fc.integer({ min: 0, max: 20 * PAGE }),
      fc.integer({ min: RAM, max: RAM + PAGES * PAGE }),
      fc.maxSafeNat(),
    ),
    bytes: fc.integer({ min: 1, max: 3 * PAGE }),
  })
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.record({ page: fc.integer({ min: 100, max: 115 }), write: fc.boolean() })), {
        maxLength: 16,
      }),
      fc.boolean(),
      fc.array(access, { maxLength: 14 }),
      (mapping, second, accesses) => {
        const bench = new Bench()
        const leaves = mapping.map(leaf => (leaf ? pte(leaf.page, leaf.write ? LEAF : READ_ONLY) : 0n))
        bench.context(second ? { iohgatp: bench.secondStage(leaves) } : { fsc: bench.firstStage(leaves) })
        bench.start()
        const writable = new Set(mapping.flatMap(leaf => (leaf?.write ? [leaf.page] : [])))
        const before = bench.ram()
        let refused = 0
        for (const { write, address, bytes } of accesses) {
          if (!(write ? bench.writes(address, bytes) : bench.reads(address, bytes))) refused++
        }
        expect(bench.faults().length).toBe(refused)
        const after = bench.ram()
        for (const page of [FAULTS, ...writable]) {
          for (const bytes of [before, after]) bytes.fill(0, page * PAGE, (page + 1) * PAGE)
        }
        expect(Buffer.compare(after, before)).toBe(0)
      },
    ),
  )
})
