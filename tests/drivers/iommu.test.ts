/** The IOMMU's driver on the IOMMU: who is given what reaches it, and nobody reaches more. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type IommuDevice, iommuDriver } from '../../drivers/iommu.ts'
import { PortEnvironment } from '../../drivers/port-environment.ts'
import { memoryDma } from '../../hw/bus/memory-dma.ts'
import { Iommu } from '../../hw/devices/iommu/iommu.ts'
import { Memory } from '../../hw/memory/memory.ts'
import type { HartPort } from '../../hw/port.ts'
import { IOMMU_BYTES } from '../../hw/spec/devices/iommu.ts'
import { FAULT, TTYP } from '../../hw/spec/layouts/iommu.ts'
import { PTE_A, PTE_D, PTE_R, PTE_U, PTE_V, PTE_W } from '../../hw/spec/layouts/pte.ts'
import { Wire } from '../hw/devices/bench-top.ts'

const RAM = 0x8000_0000
const REGISTERS = 0x301_0000
const PAGE = 4096
const PAGES = 256
/** Where tables are made, and where data lies. */
const TABLES = RAM + 64 * PAGE
const DATA = RAM + 128 * PAGE
const LEAF = PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D
const LOAD_GUEST_PAGE = 21
const STORE_GUEST_PAGE = 23

interface Fault {
  readonly device: number
  readonly cause: number
  readonly kind: number
  readonly address: number
}

class Bench {
  readonly memory = new Memory([{ base: RAM, bytes: PAGES * PAGE, writable: true }], 1)
  readonly wires = [new Wire(), new Wire(), new Wire(), new Wire()]
  readonly chip = new Iommu(this.memory, memoryDma(this.memory), this.wires)
  readonly faults: Fault[] = []
  readonly driver: IommuDevice
  readonly #environment: PortEnvironment

  constructor() {
    const dma = { base: RAM, device: RAM, bytes: 64 * PAGE }
    const current = { port: this.#port() }
    this.#environment = new PortEnvironment({
      current,
      name: 'iommu',
      registers: REGISTERS,
      dma,
      interrupts: [() => {}],
      now: () => 0,
      wakeAt: () => {},
    })
    this.driver = iommuDriver(this.#environment, { devices: 256, messageTables: 2 })
    this.driver.onFault((device, cause, kind, address) => this.faults.push({ device, cause, kind, address }))
  }

  #port(): HartPort {
    const { memory, chip } = this
    const at = (address: number) => memory.toHost(address)
    const isRegister = (address: number) => address >= REGISTERS && address < REGISTERS + IOMMU_BYTES
    return {
      load32: (address: number) =>
        isRegister(address) ? chip.read(address - REGISTERS, 4) : memory.view.getUint32(at(address), true),
      load64: (address: number) => Number(memory.view.getBigUint64(at(address), true)),
      store32: (address: number, value: number) =>
        isRegister(address)
          ? chip.write(address - REGISTERS, 4, value >>> 0)
          : memory.view.setUint32(at(address), value, true),
      store64: (address: number, value: number) => memory.view.setBigUint64(at(address), BigInt(value), true),
      fence: () => {},
    } as unknown as HartPort
  }

  /** What is up is handled. */
  interrupt(): void {
    if (this.wires[0].level) this.#environment.interrupted(0)
  }

  /** A G-stage table that maps guest page n to the nth of `pages` (undefined: not); its root. */
  tables(number: number, pages: readonly (number | undefined)[]): number {
    const root = TABLES + number * 8 * PAGE
    const put = (address: number, value: bigint) =>
      this.memory.view.setBigUint64(this.memory.toHost(address), value, true)
    const pointer = (address: number, flags: number) => BigInt((address / PAGE) * 1024 + flags)
    put(root, pointer(root + 4 * PAGE, PTE_V))
    put(root + 4 * PAGE, pointer(root + 5 * PAGE, PTE_V))
    pages.forEach((page, index) => {
      if (page !== undefined) put(root + 5 * PAGE + index * 8, pointer(page, LEAF))
    })
    return root
  }

  write(device: number, address: number, value: number): boolean {
    return this.chip.behind(device).write(address, new Uint8Array(8).fill(value))
  }

  read(device: number, address: number): number | undefined {
    const bytes = new Uint8Array(8)
    return this.chip.behind(device).read(address, bytes) ? bytes[0] : undefined
  }

  ram(): Uint8Array {
    const at = this.memory.toHost(RAM)
    return this.memory.bytes.subarray(at, at + PAGES * PAGE)
  }

  byteAt(address: number): number {
    return this.memory.bytes[this.memory.toHost(address)]
  }
}

