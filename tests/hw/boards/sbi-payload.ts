/**
 * An S-mode program that asks the SBI of a two-hart machine for all that it offers, prints a letter for each step that
 * answered as SBI 2.0 says, and shuts down. At the first wrong answer it prints "!" and fails.
 */

/** What a machine with the H extension prints. */
export const SBI_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUV\n'

const call = (extension: string | number, functionNumber: number, ...args: (string | number)[]): string =>
  [
    ...args.map((value, index) => `  li a${index}, ${value}`),
    `  li a7, ${extension}`,
    `  li a6, ${functionNumber}`,
    '  ecall',
  ].join('\n')

/** `a0` must be `error`; then the letter. */
const expect = (error: number, letter: string): string => `
  li t0, ${error}
  bne a0, t0, fail
${letter ? `  li a0, 0x${letter.charCodeAt(0).toString(16)}\n  call print` : ''}`
const expectValue = (value: string | number, letter: string): string => `
  bnez a0, fail
  li t0, ${value}
  bne a1, t0, fail
  li a0, 0x${letter.charCodeAt(0).toString(16)}
  call print`

const BASE = 0x10
const TIME = 0x5449_4d45
const IPI = 0x73_5049
const RFENCE = 0x5246_4e43
const HSM = 0x48_534d
const SRST = 0x5352_5354
const DBCN = 0x4442_434e
const PMU = 0x50_4d55

