/**
 * A guest that tries everything that it should not: CSRs, privileged and hypervisor instructions by the whole encoding
 * space, forged `entry` instructions, loads, stores, AMOs and fetches all over the address space outside its RAM, page
 * tables that lead there, absurd SBI calls. It patches each instruction into a slot of its own code, and its handler
 * goes on behind it, whatever has come of it. In the end it looks whether its own memory is what it was.
 */
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import {
  SBI_BASE,
  SBI_DBCN,
  SBI_HSM,
  SBI_IPI,
  SBI_LEGACY_GETCHAR,
  SBI_LEGACY_PUTCHAR,
  SBI_RFENCE,
  SBI_SRST,
  SBI_TIME,
} from '../../hw/spec/sbi.ts'
import { guestImage } from '../image.ts'
import type { Workload } from '../workload.ts'

/** Addresses where something may be, on one machine or another. The last is RAM in a guest: nothing is executed there. */
const ADDRESSES = [
  '0',
  '8',
  '0x1000',
  '0x100000',
  '0x101000',
  '0x2000000',
  '0x2004000',
  '0x200bff8',
  '0x3000000',
  '0xbffffff',
  '0xc000000',
  '0xc000028',
  '0xc001000',
  '0xc002000',
  '0xc200000',
  '0xc200004',
  '0xc5ffffc',
  '0xc600000',
  '0x10000000',
  '0x10000004',
  '0x10000100',
  '0x10001000',
  '0x10001030',
  '0x10001050',
  '0x10002000',
  '0x10002070',
  '0x10003000',
  '0x10003100',
  '0x30000000',
  '0x30008000',
  '0x40000000',
  '0x7fffffff',
  '0xa0000000',
  '0xfffffff8',
  '0xffffffff',
  '0x100000000',
  '0x400000000',
  '0x4000000000',
  '0x80000000000',
  '0xffffffffffffff',
  '0x7ffffffffffffff8',
  '0x8000000000000000',
  '0xffffffff80000000',
  '-8',
  '-1',
  `${GUEST_RAM}`,
]
const RANDOM_ADDRESSES = 60
/** RAM ends below this in every configuration; addresses between are the guest's own affair. */
const ABOVE_RAM = 0xa000_0000
const OFFSETS = [0, 1, 3, 7]

/** A compressed instruction fills its word with a nop. */
const compressed = (instruction: string) => `.option push
    .option rvc
    ${instruction}
    c.nop
    .option pop`

/** What is done at an address: a1; stored is a4. */
const ACCESSES = [
  'lb a2, 0(a1)',
  'lbu a2, 0(a1)',
  'lh a2, 0(a1)',
  'lhu a2, 0(a1)',
  'lw a2, 0(a1)',
  'lwu a2, 0(a1)',
  'ld a2, 0(a1)',
  'sb a4, 0(a1)',
  'sh a4, 0(a1)',
  'sw a4, 0(a1)',
  'sd a4, 0(a1)',
  'flw fa0, 0(a1)',
  'fld fa0, 0(a1)',
  'fsw fa0, 0(a1)',
  'fsd fa0, 0(a1)',
  'amoadd.w a2, a4, (a1)',
  'amoswap.d a2, a4, (a1)',
  'lr.w a2, (a1)',
  'sc.d a2, a4, (a1)',
  'cbo.inval (a1)',
  'cbo.zero (a1)',
  compressed('c.lw a2, 0(a1)'),
  compressed('c.sd a4, 0(a1)'),
]

/** a7, a6, a0 to a3. Nothing that a monitor may honour by stopping this hart or the machine. */
const CALLS: readonly (readonly (string | number)[])[] = [
  ...[9, 15, 0x11, 0x4242, 0x0a00_0000, '0x7fffffffffffffff', '-1'].map(extension => [
    extension,
    '-1',
    '-1',
    '-1',
    '-1',
    '-1',
  ]),
  ...[0, 1, 2, 3, 4, 5, 6, 7, '-1'].map(call => [SBI_BASE, call, '-1', '-1', 0, 0]),
  ...[0, '-1', '0x8000000000000000'].map(time => [SBI_TIME, 0, time, 0, 0, 0]),
  [SBI_TIME, 1, 0, 0, 0, 0],
  ...[
    [0, 0],
    ['-1', '-1'],
    ['-1', 0],
    [1, '0x7fffffffffffffff'],
    ['0xfffffffe', 0],
    [0, 64],
  ].map(([mask, base]) => [SBI_IPI, 0, mask, base, 0, 0]),
  ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap(call =>
    [
      ['-1', '-1'],
      ['-1', 0],
      ['0xfffffffffffffffe', 0],
      [1, 63],
      [0, '0x1000000000000'],
    ].flatMap(([mask, base]) => [
      [SBI_RFENCE, call, mask, base, 0, '-1'],
      [SBI_RFENCE, call, mask, base, '0xfffffffffffff000', '0x2000'],
    ]),
  ),
  ...[1, 2, 63, 64, 4096, '0x7fffffffffffffff', '-1'].flatMap(hart => [
    [SBI_HSM, 0, hart, GUEST_RAM, 0, 0],
    [SBI_HSM, 2, hart, 0, 0, 0],
  ]),
  [SBI_HSM, 0, 0, '-1', 0, 0],
  [SBI_HSM, 0, 0, 0x1000_0000, 0, 0],
  [SBI_HSM, 9, 0, 0, 0, 0],
  [SBI_SRST, 0, 7, 0, 0, 0],
  [SBI_SRST, 0, '0xefffffff', '-1', 0, 0],
  [SBI_SRST, 1, 0, 0, 0, 0],
  ...[0, 1].flatMap(call =>
    [
      [16, '0x1000000', 0],
      [16, 0x1000_0000, 0],
      [16, '-8', 0],
      [16, 0x8000_0000, '-1'],
      ['-1', '-1', '-1'],
      [8, '0xbffffffc', 0],
      [0, 0, 0],
    ].map(([bytes, low, high]) => [SBI_DBCN, call, bytes, low, high, 0]),
  ),
  [SBI_DBCN, 2, '-1', 0, 0, 0],
  [SBI_DBCN, 3, 0, 0, 0, 0],
  [SBI_LEGACY_PUTCHAR, 0, '-1', 0, 0, 0],
  [SBI_LEGACY_GETCHAR, 0, 0, 0, 0, 0],
  ...[3, 4, 5, 6, 7].map(legacy => [legacy, 0, '-8', '-1', '-1', '-1']),
]

