import { expect, test } from 'vitest'
import { Evaluator } from '../../../hw/hart/evaluator.ts'
import { FCSR } from '../../../hw/hart/slots.ts'
import type { Executor } from '../../../hw/hart/services.ts'
import { BUDGET, F, FLOAT, MACHINE, MODE, PC, RESERVATION, STALLS, X } from '../../../hw/hart/state.ts'
import { analyse, decode, type Instruction, INSTRUCTIONS } from '../../../hw/spec/isa/index.ts'
import { assemble } from '../../../hw/spec/isa/assembler.ts'
import { CodePages } from '../../../hw/translate/code-pages.ts'
import { Tier0, Tier0Code } from '../../../hw/translate/tier0.ts'
import { pricesFor } from '../../../hw/time/prices-lists.ts'
import { instructionCycles, type Prices, rocketFlat } from '../../../hw/time/prices.ts'
import { numbers } from '../spec/isa/random-words.ts'
import { PagedHart, RAM_BASE } from './paged-hart.ts'
import { POINTERS, randomProgram } from './random-program.ts'

const PAGE = 4096
/** x1 to x31, f0 to f31. */
const REGISTERS = Array.from({ length: 63 }, (_, index) => (X >> 3) + 1 + index).filter(
  index => index !== (X >> 3) + 32,
)

interface Subject {
  readonly hart: PagedHart
  readonly executor: Executor
}

function reference(prices: Prices = rocketFlat): Subject {
  const hart = new PagedHart(prices)
  const cost = (instruction: Instruction) => instructionCycles(instruction, prices)
  return { hart, executor: new Evaluator(hart.memory, hart, cost) }
}

/** Tier 0 that keeps at most `capacity` decoded pages. */
function tier0(capacity?: number, prices: Prices = rocketFlat): Subject & { readonly executor: Tier0 } {
  const hart = new PagedHart(prices)
  const code = new Tier0Code(hart.memory, new CodePages(hart.memory, capacity), prices)
  const executor = new Tier0(hart.memory, hart, 0, code)
  hart.cache = executor
  return { hart, executor }
}

/** All that an executor must leave as the evaluator does. */
function stateOf({ hart: { memory, traps } }: Subject): unknown {
  const { longs, words, doubles, ram } = memory
  return {
    x: Array.from(longs.subarray(X >> 3, (X >> 3) + 32)),
    f: Array.from(longs.subarray(F >> 3, (F >> 3) + 32)),
    pc: longs[PC >> 3],
    budget: words[BUDGET >> 2],
    stalls: doubles[STALLS >> 3],
    float: words[FLOAT >> 2],
    fcsr: words[FCSR],
    reservation: words[RESERVATION >> 2] < 0 ? -1 : words[RESERVATION >> 2] - ram.host,
    traps: [...traps],
  }
}

/** Offsets in RAM at which two subjects differ. */
function differences([a, b]: readonly [Subject, Subject]): number[] {
  const [left, right] = [a, b].map(
    ({
      hart: {
        memory: { words, ram },
      },
    }) => words.subarray(ram.host >> 2, (ram.host + ram.bytes) >> 2),
  ) as [Int32Array, Int32Array]
  if (left.every((word, at) => word === right[at])) return []
  return Array.from(left.keys())
    .filter(at => left[at] !== right[at])
    .map(at => at * 4)
}

/** Words of the window that both must agree on after every run: x, f, pc, then budget, stalls, FLOAT, fcsr. */
const COMPARED = [
  ...Array.from({ length: 64 }, (_, at) => (X >> 2) + at),
  ...Array.from({ length: 66 }, (_, at) => (F >> 2) + at),
  BUDGET >> 2,
  STALLS >> 2,
  (STALLS >> 2) + 1,
  FLOAT >> 2,
  FCSR,
]

/** Runs both with the same budgets, and compares after each; now and then both are sent to another place. */
function compare(
  subjects: readonly [Subject, Subject],
  budgets: () => number,
  rounds: number,
  places?: () => number,
): void {
  const [expected, actual] = subjects
  for (let round = 0; round < rounds; round++) {
    const budget = budgets()
    const place = places && round % 8 === 7 ? places() : undefined
    for (const {
      hart: { memory },
      executor,
    } of subjects) {
      memory.words[BUDGET >> 2] = budget
      if (place !== undefined) memory.longs[PC >> 3] = BigInt(place)
      executor.run()
    }
    const [a, b] = [expected.hart.memory.words, actual.hart.memory.words]
    if (COMPARED.some(at => a[at] !== b[at])) expect(stateOf(actual), `round ${round}`).toEqual(stateOf(expected))
  }
  expect(stateOf(actual)).toEqual(stateOf(expected))
  expect(differences(subjects)).toEqual([])
}

