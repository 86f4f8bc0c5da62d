/** The guest's two address spaces: translation is on, as in a kernel. */

const GIGAPAGES = 64
/** V R W X A D. */
const KERNEL_LEAF = 0xcf
const TABLE = 1

/** Virtual address of a window of 512 pages of 4 KiB, above the gigapages. */
export const WINDOW = GIGAPAGES * 2 ** 30

/** Text of `make_tables` and `paging_on`; `window_leaves` is the window's table. */
export const ADDRESS_SPACE = `
# Every gigapage that may hold RAM or devices as it is, and a window of 4 KiB pages; twice, for two address spaces.
make_tables:
    la t0, root
    la t1, second_root
    li t2, ${KERNEL_LEAF}
    li t3, ${GIGAPAGES}
    li t4, 1
    slli t4, t4, 28
1:  sd t2, 0(t0)
    sd t2, 0(t1)
    add t2, t2, t4
    addi t0, t0, 8
    addi t1, t1, 8
    addi t3, t3, -1
    bnez t3, 1b
    la t2, window_middle
    srli t2, t2, 2
    ori t2, t2, ${TABLE}
    sd t2, 0(t0)
    sd t2, 0(t1)
    la t0, window_middle
    la t2, window_leaves
    srli t2, t2, 2
    ori t2, t2, ${TABLE}
    sd t2, 0(t0)
    la t0, root
    srli t0, t0, 12
    li t1, 8
    slli t1, t1, 60
    or t0, t0, t1
    sd t0, first_space, t2
    la t0, second_root
    srli t0, t0, 12
    or t0, t0, t1
    sd t0, second_space, t2
    ret

paging_on:
    sfence.vma
    ld t0, first_space
    csrw satp, t0
    sfence.vma
    ret

    .data
    .balign 8
first_space: .dword 0
second_space: .dword 0
    .bss
    .balign 4096
root: .space 4096
second_root: .space 4096
window_middle: .space 4096
window_leaves: .space 4096
    .text
`
