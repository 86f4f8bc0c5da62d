/** What a guest finds is the same under either VMM. */
import { describe, expect, test } from 'vitest'
import { ECHO, END, print } from './assembly.ts'
import { hypervised } from './machine.ts'

describe.each(['native', 'hosted'] as const)('under the %s VMM', configuration => {
  test('a guest prints through SBI and through its UART, touches memory, and switches itself off', () => {
    const run = hypervised(configuration, [
      {
        kernel: `
      li a7, 1
      li a0, 'a'
      ecall
      ${print('bc')}
      li t3, 0x80600000
      li t2, 'd'
      sd t2, 0(t3)
      ld t2, 0(t3)
      sb t2, 0(t0)
      lbu t2, 5(t0)
      andi t2, t2, 0x20
      sb t2, 0(t0)
      ${END}`,
      },
    ])
    run.run(50_000_000)
    expect(run.printed()).toBe('abcd ')
    expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false, exitCode: 0 })
  })

  test('a guest in wfi is woken by its timer, and the hart idles meanwhile', () => {
    const run = hypervised(configuration, [
      {
        kernel: `
      la t0, vector
      csrw stvec, t0
      li t0, 32
      csrs sie, t0
      csrsi sstatus, 2
      rdtime t1
      li t2, 50000
      add t1, t1, t2
      csrw 0x14d, t1
  1:  wfi
      j 1b
      .balign 4
  vector:
      ${print('tick')}
      ${END}`,
      },
    ])
    run.run(100_000_000)
    expect(run.printed()).toBe('tick')
    const idle = run.machine
      .ledger(0)
      .filter(({ party }) => party === 'idle')
      .reduce((sum, { cycles }) => sum + cycles, 0)
    expect(idle).toBeGreaterThan(4_000_000)
  })

  test('a byte on the serial line reaches the guest as an interrupt of its UART', () => {
    const run = hypervised(configuration, [
      {
        kernel: ECHO,
      },
    ])
    run.run(50_000_000)
    run.send('HAL')
    run.run(50_000_000)
    expect(run.printed()).toBe('IBM')
  })

  test('a guest that jumps where it has no memory crashes, and the other goes on', () => {
    const run = hypervised(configuration, [
      { kernel: 'li t0, 0x70000000\n jr t0' },
      { kernel: `${print('alive')}${END}` },
    ])
    run.run(100_000_000)
    expect(run.guests.map(({ record: { ended, crashed } }) => [ended, crashed])).toEqual([
      [true, true],
      [true, false],
    ])
    expect(run.printed()).toBe('[guest1] alive')
  })

  test.each([
    { machine: 'two harts', harts: 2, pins: [] },
    { machine: 'one hart', harts: 1, pins: [0, 0] },
  ])(
    'harts of a guest on $machine are started by HSM, interrupt one another, and are told to fence',
    ({ harts, pins }) => {
      const run = hypervised(
        configuration,
        [
          {
            vcpus: 2,
            harts: pins,
            kernel: `
      bnez a0, second
      li a7, 0x48534d
      li a6, 0
      li a0, 1
      la a1, second
      li a2, 7
      ecall
      la t0, vector
      csrw stvec, t0
      csrsi sie, 2
      csrsi sstatus, 2
  1:  wfi
      j 1b
      .balign 4
  vector:
      ${print('!')}
      ${END}
  second:
      ${print('2')}
      li a7, 0x52464e43
      li a6, 1
      li a0, 1
      li a1, 0
      li a2, 0
      li a3, 0
      ecall
      li a7, 0x735049
      li a6, 0
      li a0, 1
      li a1, 0
      ecall
  1:  wfi
      j 1b`,
          },
        ],
        { harts },
      )
      run.run(100_000_000)
      expect(run.printed()).toBe('2!')
      expect(run.guests[0].record.ended).toBe(true)
    },
  )

  test('a hart that stops starts as new, however soon after it stopped', () => {
    const run = hypervised(
      configuration,
      [
        {
          vcpus: 2,
          harts: [0, 1],
          kernel: `
      bnez a0, second
      li s1, 200              # times
      li s2, 0x80600000
  start:
      li a7, 0x48534d
      li a6, 0
      li a0, 1
      la a1, second
      mv a2, s1
      ecall
      bnez a0, start          # it runs, or is still stopping
  begun:
      lw t1, 0(s2)            # it has started with what it was given
      bne t1, s1, begun
      addi s1, s1, -1
      bnez s1, start
      ${END}
  second:
      csrr t0, sstatus        # interrupts are off when it starts
      andi t0, t0, 2
      bnez t0, second
      li t0, 0x80600000
      sw a1, 0(t0)
      csrsi sstatus, 2
      slli a1, a1, 4
      1: addi a1, a1, -1
      bnez a1, 1b
      li a7, 0x48534d
      li a6, 1
      ecall`,
        },
      ],
      { harts: 2 },
    )
    run.run(100_000_000)
    expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false, exitCode: 0 })
  })
})