test('a device without a context reaches nothing, and the refusal is heard', () => {
  const bench = new Bench()
  bench.driver.start()
  expect(bench.driver.ready()).toBe(true)
  expect(bench.write(0x10, DATA, 1)).toBe(false)
  bench.interrupt()
  expect(bench.faults).toEqual([{ device: 0x10, cause: FAULT.DDT_NOT_VALID, kind: TTYP.WRITE, address: DATA }])
  expect(bench.wires[0].level).toBe(false)
})

test('a device with a context reaches what its tables map; two devices have tables of their own', () => {
  const bench = new Bench()
  const { driver } = bench
  driver.start()
  expect(driver.attach(0x08, bench.tables(0, [DATA]), 1, -1, 0, 0)).toBe(true)
  expect(driver.attach(0x90, bench.tables(1, [DATA + PAGE]), 2, -1, 0, 0)).toBe(true)
  expect(bench.write(0x08, 0x10, 0xaa) && bench.write(0x90, 0x10, 0xbb)).toBe(true)
  expect([bench.byteAt(DATA + 0x10), bench.byteAt(DATA + PAGE + 0x10)]).toEqual([0xaa, 0xbb])
  expect(bench.read(0x08, PAGE)).toBeUndefined()
  bench.interrupt()
  expect(bench.faults).toEqual([{ device: 0x08, cause: LOAD_GUEST_PAGE, kind: TTYP.READ, address: PAGE }])
})

test('a function has one owner: a second context is refused', () => {
  const { driver, ...bench } = new Bench()
  driver.start()
  expect(driver.attach(0x08, TABLES, 1, -1, 0, 0)).toBe(true)
  expect(driver.attach(0x08, TABLES, 2, -1, 0, 0)).toBe(false)
  expect(bench.faults).toEqual([])
})

test('detached, it reaches nothing, whatever the IOMMU had remembered', () => {
  const bench = new Bench()
  const { driver } = bench
  driver.start()
  driver.attach(0x08, bench.tables(0, [DATA]), 1, -1, 0, 0)
  expect(bench.write(0x08, 0, 1)).toBe(true)
  expect(driver.detach(0x08) && driver.invalidate(1)).toBe(true)
  expect(bench.write(0x08, 0, 2)).toBe(false)
  expect(bench.byteAt(DATA)).toBe(1)
})

test('pages taken out of the tables are out of reach once `invalidate` returns', () => {
  const bench = new Bench()
  const { driver } = bench
  driver.start()
  const root = bench.tables(0, [DATA])
  driver.attach(0x08, root, 1, -1, 0, 0)
  expect(bench.write(0x08, 0, 1)).toBe(true)
  bench.memory.view.setBigUint64(bench.memory.toHost(root + 5 * PAGE), 0n, true)
  expect(driver.invalidate(1)).toBe(true)
  expect(bench.write(0x08, 0, 2)).toBe(false)
})

