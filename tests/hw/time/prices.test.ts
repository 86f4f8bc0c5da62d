import { expect, test } from 'vitest'
import { type Prices, pricesFor } from '../../../hw/index.ts'
import { CLINT, smallMachine } from '../small-machine.ts'

const DELTA = 9
/** What is done, and the price that is paid for it once each time. */
const PAID: readonly (readonly [operation: string, price: keyof Prices, part?: string])[] = [
  ['mul t1, t1, t2', 'instructions', 'mul'],
  ['divw t1, t1, t2', 'instructions', 'divw'],
  ['amoadd.d t1, t2, (s0)', 'instructions', 'amoadd.d'],
  ['fdiv.d fa0, fa1, fa2', 'instructions', 'fdiv.d'],
  ['csrw mcounteren, t1', 'pipelineFlush'],
  ['fence.i', 'pipelineFlush'],
  ['sfence.vma', 'pipelineFlush'],
  ['lw t1, 3(s0)', 'misaligned'],
  ['sd t1, 2(s0)', 'misaligned'],
  ['lw t1, (s1)', 'deviceRead', 'core'],
  ['sw zero, (s1)', 'deviceWrite', 'core'],
]

/** Cycles of a program that does something so many times. */
function cycles(operation: string, times: number, prices: Prices): number {
  const { machine, run } = smallMachine(
    `
      la s0, log + 256
      li s1, ${CLINT}
      li t2, 3
      li t0, 0x6000
      csrs mstatus, t0
      ${`${operation}\n`.repeat(times)}`,
    { prices },
  )
  expect(run()).toMatchObject({ reason: 'pass' })
  return machine.now()
}

function raised(prices: Prices, price: keyof Prices, part: string | undefined): Prices {
  const value = prices[price] as number | Readonly<Record<string, number>>
  return {
    ...prices,
    [price]: typeof value === 'number' ? value + DELTA : { ...value, [part!]: (value[part!] ?? 1) + DELTA },
  }
}

test.each([
  ['rocket', 'cached'],
  ['cva6', 'flat'],
] as const)('law, %s, %s: raising one price by δ raises a total by how often it was paid times δ', (core, model) => {
  const prices = pricesFor({ core, model })
  for (const [operation, price, part] of PAID) {
    const dearer = raised(prices, price, part)
    const more = (times: number) => cycles(operation, times, dearer) - cycles(operation, times, prices)
    expect(more(6) - more(1), operation).toBe(5 * DELTA)
  }
})
