/** Guests' memory in pages of 4 KiB: given one at a time, zeroed though another guest had them before. */
import { describe, expect, test } from 'vitest'
import { END, END_WITH_A1 } from '../assembly.ts'
import { hypervised, type TestGuest } from '../machine.ts'

const PAGES = 100
/** Where no image lies. */
const UNTOUCHED = 0x8080_0000
const small = { hostPolicy: { pages: 'small' } } as const

/** Writes the page's address into each of so many pages, and what follows. */
const soil = (then: string) => `
    li t0, ${UNTOUCHED}
    li t1, ${PAGES}
    li t2, 0x1000
1:  sd t0, 0(t0)
    sd t0, 2040(t0)
    add t0, t0, t2
    addi t1, t1, -1
    bnez t1, 1b
    ${then}`

/** Sleeps until `ticks`, then ends with how many of so many pages hold something. */
const inspectAt = (ticks: number) => `
    li t0, 32
    csrw sie, t0
    li t0, ${ticks}
    csrw 0x14d, t0
1:  wfi
    rdtime t1
    bltu t1, t0, 1b
    li t0, ${UNTOUCHED}
    li t1, ${PAGES}
    li t2, 0x1000
    li a1, 0
2:  ld t3, 0(t0)
    ld t4, 2040(t0)
    or t3, t3, t4
    snez t3, t3
    add a1, a1, t3
    add t0, t0, t2
    addi t1, t1, -1
    bnez t1, 2b
    ${END_WITH_A1}`

/** Cycles spent on giving the guest its pages. */
function onFaults(
  configuration: 'native' | 'hosted',
  guest: TestGuest,
  options: Parameters<typeof hypervised>[2],
): number {
  const run = hypervised(configuration, [guest], options)
  run.run(1_000_000_000)
  expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false, exitCode: 0 })
  const rows = run.machine.ledger(0).filter(({ cause }) => cause === 'stage-2 fault')
  return rows.reduce((sum, { cycles }) => sum + cycles, 0)
}

describe.each(['native', 'hosted'] as const)('%s', configuration => {
  test('each page is given by a fault of its own', () => {
    const guest = { kernel: soil(END) }
    const large = onFaults(configuration, guest, {})
    expect(onFaults(configuration, guest, small)).toBeGreaterThan((PAGES / 2) * large)
  })
})

test('a page that another guest had comes zeroed, and each guest keeps its own', () => {
  const run = hypervised(
    'hosted',
    [{ kernel: soil(END) }, { kernel: inspectAt(1_000_000) }, { kernel: soil(`li t5, 0\n${inspectAt(2_000_000)}`) }],
    small,
  )
  run.run(1_000_000_000)
  expect(run.guests.map(({ record }) => record.exitCode)).toEqual([0, 0, PAGES])
})

test('a guest can have all the memory that it was promised, to the last page', () => {
  const memoryBytes = 16 * 2 ** 20
  const kernel = `
    li t0, 0x80400000
    li t1, ${0x8000_0000 + memoryBytes}
    li t2, 0x1000
1:  sd t0, 0(t0)
    add t0, t0, t2
    bltu t0, t1, 1b
    ${END}`
  const run = hypervised('hosted', [{ kernel, memoryBytes }], small)
  run.run(1_000_000_000)
  expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false, exitCode: 0 })
})