test('messages go to the interrupt file of their table, and only those that are for it', () => {
  const bench = new Bench()
  const { driver } = bench
  driver.start()
  driver.setMessage(1, 2, DATA + 7 * PAGE)
  driver.attach(0x08, bench.tables(0, []), 1, 1, 3, 0x2_8000)
  expect(bench.chip.behind(0x08).write(0x2800_2000, Uint8Array.of(9, 0, 0, 0))).toBe(true)
  expect(bench.byteAt(DATA + 7 * PAGE)).toBe(9)
  expect(bench.chip.behind(0x08).write(0x2800_1000, Uint8Array.of(9, 0, 0, 0))).toBe(false)
  bench.interrupt()
  expect(bench.faults.map(({ cause }) => cause)).toEqual([FAULT.MSI_NOT_VALID])
})

test('more refusals than the queue holds: the rest is lost, is known to be, and the queue goes on', () => {
  const bench = new Bench()
  const { driver } = bench
  driver.start()
  for (let count = 0; count < 200; count++) bench.write(0x08, DATA, 1)
  bench.interrupt()
  expect([bench.faults.length, driver.overflowed(), driver.overflowed()]).toEqual([127, true, false])
  bench.write(0x08, DATA, 1)
  bench.interrupt()
  expect(bench.faults.length).toBe(128)
})

test('random requests of random devices touch no page outside their tables, and each refusal is in the queue', () => {
  const owners = [0x08, 0x10, 0x90]
  const page = fc.integer({ min: 0, max: 7 })
  const request = fc.record({
    device: fc.constantFrom(...owners, 0x18),
    address: fc.integer({ min: 0, max: 10 * PAGE }),
    bytes: fc.integer({ min: 1, max: 3 * PAGE }),
    write: fc.boolean(),
  })
  const sets = fc.array(fc.array(fc.option(page, { nil: undefined }), { maxLength: 8 }), { minLength: 3, maxLength: 3 })
  fc.assert(
    fc.property(sets, fc.array(request, { maxLength: 60 }), (maps, requests) => {
      const bench = new Bench()
      bench.driver.start()
      // Each owner has eight pages of its own, mapped in any order, or not.
      const home = (owner: number, index: number) => DATA + (owner * 8 + index) * PAGE
      const pages = maps.map((map, owner) => map.map(index => (index === undefined ? undefined : home(owner, index))))
      owners.forEach((device, owner) =>
        bench.driver.attach(device, bench.tables(owner, pages[owner]), owner + 1, -1, 0, 0),
      )
      const before = bench.ram().slice()
      let refused = 0
      let wrong = 0
      const touched = new Set<number>()
      for (const { device, address, bytes, write } of requests) {
        const mapped = pages[owners.indexOf(device)] ?? []
        const reached: (number | undefined)[] = []
        for (let at = Math.floor(address / PAGE); at * PAGE < address + bytes; at++) reached.push(mapped[at])
        const dma = bench.chip.behind(device)
        const done = write
          ? dma.write(address, new Uint8Array(bytes).fill(0xee))
          : dma.read(address, new Uint8Array(bytes))
        if (done !== reached.every(at => at !== undefined)) wrong++
        if (!done) refused++
        else if (write) for (const at of reached) touched.add(at!)
      }
      bench.interrupt()
      expect([bench.faults.length, wrong]).toEqual([refused, 0])
      const refusals = bench.faults.filter(({ device, cause, kind }) => {
        if (!owners.includes(device)) return cause !== FAULT.DDT_NOT_VALID
        return cause !== (kind === TTYP.WRITE ? STORE_GUEST_PAGE : LOAD_GUEST_PAGE)
      })
      expect(refusals).toEqual([])
      const changed: number[] = []
      for (let at = DATA; at < RAM + PAGES * PAGE; at += PAGE) {
        const from = at - RAM
        const isSame = Buffer.compare(bench.ram().subarray(from, from + PAGE), before.subarray(from, from + PAGE)) === 0
        if (!touched.has(at) && !isSame) changed.push(at)
      }
      expect(changed).toEqual([])
    }),
    { numRuns: 50 },
  )
})
