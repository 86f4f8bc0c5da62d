/** What reading a device tree takes: big-endian words, and comparing texts. */

/** Text of `be32`, `same_text`, `in_list` and `find_text`. */
export const TEXTS = `
# The big-endian word at a0. Changes t0, t1.
be32:
    lbu t0, 0(a0)
    lbu t1, 1(a0)
    slli t0, t0, 8
    or t0, t0, t1
    lbu t1, 2(a0)
    slli t0, t0, 8
    or t0, t0, t1
    lbu t1, 3(a0)
    slli t0, t0, 8
    or a0, t0, t1
    ret

# Whether the zero-ended texts a0 and a1 are the same; a1 is left at its end or where they differ.
same_text:
1:  lbu t0, 0(a0)
    lbu t1, 0(a1)
    bne t0, t1, 2f
    addi a0, a0, 1
    addi a1, a1, 1
    bnez t0, 1b
    li a0, 1
    ret
2:  li a0, 0
    ret

# Whether the list of texts of a1 bytes at a0 has the text a2.
in_list:
    mv a3, ra
    add a4, a0, a1
    mv a5, a0
1:  bgeu a5, a4, 3f
    mv a0, a5
    mv a1, a2
    call same_text
    bnez a0, 4f
2:  lbu t0, 0(a5)
    addi a5, a5, 1
    bnez t0, 2b
    j 1b
3:  li a0, 0
4:  jr a3

# Where behind the beginning of the text a2 goes on, that is somewhere in the a1 bytes at a0; 0 if it is not.
find_text:
    add a1, a0, a1
1:  bgeu a0, a1, 4f
    mv t2, a0
    mv t3, a2
2:  lbu t1, 0(t3)
    beqz t1, 3f
    lbu t0, 0(t2)
    addi t2, t2, 1
    addi t3, t3, 1
    beq t0, t1, 2b
    addi a0, a0, 1
    j 1b
3:  mv a0, t2
    ret
4:  li a0, 0
    ret
`
