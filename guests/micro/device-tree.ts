/** What the guest's device tree says, by one pass over it: RAM, harts, UART, PLIC, virtio devices, and the bootargs. */

/** Kinds of nodes; a node's kind is known by its device_type or compatible. */
const MEMORY = 1
const CPU = 2
const UART = 3
const PLIC = 4
const VIRTIO = 5
export const MOST_HARTS = 16
export const MOST_VIRTIO = 16
/** Bit of an interrupts-extended cell: the supervisor's external interrupt. */
const EXTERNAL_S = 9
/** Roles of bootargs: measuring, or a neighbour of one that does. */
export const ROLE = { measure: 0, noise: 1, waker: 2 } as const

/** Goes to the property's code if its name, at s4, is the one with this label. */
const property = (label: string) => `    mv a0, s4
    la a1, name_${label}
    call same_text
    bnez a0, property_${label}`

const NAMES = {
  reg: 'reg',
  compatible: 'compatible',
  type: 'device_type',
  interrupts: 'interrupts',
  extended: 'interrupts-extended',
  bootargs: 'bootargs',
  isa: 'riscv,isa',
  extensions: 'riscv,isa-extensions',
} as const

const kind = (text: string, number: number) => `    mv a0, s5
    mv a1, s6
    la a2, kind_${number}_${text.length}
    call in_list
    beqz a0, 1f
    li t0, ${number}
    sd t0, node_kind, t1
1:`

const KINDS: readonly (readonly [string, number])[] = [
  ['memory', MEMORY],
  ['cpu', CPU],
]
const CHIPS: readonly (readonly [string, number])[] = [
  ['ns16550a', UART],
  ['sifive,plic-1.0.0', PLIC],
  ['riscv,plic0', PLIC],
  ['virtio,mmio', VIRTIO],
]

/** Text of \`scan_tree\`; it leaves what it has found in the words at the end. */
export const DEVICE_TREE = `
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

# s0: next token, s1: texts.
scan_tree:
    addi sp, sp, -64
    sd ra, 0(sp)
    sd s0, 8(sp)
    sd s1, 16(sp)
    sd s4, 24(sp)
    sd s5, 32(sp)
    sd s6, 40(sp)
    ld s0, tree
    addi a0, s0, 8
    call be32
    mv s1, a0
    ld a0, tree
    addi a0, a0, 12
    call be32
    ld t0, tree
    add s0, s1, t0
    add s1, a0, t0
next_token:
    mv a0, s0
    call be32
    addi s0, s0, 4
    li t0, 1
    beq a0, t0, token_begin
    li t0, 2
    beq a0, t0, token_end
    li t0, 3
    beq a0, t0, token_property
    li t0, 4
    beq a0, t0, next_token
    call find_partners
    ld ra, 0(sp)
    ld s0, 8(sp)
    ld s1, 16(sp)
    ld s4, 24(sp)
    ld s5, 32(sp)
    ld s6, 40(sp)
    addi sp, sp, 64
    ret
token_begin:
    call commit_node
1:  lbu t0, 0(s0)
    addi s0, s0, 1
    bnez t0, 1b
    addi s0, s0, 3
    andi s0, s0, -4
    j next_token
token_end:
    call commit_node
    j next_token
token_property:
    # s4: its name, s5: its value, s6: bytes of it
    mv a0, s0
    call be32
    mv s6, a0
    addi a0, s0, 4
    call be32
    add s4, a0, s1
    addi s5, s0, 8
    add s0, s5, s6
    addi s0, s0, 3
    andi s0, s0, -4
${Object.keys(NAMES)
  .map(label => property(label))
  .join('\n')}
    j next_token
property_reg:
    # one cell, or two of an address
    mv a0, s5
    call be32
    sd a0, node_reg, t2
    li t0, 4
    bleu s6, t0, next_token
    slli t3, a0, 32
    addi a0, s5, 4
    call be32
    add t3, t3, a0
    sd t3, node_reg, t2
    li t0, 16
    bltu s6, t0, next_token
    addi a0, s5, 8
    call be32
    slli t3, a0, 32
    addi a0, s5, 12
    call be32
    add t3, t3, a0
    sd t3, node_bytes, t2
    j next_token
property_type:
${KINDS.map(([text, number]) => kind(text, number)).join('\n')}
    j next_token
property_compatible:
${CHIPS.map(([text, number]) => kind(text, number)).join('\n')}
    j next_token
property_interrupts:
    mv a0, s5
    call be32
    sd a0, node_source, t2
    j next_token
property_extended:
    sd s5, node_extended, t2
    sd s6, node_extended_bytes, t2
    j next_token
property_isa:
property_extensions:
    mv a0, s5
    mv a1, s6
    la a2, text_sstc
    call find_text
    beqz a0, next_token
    li t0, 1
    sd t0, has_sstc, t1
    j next_token
property_bootargs:
    mv a0, s5
    mv a1, s6
    la a2, text_micro
    call find_text
    beqz a0, next_token
    mv s4, a0
    li t4, ${ROLE.noise}
    lbu t0, 0(s4)
    li t1, 'n'
    beq t0, t1, 1f
    li t4, ${ROLE.waker}
    li t1, 'w'
    beq t0, t1, 1f
    # a mask, in hexadecimal digits
    li t4, ${ROLE.measure}
    li t2, 0
2:  lbu t0, 0(s4)
    addi t1, t0, -'0'
    li t3, 10
    bltu t1, t3, 3f
    addi t1, t0, -'a'
    li t3, 6
    bgeu t1, t3, 4f
    addi t1, t1, 10
3:  slli t2, t2, 4
    or t2, t2, t1
    addi s4, s4, 1
    j 2b
4:  sd t2, selected, t0
    li t0, 1
    sd t0, has_neighbour, t1
1:  sd t4, role, t0
    j next_token

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
${Object.entries(NAMES)
  .map(([label, text]) => `name_${label}: .asciz "${text}"`)
  .join('\n')}
${[...KINDS, ...CHIPS].map(([text, number]) => `kind_${number}_${text.length}: .asciz "${text}"`).join('\n')}
text_micro: .asciz "micro="
text_sstc: .asciz "sstc"
    .balign 8
node_kind: .dword 0
node_reg: .dword 0
node_bytes: .dword 0
node_source: .dword 0
node_extended: .dword 0
node_extended_bytes: .dword 0
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
