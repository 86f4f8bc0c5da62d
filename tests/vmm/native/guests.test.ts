/** Guests under the native VMM: consoles, memory, interrupts, devices, crashes. */
import { describe, expect, test } from 'vitest'
import { WORKLOADS } from '../../../guests/index.ts'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import { crashReport, endings } from '../../../lab/endings.ts'
import { nicOnStation } from '../../../lab/network.ts'
import { SBI_LEGACY_GETCHAR, SBI_LEGACY_PUTCHAR } from '../../../hw/spec/sbi.ts'
import { ECHO, END, print } from '../assembly.ts'
import { native, type TestGuest } from './machine.ts'

function workload(name: string): Pick<TestGuest, 'kernel' | 'scripted'> {
  const found = WORKLOADS.find(candidate => candidate.name === name)!
  const program = found.image()
  const software = found.software?.()
  return { kernel: program.bytes, ...(software && { scripted: { software, program } }) }
}

test('a byte on the serial line reaches the guest in focus as an interrupt of its UART', () => {
  const run = native(
    [
      { kernel: ECHO, harts: [0] },
      { kernel: ECHO, harts: [1] },
    ],
    { harts: 2 },
  )
  run.run(50_000_000)
  run.send('HAL')
  run.run(10_000_000)
  run.send('\x01!')
  run.run(10_000_000)
  expect(run.printed()).toBe('[guest0] IBM\n[guest1] "')
})

test('what was typed for a guest that did not take it is not read by the next in focus', () => {
  // Prints what SBI getchar gives it; the first guest never asks.
  const reader = `
1:  li a7, ${SBI_LEGACY_GETCHAR}
    ecall
    bltz a0, 1b
    li a7, ${SBI_LEGACY_PUTCHAR}
    ecall
    j 1b`
  const run = native(
    [
      { kernel: '1: j 1b', harts: [0] },
      { kernel: reader, harts: [1] },
    ],
    { harts: 2 },
  )
  run.run(50_000_000)
  run.send('secret')
  run.run(10_000_000)
  run.send('\x01!')
  run.run(10_000_000)
  expect(run.printed()).toBe('[guest1] !')
})

test('lines of several guests do not mix; one that stops within a line does not hold the others up', () => {
  const chatter = (text: string) => `
    li s0, 20
1:  ${print(text)}
    addi s0, s0, -1
    bnez s0, 1b`
  const run = native(
    [
      { kernel: `${chatter('one two three four\\n')} ${print('prompt> ')} 2: wfi\n j 2b`, harts: [0] },
      { kernel: `${chatter('five six seven\\n')} ${print('shell$ ')} 2: wfi\n j 2b`, harts: [1] },
    ],
    { harts: 2 },
  )
  run.run(60_000_000)
  run.send('x')
  run.run(5_000_000)
  const lines = run.printed().split('\n')
  expect(lines.filter(line => line === '[guest0] one two three four').length).toBe(20)
  expect(lines.filter(line => line === '[guest1] five six seven').length).toBe(20)
  expect(lines).toContain('[guest0] prompt> ')
  expect(lines).toContain('[guest1] shell$ ')
  expect(lines.length).toBe(42)
})

test("harts that print and interrupt one another lose nothing, though others run in the midst of the VMM's entries", () => {
  const characters = 1500
  const run = native(
    [
      {
        vcpus: 2,
        harts: [0, 1],
        kernel: `
    la t0, vector
    csrw stvec, t0
    csrsi sie, 2
    csrsi sstatus, 2
    li s0, 'a'
    li s1, 2
    bnez a0, 1f
    li a7, 0x48534d
    li a6, 0
    li a0, 1
    li a1, 0x80200000
    ecall
    j 2f
1:  li s0, 'b'
    li s1, 1
2:  li s2, ${characters}
    li s3, 0x10000000
    li s4, 0x80600000
3:  sb s0, 0(s3)
    li a7, 0x735049
    li a6, 0
    mv a0, s1
    li a1, 0
    ecall
    addi s2, s2, -1
    bnez s2, 3b
    li t0, 1
    amoadd.w t1, t0, (s4)
    li t0, 2
4:  lw t1, 0(s4)
    bne t1, t0, 4b
    ${END}
    .balign 4
vector:
    csrci sip, 2
    sret`,
      },
    ],
    { harts: 2 },
  )
  run.machine.interleave(operation => (operation % 37 === 0 ? 250 : 0))
  run.run(400_000_000)
  expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false })
  const printed = Array.from(run.printed())
  for (const letter of 'ab') expect(printed.filter(character => character === letter).length).toBe(characters)
})

