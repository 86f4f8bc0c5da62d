import { expect, test } from 'vitest'
import type { HartPort } from '../../../hw/port.ts'
import { testBed } from './test-bed.ts'

test("software's marks are told once, when they are come to, also by an entry that was abandoned between them", () => {
  const NOWHERE = 0x10
  const { machine, run } = testBed(
    `
      la t0, handler
      csrw mtvec, t0
    work: enter work
    after:
      li t0, FINISHER
      li t1, 0x5555
      sw t1, 0(t0)
      j after
      .balign 4
    handler:
      csrr t1, mepc
      addi t1, t1, 4
      csrw mepc, t1
      mret
    `,
    address => ({
      name: 'marks',
      entries: [
        (port: HartPort) => {
          port.mark('start', 3)
          port.load32(NOWHERE)
          port.mark('end', 3)
          port.mark('start', 4)
          port.jump(address('after'))
        },
      ],
      state: {},
    }),
  )
  const told: string[] = []
  const cycles: number[] = []
  machine.onMark((_hart, mark, number, cycle) => {
    told.push(`${mark} ${number}`)
    cycles.push(cycle)
  })
  run()
  expect(told).toEqual(['start 3', 'end 3', 'start 4'])
  // The trap and its handler lie between the first two; what is off the record takes no time.
  expect(cycles[1] - cycles[0]).toBeGreaterThan(5)
  expect(cycles[2]).toBe(cycles[1])
})
