import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Ledger } from '../../../hw/time/ledger.ts'
import { EventQueue } from '../../../hw/time/events.ts'
import { smallMachine } from '../small-machine.ts'
import { rocketFlat } from '../../../hw/index.ts'

const row = (ledger: Ledger, now: number) =>
  Object.fromEntries(
    ledger.rows(now).map(({ party, cause, activity, cycles }) => [`${party}/${cause}/${activity}`, cycles]),
  )

describe('ledger', () => {
  test('rows sum to the clock, whatever is switched, charged and slept', () => {
    const ledger = new Ledger('firmware', 'running', 'computing')
    const guest = ledger.row('guest', 'running', 'computing')
    ledger.switchTo(guest, 100)
    ledger.charge('walk', 12)
    ledger.idle(150, 400)
    ledger.switchTo(ledger.row('vmm', 'ecall from VS', 'world switch'), 420)
    expect(row(ledger, 500)).toEqual({
      'firmware/running/computing': 100,
      'guest/running/computing': 58,
      'guest/running/walk': 12,
      'idle/wfi/waiting': 250,
      'vmm/ecall from VS/world switch': 80,
    })
  })

  test('saved and restored it goes on, with more rows than it had room for', () => {
    const ledger = new Ledger('guest', 'running', 'computing')
    for (let n = 0; n < 200; n++) ledger.switchTo(ledger.row('vmm', `exit ${n}`, 'emulation'), n * 10)
    const copy = new Ledger('guest', 'running', 'computing')
    copy.restore(structuredClone(ledger.save()))
    expect(copy.rows(5000)).toEqual(ledger.rows(5000))
  })
})

describe('charging by mode', () => {
  const PARTIES = {
    machine: 'firmware',
    supervisor: 'host kernel',
    user: 'vmm process',
    virtualSupervisor: 'guest',
    virtualUser: 'guest',
  } as const

  test('a trap charges whoever it reaches, with its name; on return the interrupted account goes on', () => {
    const small = smallMachine(
      `
      li t0, -1
      csrw pmpaddr0, t0
      li t0, 0x1f
      csrw pmpcfg0, t0
      li t0, 0x100
      csrw medeleg, t0
      la t0, machine
      csrw mtvec, t0
      la t0, supervisor
      csrw stvec, t0
      la t0, user
      csrw mepc, t0
      li t0, 0x1800
      csrc mstatus, t0
      mret
      .balign 4
      supervisor:
      ecall
      csrr t0, sepc
      addi t0, t0, 4
      csrw sepc, t0
      sret
      .balign 4
      machine:
      csrr t0, mepc
      addi t0, t0, 4
      csrw mepc, t0
      mret
      user:
      ecall
      nop
      nop
    `,
      { parties: PARTIES },
    )
    small.run()
    const cycles = Object.fromEntries(
      small.machine.ledger(0).map(entry => [`${entry.party}/${entry.cause}/${entry.activity}`, entry.cycles]),
    )
    const { pipelineFlush } = rocketFlat
    expect(cycles).toMatchObject({
      // The trap; csrr, addi, csrw (a quiet one), xret and its flush. The ecall in the middle does not retire.
      'host kernel/ecall from U/world switch': pipelineFlush + 4 + pipelineFlush,
      'firmware/ecall from HS/world switch': pipelineFlush + 4 + pipelineFlush,
    })
    expect(cycles['vmm process/running/computing']).toBeGreaterThan(2)
    expect(Object.values(cycles).reduce((sum, value) => sum + value, 0)).toBe(small.machine.harts[0].now())
  })
})

describe('events', () => {
  function queue() {
    const delivered: string[] = []
    let now = 0
    const events = new EventQueue(
      1e9,
      100,
      () => now,
      () => {},
    )
    events.enroll('chip', { due: (kind, payload) => void delivered.push(`${kind} ${JSON.stringify(payload)}`) })
    const run = (until: number) => {
      now = until
      while (events.next() <= until) events.deliver(events.take())
      return delivered
    }
    return { events, clock: events.clock('chip'), run }
  }

  test('in the order of their cycles, and among equals as they were scheduled', () => {
    const { clock, run } = queue()
    for (const [cycle, name] of [
      [30, 'c'],
      [10, 'a'],
      [30, 'd'],
      [20, 'b'],
      [10.5, 'between'],
    ] as const)
      clock.at(cycle, name)
    expect(run(29)).toEqual(['a null', 'between null', 'b null'])
    expect(run(30).slice(3)).toEqual(['c null', 'd null'])
  })

  test('whichever are cancelled, wherever they stand in the queue, the others come in order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: 40 }), wanted => {
        const { clock, run } = queue()
        const made = wanted.map(([cycle, stays], index) => ({ cycle, stays, event: clock.at(cycle, String(index)) }))
        for (const { stays, event } of made) if (!stays) clock.cancel(event)
        const expected = made
          .flatMap(({ cycle, stays }, index) => (stays ? [{ cycle, index }] : []))
          .toSorted((a, b) => a.cycle - b.cycle || a.index - b.index)
        expect(run(20)).toEqual(expected.map(({ index }) => `${index} null`))
      }),
    )
  })

  test('cancelled events do not happen; the past is now', () => {
    const { clock, run } = queue()
    const gone = clock.at(10, 'gone')
    clock.at(5, 'kept', 7)
    clock.cancel(gone)
    clock.cancel(gone)
    expect(run(20)).toEqual(['kept 7'])
    clock.at(3, 'late')
    expect(run(20)).toEqual(['kept 7', 'late null'])
  })

  test('saved events are in order, without the cancelled', () => {
    const { events, clock } = queue()
    const gone = clock.at(10, 'x')
    clock.at(30, 'b')
    clock.at(20, 'a')
    clock.cancel(gone)
    expect(events.save().events.map(({ kind, due }) => [kind, due])).toEqual([
      ['a', 20],
      ['b', 30],
    ])
  })
})
