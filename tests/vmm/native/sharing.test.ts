/** Whoever waits on a shared hart is woken in time. */
import { expect, test } from 'vitest'
import { END, print } from '../assembly.ts'
import { native } from './machine.ts'

test("a shared hart goes to a sleeper whose timer is due, in the middle of another's work", () => {
  const sleeper = `
  la t0, vector
  csrw stvec, t0
  li t0, 32
  csrs sie, t0
  csrsi sstatus, 2
  rdtime t1
  li t2, 100000
  add t1, t1, t2
  csrw 0x14d, t1
1:  wfi
  j 1b
  .balign 4
vector:
  ${print('tick')}
  ${END}`
  const run = native([
    { kernel: 'j .', harts: [0] },
    { kernel: sleeper, harts: [0] },
  ])
  run.run(100_000_000, () => run.guests[1].record.ended)
  expect(run.printed()).toContain('tick')
  expect(run.machine.now()).toBeLessThan(60_000_000)
})
