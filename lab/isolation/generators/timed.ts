/** Programs that time what they do, and those of neighbours who use all that can be told by time. */
import fc from 'fast-check'
import { cycle, instret, time } from '../../../hw/spec/csrs/counters.ts'
import { GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import { SBI_BASE, SBI_DBCN, SBI_LEGACY_SHUTDOWN } from '../../../hw/spec/sbi.ts'
import { diskProgram } from '../disk-requests.ts'
import type { Program, Step } from '../scenario.ts'
import { DISK_SECTORS } from '../topologies-io.ts'
import { hostileProgram } from './hostile-virtio.ts'
import { hostile } from './programs.ts'
import { harmlessCall, ownStore, question } from './steps.ts'

const LARGE_PAGE = 0x20_0000
const UART = 0x1000_0000
const LINE = 64
const PAGE = 4096
/** A row of DRAM, and what lies in one bank. */
const ROW = 8192
const BANK = 8 * ROW

const counter = (csr: { readonly number: number }): Step => ({ op: 'read', csr: csr.number })
const counters: readonly Step[] = [counter(cycle), counter(instret)]

/** Through caches, TLBs, rows and banks: its own memory from its third large page on. */
const walk = (most: number): fc.Arbitrary<Step> =>
  fc
    .record({
      page: fc.integer({ min: 2, max: 3 }),
      stride: fc.constantFrom(8, LINE, LINE, PAGE, PAGE + LINE, ROW, BANK),
      times: fc.integer({ min: 2, max: most }),
      write: fc.boolean(),
    })
    .map(({ page, stride, times, write }) => ({
      op: 'walk',
      address: GUEST_RAM + page * LARGE_PAGE,
      stride,
      times: Math.min(times, Math.floor(LARGE_PAGE / stride)),
      write,
    }))

const disk = fc
  .record({
    write: fc.boolean(),
    offset: fc.integer({ min: 0, max: 64 }),
    sectors: fc.integer({ min: 1, max: 16 }),
  })
  .map(({ write, offset, sectors }) =>
    diskProgram(
      [[{ write, where: 'inside', offset, sectors, place: { kind: 'page', at: 0 }, stamp: 1 }]],
      DISK_SECTORS,
    ),
  )

const timedStep: fc.Arbitrary<readonly Step[]> = fc
  .oneof(
    { weight: 4, arbitrary: walk(512) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 60_000 }).map((times): Step => ({ op: 'compute', times })) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 9000 }).map((ticks): Step => ({ op: 'wait', ticks })) },
    { weight: 1, arbitrary: ownStore },
    { weight: 1, arbitrary: harmlessCall },
    { weight: 1, arbitrary: question },
    { weight: 1, arbitrary: fc.constant(counter(time)) },
  )
  .map(step => [step, ...counters])

/** Notes its counters behind each thing that it does. */
export const timed: fc.Arbitrary<Program> = fc
  .array(
    fc.oneof({ weight: 8, arbitrary: timedStep }, { weight: 1, arbitrary: disk.map(steps => [...steps, ...counters]) }),
    {
      minLength: 2,
      maxLength: 16,
    },
  )
  .map(steps => steps.flat())

const without = (...steps: readonly Step[]): Program => [{ op: 'repeat', times: 1_000_000, steps }]

/** Keeps caches, TLBs, rows, devices or the VMM busy, does nothing, ends, or does anything. */
export const busybody: fc.Arbitrary<Program> = fc.oneof(
  { weight: 4, arbitrary: fc.array(walk(16_384), { minLength: 1, maxLength: 4 }).map(steps => without(...steps)) },
  { weight: 3, arbitrary: hostileProgram(['disk', 'network', 'console'], 8, 8) },
  { weight: 2, arbitrary: disk.map(steps => without(...steps)) },
  { weight: 2, arbitrary: hostile },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Program>(
      without({ op: 'compute', times: 1000 }),
      without({ op: 'wait', ticks: 7 }),
      without({ op: 'call', extension: SBI_BASE, function: 3, arguments: [0] }),
      without({ op: 'call', extension: SBI_DBCN, function: 2, arguments: [0x41] }),
      without(
        { op: 'load', bytes: 1, signed: false, address: UART + 5 },
        { op: 'store', bytes: 1, address: UART, value: 0x42 },
      ),
      [{ op: 'call', extension: SBI_LEGACY_SHUTDOWN, function: 0, arguments: [] }],
    ),
  },
)
