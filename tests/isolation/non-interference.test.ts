/** Two runs that differ only in what a neighbour does are the same run to a guest that has a hart of its own and reads no clock. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { guestImage } from '../../guests/image.ts'
import { paging } from '../../guests/paging.ts'
import { hostile } from '../../guests/workloads/hostile.ts'
import { GUEST_KERNEL } from '../../hw/spec/guest-map.ts'
import { assemble } from '../../hw/spec/isa/assembler.ts'
import { SBI_BASE, SBI_DBCN } from '../../hw/spec/sbi.ts'
import type { Configuration } from '../../lab/system.ts'
import type { VirtualMachine } from '../../vmm/core/virtual-machine.ts'
import { sweep, twoGuests } from './two-guests.ts'

const LARGE_PAGE = 2 ** 21
const UART = 0x1000_0000

/** Walks a megabyte, touches pages of its memory that are not there yet, asks its VMM and its devices, prints what comes of it. */
const OBSERVER = guestImage(`
start:
    li s1, 88172645463325252
    li t0, ${UART}
    lbu t1, 5(t0)
    add s1, s1, t1
    call paging_on
    li s4, 12
rounds:
    ${sweep(40)}
    # a large page that was not there: zeros, then a sum
    li t0, ${GUEST_KERNEL + 2 * LARGE_PAGE}
    slli t1, s4, 21
    add t0, t0, t1
    ld t1, 8(t0)
    add s1, s1, t1
    sd s1, 8(t0)
    # what the VMM answers
    sbi ${SBI_BASE}, 1
    add s1, s1, a1
    andi a0, s1, 15
    addi a0, a0, 65
    sbi ${SBI_DBCN}, 2
    addi s4, s4, -1
    bnez s4, rounds
    li a0, 10
    sbi ${SBI_DBCN}, 2
1:  wfi
    j 1b
${paging(256)}
`)

const NEIGHBOURS: Readonly<Record<string, () => Uint8Array>> = {
  computes: () => guestImage('start: addi t0, t0, 3\n mul t1, t0, t0\n j start').bytes,
  crashes: () => guestImage('start: csrw stvec, zero\n li t0, 0x70000000\n jr t0').bytes,
  'calls its VMM without end': () => guestImage(`start: sbi ${SBI_BASE}, 3\n j start`).bytes,
  'accesses devices without end': () =>
    guestImage(`start: li t0, ${UART}\n1: lbu t1, 5(t0)\n sb t1, 7(t0)\n j 1b`).bytes,
  'takes all memory it can': () =>
    guestImage(`
start:
    li t0, ${GUEST_KERNEL + LARGE_PAGE}
    li t2, ${LARGE_PAGE}
1:  sd t0, 0(t0)
    add t0, t0, t2
    j 1b`).bytes,
  'tries everything': () => hostile.image().bytes,
}

/** All that the observer could see: its memory, in its own order, and its console. */
function observe(configuration: Configuration, neighbour: Uint8Array) {
  const { machine, guests, printed } = twoGuests(
    configuration,
    { label: 'observer', kernel: OBSERVER.bytes, hart: 1 },
    neighbour,
  )
  machine.run({ untilCycle: 32_000_000 })
  const [observer] = guests
  return {
    memory: digest(observer, address => machine.memory.bytes.subarray(machine.memory.toHost(address))),
    printed: printed(),
    ended: observer.record.ended,
  }
}

function digest({ ram }: VirtualMachine, at: (address: number) => Uint8Array): string {
  const hash = createHash('sha256')
  ram.pages.forEach((page, index) => {
    hash.update(`${index} ${page === 0 ? 'absent' : 'there'}`)
    if (page !== 0) hash.update(at(page).subarray(0, LARGE_PAGE))
  })
  return hash.digest('hex')
}

describe.each<Configuration>(['native', 'hosted'])('%s: a guest sees the same', configuration => {
  const alone = observe(configuration, guestImage('start: shutdown').bytes)

  test('as ever, and something', () => {
    expect(alone.printed).toMatch(/^[A-P]{12}$/)
    expect(alone.ended).toBe(false)
  })

  test.each(Object.keys(NEIGHBOURS))('if its neighbour %s', name => {
    expect(observe(configuration, NEIGHBOURS[name]())).toEqual(alone)
  })

  test('whatever instructions its neighbour consists of', () => {
    const anything = fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 64, maxLength: 64 })
    fc.assert(
      fc.property(anything, words => {
        const neighbour = assemble(words.map(word => `.word ${word}`).join('\n'), { origin: GUEST_KERNEL })
        expect(observe(configuration, neighbour.bytes)).toEqual(alone)
      }),
      { numRuns: 4 },
    )
  })
})