function prepare(subjects: readonly Subject[], seed: number): void {
  for (const { hart } of subjects) {
    const next = numbers(seed)
    const { longs, words, ram, bytes } = hart.memory
    for (let at = 0; at < ram.bytes; at++) bytes[ram.host + at] = next()
    hart.put(RAM_BASE, randomProgram(next, 7000))
    for (const index of REGISTERS) longs[index] = BigInt.asIntN(64, (BigInt(next()) << 32n) | BigInt(next()))
    // Two point at data, one into code, one where two pages meet.
    for (const [at, offset] of [40 * PAGE + 64, 45 * PAGE + 2048, 2 * PAGE + 128, 50 * PAGE - 8].entries()) {
      longs[(X >> 3) + POINTERS[at]] = BigInt(RAM_BASE + offset)
    }
    longs[PC >> 3] = BigInt(RAM_BASE)
    words[MODE >> 2] = MACHINE
    words[FLOAT >> 2] = 1
    words[FCSR] = seed & 1
    words[RESERVATION >> 2] = -1
  }
}

test.each([1, 2, 3, 4, 5, 6])('random programs leave the evaluator’s state at every budget (seed %d)', seed => {
  const subjects = [reference(), tier0()] as const
  prepare(subjects, seed)
  const next = numbers(seed + 100)
  compare(
    subjects,
    () => 1 + (next() % (next() % 8 === 0 ? 300 : 12)),
    1200,
    () => RAM_BASE + (next() % 7000) * 2,
  )
})

test.each([1, 2, 3])('with room for %d decoded pages the state is still the same', capacity => {
  const subjects = [reference(), tier0(capacity)] as const
  prepare(subjects, 1)
  const next = numbers(12)
  compare(
    subjects,
    () => 1 + (next() % 60),
    200,
    () => RAM_BASE + (next() % 7000) * 2,
  )
  expect(subjects[1].executor.statistics().evictions).toBeGreaterThan(0)
})

/** So small that lines leave all the time, at every level. */
function tiny(prices: Prices): Prices {
  const caches = prices.caches!
  const { lineBytes } = caches.data
  return {
    ...prices,
    caches: {
      ...caches,
      instructions: { bytes: 16 * lineBytes, ways: 4, lineBytes },
      data: { bytes: 8 * lineBytes, ways: 2, lineBytes },
      l2: { bytes: 2048, ways: 4, lineBytes: 64 },
    },
  }
}

test.each([
  ['rocket', 1],
  ['rocket', 2],
  ['cva6', 3],
  ['cva6', 4],
] as const)('with the caches of %s too, small ones, misses included (seed %d)', (core, seed) => {
  const prices = tiny(pricesFor({ core, model: 'cached' }))
  const subjects = [reference(prices), tier0(seed % 2 === 0 ? 2 : undefined, prices)] as const
  prepare(subjects, seed)
  const next = numbers(seed + 200)
  compare(
    subjects,
    () => 1 + (next() % (next() % 8 === 0 ? 3000 : 200)),
    1000,
    () => RAM_BASE + (next() % 7000) * 2,
  )
  const [expected, actual] = subjects.map(({ hart }) => hart.hierarchy!.counts())
  expect(actual).toEqual(expected)
  for (const count of [expected.fetchMisses, expected.loadMisses, expected.storeMisses, expected.victim])
    expect(count).toBeGreaterThan(0)
})

const CORNERS = [
  0n,
  1n,
  -1n,
  2n,
  31n,
  32n,
  63n,
  64n,
  0x7fff_ffffn,
  0x8000_0000n,
  -0x8000_0000n,
  0xffff_ffffn,
  1n << 62n,
  (1n << 63n) - 1n,
  -(1n << 63n),
]
const COMPUTING = INSTRUCTIONS.filter(instruction => {
  const { mayTrap, jumps, branches } = analyse(instruction)
  return !mayTrap && !jumps && !branches
})

const shared = [reference(), tier0()] as const
prepare(shared, 1)
test.each(COMPUTING.map(instruction => [instruction.name, instruction] as const))(
  '%s computes as the evaluator does',
  (_, instruction) => {
    const subjects = shared
    const next = numbers(instruction.index + 1)
    const words = new Uint32Array(64)
    for (let at = 0; at < words.length; ) {
      const word = (instruction.match | (next() & ~instruction.mask)) >>> 0
      if (decode(word)?.instruction === instruction) words[at++] = word
    }
    for (const { hart } of subjects) {
      hart.memory.longs[PC >> 3] = BigInt(RAM_BASE)
      hart.put(RAM_BASE, new Uint8Array(words.buffer))
      for (const [at, index] of REGISTERS.entries()) hart.memory.longs[index] = CORNERS[at % CORNERS.length]!
    }
    compare(subjects, () => 64, 1)
  },
)

const DOUBLES = [
  0,
  -0,
  1,
  -1,
  1.5,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  0.1,
  -0.9,
  2.5,
  1e308,
  2.3e-308,
  5e-324,
  Infinity,
  -Infinity,
  NaN,
  2 ** 53 + 2,
  3.4e38,
  1.2e-38,
]
/** Doubles, singles in and out of their boxes, and signalling NaNs. */
const FLOATS = [
  ...new BigInt64Array(new Float64Array(DOUBLES).buffer),
  ...Array.from(new Uint32Array(new Float32Array(DOUBLES).buffer), bits =>
    BigInt.asIntN(64, 0xffff_ffff_0000_0000n | BigInt(bits)),
  ),
  0x7ff0_0000_0000_0001n,
  -0x8000_0000n * 2n + 0x7f80_0001n,
  0x3f80_0000n,
  0x0010_0000_0000_0001n,
  0x001f_ffff_ffff_ffffn,
  -0xff7f_ffffn,
]
const FLOATING = INSTRUCTIONS.filter(instruction => analyse(instruction).operations.includes('float'))

