/** The form of type 2 that switches the host away as a whole: what needs no host never sees it, what does pays for it. */
import { expect, test } from 'vitest'
import type { HostPolicy } from '../../../hw/spec/layouts/host-policy.ts'
import { END, END_WITH_A1, print } from '../assembly.ts'
import { hosted, type TestGuest } from './machine.ts'

const CALLS = 200
const forms = ['module', 'switch'] as const

function rows(guest: TestGuest, hostPolicy: Partial<HostPolicy>) {
  const run = hosted([guest], { hostPolicy })
  run.run(1_000_000_000)
  expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false })
  const cyclesOf = (cause: string) =>
    run.machine
      .ledger(0)
      .filter(row => row.cause === cause)
      .reduce((sum, { cycles }) => sum + cycles, 0)
  return { run, cyclesOf }
}

const repeat = (what: string) => `
    li s0, ${CALLS}
1:  ${what}
    addi s0, s0, -1
    bnez s0, 1b
    ${END}`

test('a call that needs no host is answered without it, and cheaper', () => {
  const guest = { kernel: repeat('li a7, 0x10\n li a6, 0\n ecall') }
  const [module, monitor] = forms.map(form => rows(guest, { form }))
  expect(monitor.cyclesOf('crossed')).toBeLessThan(20_000)
  const on = ({ cyclesOf }: typeof module) => cyclesOf('ecall base') + cyclesOf('run guest') + cyclesOf('ecall from VS')
  expect(on(monitor)).toBeLessThan(on(module))
})

test('an access to a device switches worlds twice, and costs more', () => {
  const guest = { kernel: `li t0, 0x10000000\n${repeat('lbu t1, 5(t0)')}` }
  const { cyclesOf } = rows(guest, { form: 'switch' })
  expect(cyclesOf('switch to monitor')).toBeGreaterThan(CALLS * 200)
  expect(cyclesOf('leave to host')).toBeGreaterThan(CALLS * 200)
})

test('consoles, memory and the tick work in either form alike', () => {
  const kernel = `
    li a7, 1
    li a0, 'a'
    ecall
    ${print('bc')}
    li t3, 0x80a00000
    li t2, 'd'
    sd t2, 0(t3)
    ld t2, 0(t3)
    sb t2, 0(t0)
    li t0, 20000000
1:  addi t0, t0, -1
    bnez t0, 1b
    ${END}`
  const printed = forms.map(form => rows({ kernel }, { form }).run.printed())
  expect(printed).toEqual(['abcd', 'abcd'])
})

test('a vCPU is started, and interrupts another that waits', () => {
  const kernel = `
    la t0, vector
    csrw stvec, t0
    csrwi sie, 2
    li a7, 0x48534d
    li a6, 0
    li a0, 1
    la a1, second
    ecall
    csrsi sstatus, 2
1:  wfi
    j 1b
    .balign 4
vector:
    li a1, 7
    ${END_WITH_A1}
second:
    li t0, 500000
1:  addi t0, t0, -1
    bnez t0, 1b
    li a7, 0x735049
    li a6, 0
    li a0, 1
    li a1, 0
    ecall
1:  j 1b`
  for (const form of forms) {
    const run = hosted([{ kernel, vcpus: 2 }], { harts: 2, hostPolicy: { form } })
    run.run(1_000_000_000, () => run.guests[0].record.ended)
    expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false, exitCode: 7 })
  }
})