/** Most of what it tries is an exception anywhere; if not, it has not tried. */
const LEAST_TRAPS = 25_000
const CANARY_BYTES = 0x1_0000
/** sie.STIE; sstatus.SPP, SPIE and FS. */
const STIE = 0x20
const SPP = 0x100
const SPIE = 0x20
const FS = 0x6000
const NOP = 0x13
const SYSTEM = 0x73
const ENTRY = 0x0b
/** In an instruction: rs1 = a1; rd = a2; funct3 of hlv and hsv; of csrrw. */
const RS1_A1 = 11 << 15
const RS1_A2 = 12 << 15
const RD_A2 = 12 << 7
const HYPERVISOR = 4 << 12
const CSRRW = 1 << 12
const CSRRS = 2 << 12

/** Tries each of the 4096 instructions that have these bits; those of \`second\` with the same immediate follow. */
const sweep = (label: string, bits: number, second = 0, argument = 'call hostile_address') => `
    li s3, 0
${label}:
    ${argument}
    mv a1, s5
    slli t0, s3, 20
    li a0, ${bits}
    or a0, a0, t0
    ${second === 0 ? `li a3, ${NOP}` : `li a3, ${second}\n    or a3, a3, t0`}
    call try
    addi s3, s3, 1
    li t0, 4096
    blt s3, t0, ${label}
`