/** Assembly for 0x8020_0000. */
export const sbiPayload = `
_start:
  mv s0, a0
  mv s1, a1
  bnez s0, fail
  lw t0, 0(s1)
  li t1, 0xedfe0dd0
  subw t0, t0, t1
  bnez t0, fail
  la t0, trap_entry
  csrw stvec, t0

${call(BASE, 0)}
${expectValue(0x0200_0000, 'A')}
${call(BASE, 3, HSM)}
${expectValue(1, 'B')}
${call(BASE, 3, PMU)}
${expectValue(0, 'C')}
${call(PMU, 0)}
${expect(-2, 'D')}

  # DBCN writes from memory, and refuses the firmware's own.
  la a1, text
  li a0, 1
  li a2, 0
  li a7, ${DBCN}
  li a6, 0
  ecall
  bnez a0, fail
  li t0, 1
  bne a1, t0, fail
${call(DBCN, 0, 16, 0x8000_0000, 0)}
${expect(-3, 'F')}
${call(DBCN, 0, 1, 0x100, 0)}
${expect(-3, 'G')}
  li t3, 77
  li t6, 88
${call(DBCN, 1, 8, 0x8030_0000, 0)}
  li t0, 77
  bne t3, t0, fail
  li t0, 88
  bne t6, t0, fail
${expectValue(0, 'H')}

  # The timer rings, and a timer set far away is not pending.
  la t0, wanted
  li t1, 5
  sd t1, 0(t0)
  csrr a0, time
  addi a0, a0, 200
  li a7, ${TIME}
  li a6, 0
  ecall
  bnez a0, fail
  li t0, 0x20
  csrw sie, t0
  csrsi sstatus, 2
  call wait_for_cause
${call(TIME, 0, -1)}
  csrr t0, sip
  andi t0, t0, 0x20
  bnez t0, fail
${expect(0, 'I')}

  # An IPI to ourselves.
  la t0, wanted
  li t1, 1
  sd t1, 0(t0)
  li t0, 2
  csrw sie, t0
${call(IPI, 0, 1, 0)}
  bnez a0, fail
  call wait_for_cause
${call(IPI, 0, 4, 0)}
${expect(-3, 'J')}

  # Hart 1: stopped, started, started twice.
${call(HSM, 2, 1)}
${expectValue(1, 'K')}
${call(HSM, 0, 1, 0x8000_0100, 0)}
${expect(-5, 'L')}
  li a0, 1
  la a1, second
  li a2, 0x1234
  li a7, ${HSM}
  li a6, 0
  ecall
  bnez a0, fail
  call wait_for_second
  li a0, 0x4d
  call print
${call(HSM, 0, 1, 0x8020_0000, 0)}
${expect(-6, 'N')}
${call(HSM, 0, 7, 0x8020_0000, 0)}
${expect(-3, 'O')}

  # Fences on both harts; hart 1 only counts.
${call(RFENCE, 0, 3, 0)}
${expect(0, '')}
${call(RFENCE, 1, 3, 0, 0, -1)}
${expect(0, '')}
${call(RFENCE, 1, 0, -1, 0x8000_1234, 0x2000)}
${expect(0, '')}
${call(RFENCE, 2, 2, 0, 0x1000, 0x1000, 7)}
${expect(0, 'P')}
${call(RFENCE, 3, 3, 0, 0x1000, 0x3000, 7)}
${expect(0, '')}
${call(RFENCE, 4, 3, 0, 0, 0)}
${expect(0, '')}
${call(RFENCE, 5, 3, 0, 0x1000, 0x2000, 7)}
${expect(0, '')}
${call(RFENCE, 6, 3, 0, 0, -1)}
${expect(0, 'Q')}
${call(RFENCE, 0, 8, 0)}
${expect(-3, 'R')}
${call(RFENCE, 9, 1, 0)}
${expect(-2, 'S')}

  # Hart 1 suspends until we interrupt it, then stops.
  la t0, command
  li t1, 1
  fence
  sd t1, 0(t0)
wait_suspended:
${call(HSM, 2, 1)}
  bnez a0, fail
  li t0, 4
  bne a1, t0, wait_suspended
${call(RFENCE, 0, 2, 0)}
${expect(0, 'T')}
${call(IPI, 0, 1, 1)}
  bnez a0, fail
wait_stopped:
${call(HSM, 2, 1)}
  bnez a0, fail
  li t0, 1
  bne a1, t0, wait_stopped
  la t0, seen
  ld t0, 0(t0)
  li t1, 2
  bne t0, t1, fail
  li a0, 0x55
  call print
${call(SRST, 0, 9, 0)}
  li t0, -3
  bne a0, t0, fail
  # The legacy console, which returns nothing but a0.
  li a0, 0x56
  li a1, 99
  li a7, 1
  ecall
  li t0, 99
  bne a1, t0, fail
  li a0, 10
  call print
${call(SRST, 0, 0, 0)}
  j fail

second:
  li t0, 1
  bne a0, t0, fail
  li t0, 0x1234
  bne a1, t0, fail
  la t0, trap_entry
  csrw stvec, t0
  la t0, seen
  li t1, 1
  fence
  sd t1, 0(t0)
second_wait:
  la t0, command
  ld t0, 0(t0)
  beqz t0, second_wait
  # Asleep with the IPI enabled but sstatus.SIE clear: the call returns when it is pending.
  li t0, 2
  csrw sie, t0
${call(HSM, 3, 0, 0, 0)}
  bnez a0, fail
  csrr t0, sip
  andi t0, t0, 2
  beqz t0, fail
  la t0, seen
  li t1, 2
  fence
  sd t1, 0(t0)
${call(HSM, 1)}
  j fail

wait_for_second:
  la t0, seen
  ld t0, 0(t0)
  beqz t0, wait_for_second
  ret

wait_for_cause:
  la t0, wanted
  ld t0, 0(t0)
  bnez t0, wait_for_cause
  ret

  .balign 4
trap_entry:
  csrr t4, scause
  bgez t4, fail
  slli t4, t4, 1
  srli t4, t4, 1
  la t5, wanted
  ld t6, 0(t5)
  bne t4, t6, fail
  sd zero, 0(t5)
  csrw sie, zero
  csrci sip, 2
  sret

print:
  li a7, ${DBCN}
  li a6, 2
  ecall
  bnez a0, fail
  ret

fail:
  li a0, 0x21
  li a7, ${DBCN}
  li a6, 2
  ecall
${call(SRST, 0, 0, 1)}
fail_forever:
  j fail_forever

  .balign 8
wanted:
  .dword 0
seen:
  .dword 0
command:
  .dword 0
text:
  .byte 0x45
`
