/**
 * Guest images: assembly behind a Linux boot header, so that firmware, either VMM and other people's load them as they
 * load a kernel. They are entered in S-mode with a0 = hart and a1 = device tree, translation off.
 */
import { assemble, type Program } from '../hw/spec/isa/assembler.ts'
import { GUEST_KERNEL } from '../hw/spec/guest-map.ts'
import { SBI_SRST } from '../hw/spec/sbi.ts'

/** Text offset from the start of RAM that the header asks for. */
const TEXT_OFFSET = 0x20_0000

const HEADER = `
    .option norvc
image_start:
    j start
    nop
    .dword ${TEXT_OFFSET}
    .dword image_end - image_start
    .dword 0
    .word 2
    .word 0
    .dword 0
    .dword 0x5643534952
    .word 0x05435352
    .word 0
`

/** Macros that every image may use: \`shutdown\` ends the guest, \`sbi EXTENSION, FUNCTION\` calls its environment. */
const MACROS = `
    .macro sbi extension, function
    li a7, \\extension
    li a6, \\function
    ecall
    .endm
    .macro shutdown
    li a0, 0
    li a1, 0
    sbi ${SBI_SRST}, 0
    .endm
`

/** Assembles an image. The source has a label \`start\`; data and bss may follow. */
export function guestImage(source: string): Program {
  const end = `
    .bss
    .balign 4096
image_end:
`
  return assemble(`${MACROS}\n    .text\n${HEADER}\n${source}\n${end}`, { origin: GUEST_KERNEL })
}