const SOURCE = `
start:
    li s2, 88172645463325252
    li s10, 0
    la a0, canary
    li a1, ${CANARY_BYTES}
    li a2, 1
1:  sd a2, 0(a0)
    slli t0, a2, 13
    xor a2, a2, t0
    srli t0, a2, 7
    xor a2, a2, t0
    addi a0, a0, 8
    addi a1, a1, -8
    bnez a1, 1b
    mark.start

    # CSRs: read; written with ones, with zeros, and at once with what was there
${sweep('read_csr', SYSTEM | CSRRS | RD_A2)}
${sweep('write_ones', SYSTEM | CSRRW | RS1_A1 | RD_A2, SYSTEM | CSRRW | RS1_A2, 'li s5, -1')}
${sweep('write_zeros', SYSTEM | CSRRW | RS1_A1 | RD_A2, SYSTEM | CSRRW | RS1_A2, 'li s5, 0')}
    # ecall, ebreak, xret, wfi and all fences; hlv and hsv; entry
${sweep('privileged', SYSTEM | RS1_A1)}
${sweep('hypervisor_loads', SYSTEM | HYPERVISOR | RS1_A1 | RD_A2)}
${sweep('hypervisor_stores', SYSTEM | HYPERVISOR | RS1_A1)}
${sweep('entries', ENTRY)}
    # addresses: those that may be something, then random ones
    la s3, addresses
    li s6, ${ADDRESSES.length}
known:
    ld s5, 0(s3)
    call pound
    addi s3, s3, 8
    addi s6, s6, -1
    bnez s6, known
    li s6, ${RANDOM_ADDRESSES}
unknown:
    call hostile_address
    call pound
    addi s6, s6, -1
    bnez s6, unknown
    # executed
    la s3, addresses
    li s6, ${ADDRESSES.length - 1}
executed:
    ld a1, 0(s3)
    la a0, jump
    lw a0, 0(a0)
    li a3, ${NOP}
    call try
    addi s3, s3, 8
    addi s6, s6, -1
    bnez s6, executed

    # page tables that lead anywhere, but for the gigabyte of the code
    la s3, root
    li s6, 512
tables:
    call hostile_address
    srli t0, s5, 12
    slli t0, t0, 20
    srli t0, t0, 10
    andi t1, s6, 1
    beqz t1, 1f
    ori t0, t0, 0xce
1:  ori t0, t0, 1
    sd t0, 0(s3)
    addi s3, s3, 8
    addi s6, s6, -1
    bnez s6, tables
    la s3, root
    li t0, ${GUEST_RAM / 4 + 0xcf}
    sd t0, 16(s3)
    srli t0, s3, 12
    li t1, 8
    slli t1, t1, 60
    or t0, t0, t1
    sfence.vma
    csrw satp, t0
    sfence.vma
    li s3, 3
walked:
    slli a1, s3, 55
    srai a1, a1, 25
    la a0, accesses
    lw a0, 24(a0)
    li a3, ${NOP}
    call try
    slli a1, s3, 55
    srai a1, a1, 25
    la a0, jump
    lw a0, 0(a0)
    li a3, ${NOP}
    call try
    addi s3, s3, 1
    li t0, 512
    blt s3, t0, walked
    csrw satp, zero
    sfence.vma

    # calls
    la s3, calls
    li s6, ${CALLS.length}
called:
    la t0, handler
    csrw stvec, t0
    la s7, next_call
    ld a7, 0(s3)
    ld a6, 8(s3)
    ld a0, 16(s3)
    ld a1, 24(s3)
    ld a2, 32(s3)
    ld a3, 40(s3)
    ecall
next_call:
    addi s3, s3, 48
    addi s6, s6, -1
    bnez s6, called

    # has it been stopped often enough, and is everything as it was?
    li t0, ${LEAST_TRAPS}
    bltu s10, t0, damaged
    la a0, canary
    li a1, ${CANARY_BYTES}
    li a2, 1
1:  ld a3, 0(a0)
    bne a3, a2, damaged
    slli t0, a2, 13
    xor a2, a2, t0
    srli t0, a2, 7
    xor a2, a2, t0
    addi a0, a0, 8
    addi a1, a1, -8
    bnez a1, 1b
    mark.end
    shutdown
damaged:
    li a0, 0
    li a1, 1
    sbi ${SBI_SRST}, 0

# s5: a random address outside RAM, of any magnitude
hostile_address:
    slli t0, s2, 13
    xor s2, s2, t0
    srli t0, s2, 7
    xor s2, s2, t0
    slli t0, s2, 17
    xor s2, s2, t0
    andi t0, s2, 63
    srl s5, s2, t0
    li t0, ${GUEST_RAM}
    bltu s5, t0, 1f
    li t0, ${ABOVE_RAM}
    bltu s5, t0, hostile_address
1:  ret

# all accesses to s5 and near it
pound:
    mv s9, ra
    li s8, 0
1:  la s4, accesses
2:  la t0, offsets
    add t0, t0, s8
    lbu t0, 0(t0)
    add a1, s5, t0
    lw a0, 0(s4)
    li a3, ${NOP}
    call try
    addi s4, s4, 4
    la t0, accesses_end
    bltu s4, t0, 2b
    addi s8, s8, 1
    li t0, ${OFFSETS.length}
    blt s8, t0, 1b
    mv ra, s9
    ret

# puts a0 and a3 into the slot and executes them, with whatever state the last ones left put right
try:
    la t0, slot
    sw a0, 0(t0)
    sw a3, 4(t0)
    fence.i
    la s7, tried
    la t0, handler
    csrw stvec, t0
    csrci sstatus, 2
    li t0, ${STIE}
    csrw sie, t0
    csrw stimecmp, zero
    csrw sepc, s7
    li t0, ${SPP | FS}
    csrs sstatus, t0
    li t0, ${SPIE}
    csrc sstatus, t0
    li a4, 0x4142434400010001
    li a7, 0x123456789abcdef
    mv t6, s2
    j slot
tried:
    ret

    .balign 4
handler:
    csrr t0, scause
    bltz t0, interrupted
    addi s10, s10, 1
    csrw sepc, s7
    li t0, ${SPP}
    csrs sstatus, t0
    sret
interrupted:
    csrw sie, zero
    sret

jump:
    jr a1
    .balign 4
accesses:
${ACCESSES.map(access => `    ${access}`).join('\n')}
accesses_end:
    .balign 4096
slot:
    nop
    nop
    j tried
    .balign 4096

    .data
    .balign 8
addresses:
${ADDRESSES.map(address => `    .dword ${address}`).join('\n')}
calls:
${CALLS.map(call => `    .dword ${call.join(', ')}`).join('\n')}
offsets:
    .byte ${OFFSETS.join(', ')}
    .bss
    .balign 4096
root:
    .space 4096
canary:
    .space ${CANARY_BYTES}
`

export const hostile: Workload = {
  name: 'hostile',
  does: 'every privileged instruction and CSR, accesses and page tables all over the address space, absurd SBI calls',
  disk: false,
  network: false,
  image: () => guestImage(SOURCE),
}
