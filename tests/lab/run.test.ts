import { expect, test } from 'vitest'
import { barehart, folderOf, payload } from './command.ts'

/** Touches memory that the guest does not have, with no trap handler that could help. */
const CRASH = `
    li a0, 0x12345
    li t0, 0x40000000
    ld t1, 0(t0)
`
/** Counts long enough to outlive the other, prints, and ends with a code of its own. */
const END = (code: number) => `
    li t0, 3000000
1:  addi t0, t0, -1
    bnez t0, 1b
    li t0, 0x10000000
    li t1, 79
    sb t1, 0(t0)
    li t1, 75
    sb t1, 0(t0)
    li a7, 0x53525354
    li a6, 0
    li a0, 0
    li a1, ${code}
    ecall
`
const guest = (name: string, kernel: string) => ({ name, kernel, memory: '16M' })
const folder = folderOf({
  'crash.bin': payload(CRASH),
  'good.bin': payload(END(0)),
  'bad.bin': payload(END(5)),
  'crash.json': JSON.stringify({ vmm: 'native', guests: [guest('wild', 'crash.bin'), guest('tame', 'good.bin')] }),
  'code.json': JSON.stringify({ vmm: 'native', guests: [guest('one', 'good.bin'), guest('other', 'bad.bin')] }),
  'hosted.json': JSON.stringify({ vmm: 'hosted', guests: [guest('one', 'good.bin')] }),
  'bare.json': JSON.stringify({ vmm: 'none', guests: [guest('one', 'good.bin')] }),
})

test('a guest that crashes is reported; the other goes on to its end; the exit code is 1', () => {
  const { code, out, err } = barehart(folder, 'run', 'crash.json')
  expect(err).toContain('guest wild crashed and was stopped; the others go on')
  expect(err).toContain('load guest-page fault at 0x40000000')
  expect(err).toMatch(/a0 0+12345\b/)
  expect(err).toMatch(/▶ +80200\w+ {2}ld/)
  expect(out).toContain('OK')
  expect(code).toBe(1)
})

test('--json says how each guest ended, consoles on standard error; a repeated run has the same hash', () => {
  const first = barehart(folder, 'run', 'crash.json', '--json')
  const second = barehart(folder, 'run', 'crash.json', '--json')
  const report = JSON.parse(first.out) as { guests: readonly object[]; cycles: number; traceHash: string }
  expect(report.guests).toMatchObject([
    { guest: 'wild', ended: true, crashed: true },
    { guest: 'tame', ended: true, crashed: false, exitCode: 0 },
  ])
  expect(report.cycles).toBeGreaterThan(3_000_000)
  expect(first.err).toContain('OK')
  expect(second.out).toBe(first.out)
})

test.each([
  ['code.json', 5],
  ['hosted.json', 0],
  ['bare.json', 0],
])('%s: the exit code is that of the guests', (file, code) => {
  const run = barehart(folder, 'run', file)
  expect([run.code, run.out.includes('OK'), run.err]).toEqual([code, true, ''])
})
