/**
 * Assembly that gives a guest an Sv39 address space: identity-mapped 2 MiB pages for its image, and on top a window of
 * pages of either size for its data at `WINDOW`. Expects a stack-free caller; clobbers t0 to t6.
 */

/** Virtual address of the window. */
export const WINDOW = 0x4000_0000
/** Where the window's memory lies: a part of RAM above the image, aligned to the large pages. */
export const WINDOW_MEMORY = 0x8060_0000

/** Leaf bits: V R W X A D. */
const KERNEL_LEAF = 0xcf
const DATA_LEAF = 0xc7
const TABLE = 1

/** Sizes of the window's pages, in bytes. */
export const SMALL_PAGE = 4096
export const LARGE_PAGE = 0x20_0000
export type PageBytes = typeof SMALL_PAGE | typeof LARGE_PAGE

/**
 * Text with the label `paging_on` (call it; returns with translation on) and the tables' space. `pages` pages are mapped
 * at WINDOW, at most 32 MiB of them: 16 tables of small ones.
 */
export function paging(pages: number, pageBytes: PageBytes = SMALL_PAGE): string {
  const tables = pageBytes === LARGE_PAGE ? 0 : Math.ceil(pages / 512)
  return `
paging_on:
    # root[2]: RAM, one gigapage would do, but real kernels use 2 MiB pages: a table of them
    la t0, paging_root
    la t1, paging_ram
    srli t2, t1, 2
    ori t2, t2, ${TABLE}
    sd t2, 16(t0)
    li t2, 0x80000000
    srli t2, t2, 2
    ori t2, t2, ${KERNEL_LEAF}
    li t3, 512
    li t4, 0x80000
1:  sd t2, 0(t1)
    add t2, t2, t4
    addi t1, t1, 8
    addi t3, t3, -1
    bnez t3, 1b
    # root[1] -> middle, whose entries are the large pages, or tables of small ones
    la t1, paging_middle
    srli t2, t1, 2
    ori t2, t2, ${TABLE}
    sd t2, 8(t0)
${tables === 0 ? '    mv t3, t1' : pointTo(tables)}
    li t2, ${WINDOW_MEMORY}
    srli t2, t2, 2
    ori t2, t2, ${DATA_LEAF}
    li t4, ${pages}
    li t5, ${pageBytes / 4}
1:  sd t2, 0(t3)
    add t2, t2, t5
    addi t3, t3, 8
    addi t4, t4, -1
    bnez t4, 1b
    srli t0, t0, 12
    li t1, 8
    slli t1, t1, 60
    or t0, t0, t1
    sfence.vma
    csrw satp, t0
    sfence.vma
    ret
    .bss
    .balign 4096
paging_root:
    .space 4096
paging_ram:
    .space 4096
paging_middle:
    .space 4096
paging_leaves:
    .space ${tables * 4096}
    .text
`
}

/** Points the entries at t1 to so many tables of leaves, whose address it leaves in t3. */
function pointTo(tables: number): string {
  return `    la t3, paging_leaves
    li t4, ${tables}
1:  srli t2, t3, 2
    ori t2, t2, ${TABLE}
    sd t2, 0(t1)
    addi t1, t1, 8
    li t5, 4096
    add t3, t3, t5
    addi t4, t4, -1
    bnez t4, 1b
    la t3, paging_leaves`
}
