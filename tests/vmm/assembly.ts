/** Pieces of guests' programs. */

/** Switches the guest off: its exit code is in a1. */
export const END_WITH_A1 = `
    li a7, 0x53525354
    li a6, 0
    li a0, 0
    ecall
`

export const END = `
    li a1, 0
    ${END_WITH_A1}`

/** Prints `text` through the UART's registers, then goes on. Changes t0, t1 and a0. */
export function print(text: string): string {
  return `
    li t0, 0x10000000
    la t1, 7f
8:  lbu a0, 0(t1)
    beqz a0, 9f
    sb a0, 0(t0)
    addi t1, t1, 1
    j 8b
7:  .asciz "${text}"
    .balign 4
9:
`
}

/** Counts until the time CSR reaches `ticks`; switches off with the count in thousands. */
export function countUntil(ticks: number): string {
  return `
    li t3, ${ticks}
    li t4, 1000
    li a1, 0
1:  mv t5, t4
2:  addi t5, t5, -1
    bnez t5, 2b
    addi a1, a1, 1
    rdtime t0
    bltu t0, t3, 1b
    ${END_WITH_A1}`
}

/** Answers each byte on its UART with the next one. */
export const ECHO = `
    la t0, vector
    csrw stvec, t0
    li t0, 0x200
    csrs sie, t0
    csrsi sstatus, 2
    li t0, 0xc000000
    li t1, 1
    sw t1, 40(t0)
    li t0, 0xc002000
    li t1, 0x400
    sw t1, 0(t0)
    li t0, 0x10000000
    li t1, 1
    sb t1, 1(t0)
1:  wfi
    j 1b
    .balign 4
vector:
    li t0, 0xc200004
    lw t1, 0(t0)
    li t2, 0x10000000
    lbu t3, 0(t2)
    addi t3, t3, 1
    sb t3, 0(t2)
    sw t1, 0(t0)
    sret`