test.each(FLOATING.map(instruction => [instruction.name, instruction] as const))(
  '%s computes as soft float does',
  (_, instruction) => {
    const next = numbers(instruction.index + 1)
    const words = new Uint32Array(64)
    for (let round = 0; round < 15; round++) {
      for (let at = 0; at < words.length; ) {
        // Most often dynamic or to nearest, or towards zero.
        const rounding = [7, 7, 0, 1, next() & 7][next() % 5] << 12
        const free = ~instruction.mask & ~0x7000
        const word = (instruction.match | (next() & free) | (rounding & ~instruction.mask)) >>> 0
        if (decode(word)?.instruction === instruction) words[at++] = word
      }
      const floats = Array.from({ length: 32 }, () =>
        next() % 4 === 0 ? (BigInt(next()) << 32n) | BigInt(next()) : FLOATS[next() % FLOATS.length],
      )
      const fcsr = [1, 1, 1, 0, 0x21][round % 5]
      for (const { hart } of shared) {
        const { longs, words: state } = hart.memory
        longs[PC >> 3] = BigInt(RAM_BASE)
        state[FLOAT >> 2] = 1
        state[FCSR] = fcsr
        hart.put(RAM_BASE, new Uint8Array(words.buffer))
        for (const [at, value] of floats.entries()) {
          longs[(F >> 3) + at] = BigInt.asIntN(64, value)
          if (at > 0) longs[(X >> 3) + at] = round % 2 === 0 ? CORNERS[at % CORNERS.length] : BigInt.asIntN(64, value)
        }
      }
      compare(shared, () => 40, 1)
    }
  },
)

/** Runs a program with a budget on both, and returns tier 0's a0. */
function runBoth(
  source: string,
  budget: number,
  prepared: readonly [Subject, Subject] = [reference(), tier0()],
): bigint {
  prepare(prepared, 1)
  const program = assemble(source, { origin: RAM_BASE })
  for (const { hart } of prepared) hart.put(RAM_BASE, program.bytes)
  compare(prepared, () => budget, 1)
  return prepared[1].hart.memory.longs[(X >> 3) + 10]
}

test('a store into the page that is being executed takes effect, with and without fence.i', () => {
  for (const fence of ['fence.i', 'nop']) {
    const a0 = runBoth(
      `
      li a0, 0
      li t2, 100
      la t0, patched
      lw t1, other
    again: ${fence}
    patched: addi a0, a0, 1
      sw t1, (t0)
      addi t2, t2, -1
      bnez t2, again
    stay: j stay
    other: addi a0, a0, 100`,
      2000,
    )
    expect(a0).toBe(1n + 99n * 100n)
  }
})

test.each(['sscratch', 'sepc', 'scause', 'stval', 'mscratch', 'mepc', 'mcause', 'mtval'])(
  '%s is read, written, set and cleared',
  name => {
    runBoth(
      `
      li a1, -1
      li a2, 0x123456789abcdef5
      csrrw a3, ${name}, a1
      csrrs a4, ${name}, zero
      csrrc a5, ${name}, a2
      csrrs a6, ${name}, a2
      csrrw zero, ${name}, a2
      csrrsi a7, ${name}, 2
      csrrc s2, ${name}, zero
      csrrw a2, ${name}, a2
    stay: j stay`,
      40,
    )
  },
)

test.each([8, 9])('a store close behind %d instructions that are done in pairs leaves them right', count => {
  const a0 = runBoth(
    `
      li a0, 0
      li t2, 100
      la t0, patched
      lw t1, patched
    again:
      ${'c.add a0, t2\n'.repeat(count)}
    patched: addi a0, a0, 1
      sw t1, (t0)
      addi t2, t2, -1
      bnez t2, again
    stay: j stay`,
    2000,
  )
  expect(a0).toBe(BigInt(count) * 5050n + 100n)
})

test('an instruction that straddles two pages runs, loops and is counted', () => {
  const a0 = runBoth(
    `
      li a0, 0
      j straddling
      .space ${PAGE - 8 - 2}
    straddling: addi a0, a0, 7
      j straddling`,
    1001,
  )
  expect(a0 % 7n).toBe(0n)
  expect(a0).toBeGreaterThan(3000n)
})

test('a page that is stored to again and again stops being code', () => {
  const actual = tier0()
  runBoth(
    `
      la t0, data
      li t1, 2000
    again: sd t1, (t0)
      addi t1, t1, -1
      bnez t1, again
      j far
      .balign 4096
    data: .dword 0
    first: ret
    far: lla t2, first
      jalr t2
      li t1, 5000
      j again`,
    40_000,
    [reference(), actual],
  )
  expect(actual.executor.statistics().stores).toBeLessThan(400)
})
