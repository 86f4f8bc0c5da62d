/** What has been found in the device tree: nodes, as they are read, become words that the benchmarks look at. */

/** Kinds of nodes; a node's kind is known by its device_type or compatible. */
export const MEMORY = 1
export const CPU = 2
export const UART = 3
export const PLIC = 4
export const VIRTIO = 5
const MOST_HARTS = 16
const MOST_VIRTIO = 16
/** Bit of an interrupts-extended cell: the supervisor's external interrupt. */
const EXTERNAL_S = 9
/** Roles of bootargs: measuring, or a neighbour of one that does. */
export const ROLE = { measure: 0, noise: 1, waker: 2 } as const

/** Text of `commit_node` and `find_partners`, and the words. */
export const FINDINGS = `
# The node whose properties have been read is one that is wanted, perhaps; the next one begins.
commit_node:
    ld t0, node_kind
    ld t1, node_reg
    ld t2, node_bytes
    ld t3, node_source
    sd zero, node_kind, t6
    sd zero, node_reg, t6
    sd zero, node_bytes, t6
    sd zero, node_source, t6
    li t4, ${MEMORY}
    beq t0, t4, commit_memory
    li t4, ${CPU}
    beq t0, t4, commit_cpu
    li t4, ${UART}
    beq t0, t4, commit_uart
    li t4, ${PLIC}
    beq t0, t4, commit_plic
    li t4, ${VIRTIO}
    beq t0, t4, commit_virtio
    ret
commit_memory:
    # the region that we are in
    la t4, image_start
    bltu t4, t1, 1f
    sub t5, t4, t1
    bgeu t5, t2, 1f
    add t1, t1, t2
    sd t1, memory_end, t6
1:  ret
commit_cpu:
    ld t4, harts
    li t5, ${MOST_HARTS}
    bgeu t4, t5, 1f
    la t5, hart_ids
    slli t6, t4, 3
    add t5, t5, t6
    sd t1, 0(t5)
    addi t4, t4, 1
    sd t4, harts, t6
1:  ret
commit_uart:
    ld t4, uart
    bnez t4, 1f
    sd t1, uart, t6
    sd t3, uart_source, t6
1:  ret
commit_plic:
    ld t4, plic
    bnez t4, 1f
    sd t1, plic, t6
    ld t4, node_extended
    sd t4, plic_extended, t6
    ld t4, node_extended_bytes
    sd t4, plic_extended_bytes, t6
1:  ret
commit_virtio:
    ld t4, virtio_count
    li t5, ${MOST_VIRTIO}
    bgeu t4, t5, 1f
    la t5, virtio_windows
    slli t6, t4, 4
    add t5, t5, t6
    sd t1, 0(t5)
    sd t3, 8(t5)
    addi t4, t4, 1
    sd t4, virtio_count, t6
1:  ret

# Our place among the harts, another of them, and our context of the PLIC.
find_partners:
    mv a7, ra
    li t2, 0
    ld t3, harts
    la t4, hart_ids
    ld t5, boot_hart
    li t6, -1
    sd t6, other_hart, t0
1:  bgeu t2, t3, 3f
    ld t0, 0(t4)
    beq t0, t5, 2f
    ld t1, other_hart
    bne t1, t6, 4f
    sd t0, other_hart, t1
4:  addi t2, t2, 1
    addi t4, t4, 8
    j 1b
2:  sd t2, rank, t1
    j 4b
3:  # context: the pair of the extended interrupts that is our supervisor's
    li a2, 0
    ld a3, plic_extended
    ld a4, plic_extended_bytes
    add a4, a3, a4
    ld a5, rank
    li a6, -1
    sd a6, context, t0
1:  bgeu a3, a4, 3f
    addi a0, a3, 4
    call be32
    li t2, ${EXTERNAL_S}
    bne a0, t2, 2f
    bnez a5, 4f
    sd a2, context, t0
    j 3f
4:  addi a5, a5, -1
2:  addi a2, a2, 1
    addi a3, a3, 8
    j 1b
3:  jr a7

    .data
    .balign 8
boot_hart: .dword 0
tree: .dword 0
memory_end: .dword 0
harts: .dword 0
other_hart: .dword -1
rank: .dword 0
uart: .dword 0
uart_source: .dword 0
plic: .dword 0
plic_extended: .dword 0
plic_extended_bytes: .dword 0
context: .dword -1
virtio_count: .dword 0
has_sstc: .dword 0
role: .dword ${ROLE.measure}
has_neighbour: .dword 0
selected: .dword -1
hart_ids: .space ${MOST_HARTS * 8}
virtio_windows: .space ${MOST_VIRTIO * 16}
    .text
`
