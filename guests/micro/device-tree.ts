/** What the guest's device tree says, by one pass over it: RAM, harts, UART, PLIC, virtio devices, and the bootargs. */
import { CPU, MEMORY, PLIC, ROLE, UART, VIRTIO } from './findings.ts'

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

/** Text of `scan_tree`; findings.ts keeps what it has found. */
export const DEVICE_TREE = `
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
    .text
`
