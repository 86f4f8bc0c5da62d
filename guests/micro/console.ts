/** Lines on the SBI console: whole ones, by DBCN where it is, else byte by byte by the legacy call. */
import { SBI_BASE, SBI_DBCN, SBI_LEGACY_PUTCHAR } from '../../hw/spec/sbi.ts'

const LINE_BYTES = 512

/** Text of `put_text` (a0: zero-ended), `put_number` (a0), `put_hex` (a0), `put_line`. They change a and t registers. */
export const CONSOLE = `
put_text:
    la t0, line
    ld t1, line_length
1:  lbu t2, 0(a0)
    beqz t2, 2f
    add t3, t0, t1
    sb t2, 0(t3)
    addi t1, t1, 1
    addi a0, a0, 1
    j 1b
2:  sd t1, line_length, t0
    ret

put_number:
    li a1, 10
    j put_digits
put_hex:
    li a1, 16
put_digits:
    la t0, digits_end
1:  addi t0, t0, -1
    remu t1, a0, a1
    divu a0, a0, a1
    li t2, 10
    bltu t1, t2, 2f
    addi t1, t1, 'a' - '0' - 10
2:  addi t1, t1, '0'
    sb t1, 0(t0)
    bnez a0, 1b
    mv a0, t0
    j put_text

# Ends the line and sends it.
put_line:
    addi sp, sp, -32
    sd ra, 0(sp)
    sd s0, 8(sp)
    sd s1, 16(sp)
    la a0, newline
    call put_text
    la s0, line
    ld s1, line_length
    sd zero, line_length, t0
    ld t0, console
    beqz t0, 3f
2:  mv a0, s1
    mv a1, s0
    li a2, 0
    sbi ${SBI_DBCN}, 0
    bnez a0, 3f
    add s0, s0, a1
    sub s1, s1, a1
    bnez s1, 2b
    j 4f
3:  lbu a0, 0(s0)
    sbi ${SBI_LEGACY_PUTCHAR}, 0
    addi s0, s0, 1
    addi s1, s1, -1
    bnez s1, 3b
4:  ld ra, 0(sp)
    ld s0, 8(sp)
    ld s1, 16(sp)
    addi sp, sp, 32
    ret

probe_console:
    li a0, ${SBI_DBCN}
    sbi ${SBI_BASE}, 3
    sd a1, console, t0
    ret

    .data
    .balign 8
line_length: .dword 0
console: .dword 0
newline: .asciz "\\r\\n"
line: .space ${LINE_BYTES}
digits: .space 24
digits_end: .byte 0
    .text
`
