import { expect, test } from 'vitest'
import { barehart, elf, finish, folderOf, payload } from './command.ts'

/** Prints through the UART, and echoes a line of input behind "you said ". */
const TALK = `
    li s0, 0x10000000
    la s1, greeting
    jal print
1:  lbu t0, 5(s0)
    andi t0, t0, 1
    beqz t0, 1b
    lbu s2, 0(s0)
    bnez s3, 2f
    li s3, 1
    la s1, answer
    jal print
2:  sb s2, 0(s0)
    li t0, 10
    bne s2, t0, 1b
    ${finish(0)}
print:
    lbu t0, 0(s1)
    beqz t0, 3f
    sb t0, 0(s0)
    addi s1, s1, 1
    j print
3:  ret
greeting: .asciz "name? "
answer: .asciz "you said "
`
const TOHOST = (value: number) => `
    li t0, 0x80201000
    li t1, ${value}
    sd t1, 0(t0)
1:  j 1b
`

const folder = folderOf({
  'pass.bin': payload(finish(0)),
  'fail.bin': payload(finish(42)),
  'talk.bin': payload(TALK),
  'loop.bin': payload('1:  j 1b'),
  'sleep.bin': payload('1:  wfi\n    j 1b'),
  'tohost-pass.elf': elf(payload(TOHOST(1))),
  'tohost-fail.elf': elf(payload(TOHOST((7 << 1) | 1))),
})

test.each([
  ['pass.bin', 0],
  ['fail.bin', 42],
  ['tohost-pass.elf', 0],
  ['tohost-fail.elf', 7],
])('%s ends with exit code %i', (image, code) => {
  expect(barehart(folder, 'boot', image)).toEqual({ code, out: '', err: '' })
})

test('what is to be typed is typed once its text was seen', () => {
  const { code, out } = barehart(folder, 'boot', 'talk.bin', '--send', 'name? =>Ada')
  expect([code, out]).toEqual([0, 'name? you said Ada\n'])
})

test('the text of --until ends the run with success', () => {
  const { code, out } = barehart(folder, 'boot', 'talk.bin', '--until', 'name?')
  expect([code, out.startsWith('name?')]).toEqual([0, true])
})

test('a limit of instructions, and a machine that sleeps for ever, end with 3 and say so', () => {
  const limited = barehart(folder, 'boot', 'loop.bin', '--limit-instructions', '100000')
  expect([limited.code, limited.err]).toEqual([3, 'barehart: the instruction limit was reached\n'])
  const asleep = barehart(folder, 'boot', 'sleep.bin')
  expect([asleep.code, asleep.err]).toEqual([3, 'barehart: every hart sleeps and nothing will wake one\n'])
})
