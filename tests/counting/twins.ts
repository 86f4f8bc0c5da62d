/** Runs each TypeScript twin with the inputs that its C twin gets (twins/*.c): the same random sequence, the same order. */
import { pathLength } from '../../hw/hart/port/path-length.ts'
import type { HartPort } from '../../hw/port.ts'
import { allocateRun, freeRun } from './twins/bitmap.ts'
import { checksum } from './twins/checksum.ts'
import { decodeAccess } from './twins/exit-decode.ts'
import { closeHandle, openHandle, RING, useHandle } from './twins/handles.ts'
import { claim, complete, setLevel } from './twins/interrupts.ts'
import { learn, portOf } from './twins/mac-table.ts'
import { poll } from './twins/nvme-poll.ts'
import { BUCKETS, findPage, replacePage } from './twins/page-cache.ts'
import { lookUp, mapPage } from './twins/page-walk.ts'
import { call } from './twins/sbi.ts'
import { charge, pickNext } from './twins/scheduler.ts'
import { arm, disarm, SLOTS, tick } from './twins/timer-wheel.ts'
import { readRegister, receive, writeRegister } from './twins/uart.ts'
import { giveBack, takeChain } from './twins/virtqueue-device.ts'

const ROUNDS = 400
const BASE = 0x8000_0000

export interface Counted {
  readonly instructions: number
  /** Of the results, as the C twin sums them. */
  readonly sum: number
}

/** The machine as a twin sees it: plain memory, whose accesses are one instruction each. */
class Bench {
  counted = 0
  sum = 0
  readonly memory = new DataView(new ArrayBuffer(1 << 20))
  readonly port: HartPort
  readonly #traced: boolean
  #seed: number

  constructor(distribution: number, traced: boolean) {
    this.#traced = traced
    this.#seed = 12345 + distribution
    const { memory } = this
    const load =
      (read: (at: number) => number) =>
      (address: number): number => {
        this.counted++
        return read(address - BASE)
      }
    const store =
      (write: (at: number, value: number) => void) =>
      (address: number, value: number): void => {
        this.counted++
        write(address - BASE, value)
      }
    this.port = {
      load8: load(at => memory.getUint8(at)),
      load16: load(at => memory.getUint16(at, true)),
      load32: load(at => memory.getUint32(at, true)),
      load64: load(at => Number(memory.getBigUint64(at, true))),
      store16: store((at, value) => memory.setUint16(at, value, true)),
      store32: store((at, value) => memory.setUint32(at, value, true)),
      store64: store((at, value) => memory.setBigUint64(at, BigInt(value), true)),
      fence: () => {
        this.counted++
      },
    } as unknown as HartPort
  }

  rnd(): number {
    let seed = this.#seed
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    this.#seed = seed
    return seed >>> 0
  }

  note(value: number): void {
    this.sum = (Math.imul(this.sum, 31) + value) >>> 0
  }

  measure<T>(run: () => T): T {
    pathLength[0] = 0
    pathLength[2] = this.#traced ? 1 : 0
    const result = run()
    this.counted += pathLength[0]
    pathLength[2] = 0
    return result
  }
}

type Run = (bench: Bench, distribution: number) => void