describe('a guest that crashes', () => {
  test('stops alone, and its report says where and why', () => {
    const run = native(
      [
        { kernel: 'li s0, 0x1234\n li t0, 0x70000000\n jr t0', harts: [0] },
        { kernel: `li t0, 3000000\n1: addi t0, t0, -1\n bnez t0, 1b\n ${print('alive')}${END}`, harts: [1] },
      ],
      { harts: 2 },
    )
    run.run(100_000_000)
    expect(run.guests.map(({ record: { ended, crashed } }) => [ended, crashed])).toEqual([
      [true, true],
      [true, false],
    ])
    expect(run.printed()).toBe('[guest1] alive')
    const report = crashReport(run.system, endings(run.system)[0])
    expect(report).toContain('guest0')
    expect(report).toContain('70000000')
    expect(report).toContain('1234')
  })
})

describe('devices', () => {
  test("each guest has its part of the disk, and nothing of another's", () => {
    const disk = new MemoryBacking(16_384)
    const run = native([{ ...workload('disk'), disk: { first: 8192, sectors: 4096 } }], { disks: [disk] })
    run.run(400_000_000)
    expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false, exitCode: 0 })
    const sectors = new Uint8Array(4096 * 512)
    const isBlank = (first: number) => {
      disk.read(first, sectors)
      return sectors.every(byte => byte === 0)
    }
    expect([0, 4096, 8192, 12_288].map(isBlank)).toEqual([true, true, false, true])
  })

  test("a frame gets out and its echo comes back, on another hart than the card's interrupts", () => {
    const run = native(
      [
        { kernel: 'wfi\n j .', harts: [0] },
        { ...workload('network'), harts: [1], network: { mac: [0x52, 0x54, 0, 0, 0, 2], vlan: 0 } },
      ],
      { harts: 2, nics: [nicOnStation()] },
    )
    run.run(400_000_000, () => run.guests[1].record.ended)
    expect(run.guests[1].record).toMatchObject({ ended: true, crashed: false, exitCode: 0 })
  })

  test('guests that share a hart are all woken by devices whose interrupts another hart takes', () => {
    const disks = [1, 2].map(part => ({ ...workload('disk'), harts: [1], disk: { first: part * 4096, sectors: 4096 } }))
    const networks = [1, 2].map(part => ({
      ...workload('network'),
      harts: [0],
      network: { mac: [0x52, 0x54, 0, 0, 0, part], vlan: 0 },
    }))
    const run = native([...disks, ...networks], {
      harts: 2,
      disks: [new MemoryBacking(16_384)],
      nics: [nicOnStation()],
    })
    run.run(800_000_000)
    expect(run.guests.map(({ record: { ended, crashed, exitCode } }) => [ended, crashed, exitCode])).toEqual(
      Array.from({ length: 4 }, () => [true, false, 0]),
    )
  })

  test('a guest whose disk is not there gets errors, not silence', () => {
    const run = native([{ ...workload('disk'), disk: { first: 0, sectors: 4096 } }])
    run.run(200_000_000)
    expect(run.guests[0].record.ended).toBe(true)
    expect(run.guests[0].record.exitCode).not.toBe(0)
  })
})