const TWINS: Readonly<Record<string, Run>> = {
  scheduler(bench, distribution) {
    const count = [2, 6, 16][distribution]
    const queue = {
      count,
      minimum: 0,
      runnable: new Int32Array(count).fill(1),
      virtualTime: new Float64Array(count),
      weight: Int32Array.from({ length: count }, (_, i) => 256 << (i % 4)),
    }
    for (let i = 0; i < ROUNDS; i++) {
      const which = bench.rnd() % count
      queue.runnable[which] = bench.rnd() % 4 !== 0 ? 1 : 0
      const next = bench.measure(() => pickNext(queue))
      bench.note(next + 1)
      const ran = 1000 + (bench.rnd() % 5000)
      bench.measure(() => charge(queue, next, ran))
    }
  },
  exit_decode(bench, distribution) {
    const access = { bytes: 0, register: 0, write: false, signed: false, length: 0 }
    for (let i = 0; i < ROUNDS; i++) {
      const r = bench.rnd()
      const instruction =
        distribution === 0
          ? (r & 0x01ff0f80) | (r & 0x1000 ? 0x2023 : 0x2003)
          : distribution === 1
            ? (r & 0x1ffc) | (r & 0x20000 ? 0xc000 : 0x4000) | (r & 0x40000 ? 2 : 0)
            : r
      const good = bench.measure(() => decodeAccess(instruction, access))
      bench.note(good ? access.bytes * 64 + access.register : 1)
    }
  },
  page_walk(bench, distribution) {
    const span = [64, 4096, 1 << 18][distribution]
    const pool = { next: BASE + 4096, end: BASE + 256 * 4096 }
    for (let i = 0; i < ROUNDS; i++) {
      const address = (bench.rnd() % span) * 4096
      const physical = (bench.rnd() % 65536) * 4096
      if (i % 2 === 0) bench.note(bench.measure(() => mapPage(bench.port, pool, BASE, address, physical, 0xcf)) ? 2 : 1)
      else {
        const at = bench.measure(() => lookUp(bench.port, BASE, address + 0x123))
        bench.note(at < 0 ? 1 : Math.floor(at / 4096))
      }
    }
  },
  bitmap(bench, distribution) {
    const longest = [1, 8, 40][distribution]
    const map = { words: new Int32Array(64), bits: 2048, hint: 0, free: 2048 }
    const starts = Array.from({ length: 32 }, () => -1)
    const counts = Array.from({ length: 32 }, () => 0)
    for (let i = 0; i < ROUNDS; i++) {
      const slot = bench.rnd() % 32
      if (starts[slot] >= 0) bench.measure(() => freeRun(map, starts[slot], counts[slot]))
      counts[slot] = 1 + (bench.rnd() % longest)
      starts[slot] = bench.measure(() => allocateRun(map, counts[slot]))
      bench.note(starts[slot] + 1)
    }
  },
  checksum(bench, distribution) {
    for (let i = 0; i < 4096; i++) bench.memory.setUint32(i * 4, bench.rnd(), true)
    const longest = [20, 64, 1500][distribution]
    for (let i = 0; i < ROUNDS; i++) {
      const at = BASE + (bench.rnd() % 512) * 16
      const bytes = distribution === 0 ? 20 : 1 + (bench.rnd() % longest)
      bench.note(bench.measure(() => checksum(bench.port, at, bytes, 7)))
    }
  },
  mac_table(bench, distribution) {
    const stations = [8, 100, 4000][distribution]
    const empty = (): Int32Array => new Int32Array(256)
    const table = { low: empty(), high: empty(), port: empty(), seen: empty(), learned: 0 }
    const low = (station: number): number => ((Math.imul(station, 2654435761) >>> 0) % 0xffffffff) | 0
    for (let i = 0; i < ROUNDS; i++) {
      const from = (bench.rnd() % stations) + 1
      const to = (bench.rnd() % stations) + 1
      bench.measure(() => learn(table, low(from), 0x5254, from % 8, i + 1))
      bench.note(bench.measure(() => portOf(table, low(to), 0x5254)) + 1)
    }
  },
  timer_wheel(bench, distribution) {
    const count = [4, 64, 64][distribution]
    const reach = [20, 60, 400][distribution]
    const none = (length: number): Int32Array => new Int32Array(length).fill(-1)
    const wheel = { now: 0, armed: 0, heads: none(SLOTS), next: none(64), previous: none(64), due: none(64) }
    for (let i = 0; i < ROUNDS; i++) {
      const which = bench.rnd() % count
      const what = bench.rnd() % 4
      const due = wheel.now + (bench.rnd() % reach)
      let fired = 0
      if (what === 0) bench.measure(() => disarm(wheel, which))
      else if (what === 1) fired = bench.measure(() => tick(wheel))
      else bench.measure(() => arm(wheel, which, due))
      bench.note(fired * 100 + wheel.armed)
    }
  },
  uart(bench, distribution) {
    const uart = {
      ier: 0,
      lcr: 0,
      mcr: 0,
      scratch: 0,
      divisor: 0,
      overrun: false,
      head: 0,
      tail: 0,
      level: false,
      sent: 0,
      fifo: new Uint8Array(16),
    }
    for (let i = 0; i < ROUNDS; i++) {
      const r = bench.rnd() % 16
      const value = bench.rnd() % 256
      let got = 0
      if (distribution === 0) {
        got = bench.measure(() => readRegister(uart, 5))
        bench.measure(() => writeRegister(uart, 0, value))
      } else if (distribution === 1) {
        bench.measure(() => receive(uart, value))
        got = bench.measure(() => readRegister(uart, r < 8 ? 5 : 0))
      } else if (r < 8) got = bench.measure(() => readRegister(uart, r))
      else bench.measure(() => writeRegister(uart, r - 8, value))
      bench.note(got + (uart.level ? 1 : 0))
    }
  },
  interrupts(bench, distribution) {
    const sources = [11, 40, 127][distribution]
    const words = (): Int32Array => new Int32Array(4)
    const controller = {
      pending: words(),
      claimed: words(),
      enabled: words(),
      priority: new Int32Array(128),
      threshold: 0,
    }
    for (let i = 1; i < 128; i++) {
      controller.priority[i] = 1 + (i % 7)
      controller.enabled[i >> 5] |= 1 << (i & 31)
    }
    for (let i = 0; i < ROUNDS; i++) {
      const source = 1 + (bench.rnd() % sources)
      const wire = bench.measure(() => setLevel(controller, source, true))
      if (distribution === 2 && i % 2 === 1) continue
      const got = bench.measure(() => claim(controller))
      bench.note(got * 2 + (wire ? 1 : 0))
      bench.measure(() => setLevel(controller, got === 0 ? 1 : got, false))
      bench.measure(() => complete(controller, got))
    }
  },
  virtqueue_device(bench, distribution) {
    const longest = [1, 3, 12][distribution]
    const queue = { size: 64, descriptors: BASE, avail: BASE + 4096, used: BASE + 8192, lastAvail: 0, usedIndex: 0 }
    const chain = { head: 0, readable: 0, writable: 0 }
    const { memory } = bench
    for (let i = 0; i < ROUNDS; i++) {
      const first = bench.rnd() % 48
      const length = 1 + (bench.rnd() % longest)
      for (let k = 0; k < length; k++) {
        const at = (first + k) * 16
        memory.setUint32(at + 8, 100 + k, true)
        memory.setUint16(at + 12, (k + 1 < length ? 1 : 0) | (k > 0 ? 2 : 0), true)
        memory.setUint16(at + 14, first + k + 1, true)
      }
      memory.setUint16(4096 + 4 + (i % 64) * 2, first, true)
      memory.setUint16(4096 + 2, i + 1, true)
      const good = bench.measure(() => takeChain(bench.port, queue, chain))
      const wants = good && bench.measure(() => giveBack(bench.port, queue, chain.head, chain.writable))
      bench.note(chain.writable * 4 + (good ? 2 : 0) + (wants ? 1 : 0))
    }
  },
  page_cache(bench, distribution) {
    const range = [100, 300, 2000][distribution]
    const none = (): Int32Array => new Int32Array(256).fill(-1)
    const cache = {
      buckets: new Int32Array(BUCKETS).fill(-1),
      file: none(),
      index: none(),
      chain: none(),
      newer: Int32Array.from({ length: 256 }, (_, i) => (i === 255 ? -1 : i + 1)),
      older: Int32Array.from({ length: 256 }, (_, i) => i - 1),
      newest: 255,
      oldest: 0,
      misses: 0,
    }
    for (let i = 0; i < ROUNDS; i++) {
      const file = bench.rnd() % 3
      const index = bench.rnd() % range
      let page = bench.measure(() => findPage(cache, file, index))
      if (page < 0) page = bench.measure(() => replacePage(cache, file, index))
      bench.note(page)
    }
  },
  sbi(bench, distribution) {
    const ids = [0x54494d45, 0x735049, 0x52464e43, 0x48534d, 0x10, 99]
    const harts = {
      count: 8,
      software: new Int32Array(8),
      fences: new Int32Array(8),
      state: new Int32Array(8),
      timer: new Float64Array(8),
    }
    const answer = { error: 0, value: 0 }
    for (let i = 0; i < ROUNDS; i++) {
      const r = bench.rnd()
      const s = bench.rnd()
      const extension = distribution === 0 ? ids[0] : distribution === 1 ? ids[1 + (r % 2)] : ids[r % 6]
      const fid = distribution === 2 ? Math.floor(r / 8) % 5 : 0
      const first = distribution === 2 && extension === 0x48534d ? s % 9 : s & 0xff
      const second = s % 16 === 0 ? -1 : 0
      bench.measure(() => call(harts, i % 8, extension, fid, first, second, answer))
      bench.note(answer.error * 3 + answer.value)
    }
  },
  nvme_poll(bench, distribution) {
    const burst = [1, 2, 12][distribution]
    const queue = {
      size: 32,
      entries: BASE,
      doorbell: BASE + 16384,
      head: 0,
      phase: 1,
      busy: new Int32Array(32),
      status: new Int32Array(32),
      errors: 0,
    }
    let at = 0
    let phase = 1
    for (let i = 0; i < ROUNDS; i++) {
      const posted = distribution === 0 ? i % 2 : bench.rnd() % (burst + 1)
      for (let k = 0; k < posted; k++) {
        const tag = bench.rnd() % 33
        if (tag < 32) queue.busy[tag] = 1
        const status = bench.rnd() % 16 === 0 ? 0x281 * 2 ** 17 : 0
        bench.memory.setUint32(at * 16 + 12, tag + phase * 0x10000 + status, true)
        if (++at === 32) {
          at = 0
          phase ^= 1
        }
      }
      const done = bench.measure(() => poll(bench.port, queue, 16))
      bench.note(done * 64 + queue.head)
    }
  },
  handles(bench, distribution) {
    const size = [4, 12, 32][distribution]
    const objects = Array.from({ length: 32 }, (_, number) => ({
      number,
      kind: 0,
      owner: 0,
      users: 0,
      closing: false,
      total: 0,
      wraps: 0,
      due: 0,
      head: 0,
      tail: 0,
      ring: new Int32Array(RING),
      spent: new Int32Array(3),
      last: 0,
      average: 0,
    }))
    const rights = Int32Array.from({ length: 4 }, (_, i) => 0x5a3c96f0 >>> i)
    const table = { used: 0, rights, refused: 0, freed: 0, objects }
    for (let i = 0; i < ROUNDS; i++) {
      const r = bench.rnd()
      const value = bench.rnd() & 0xffff
      const number = r % size
      const what = (r >>> 8) % 8
      const who = (r >>> 12) & 3
      let got = 0
      if (what === 0) got = bench.measure(() => openHandle(table, who, (r >>> 16) % 3, i + 1))
      else if (what === 1) bench.measure(() => closeHandle(table, number))
      else got = bench.measure(() => useHandle(table, who, number, (r >>> 16) & 7, value, i + 1))
      bench.note(got + 32)
    }
  },
}

export const TWIN_NAMES: readonly string[] = Object.keys(TWINS)

/** Runs a twin with one of its three inputs, in a plain build or in a traced one. */
export function runTwin(name: string, distribution: number, traced: boolean): Counted {
  const bench = new Bench(distribution, traced)
  TWINS[name](bench, distribution)
  return { instructions: bench.counted, sum: bench.sum }
}
