/**
 * The way into a server and back: U-mode with an address space of its own, in which of the VMM there are only this page
 * of code and the thread's frame, both out of the server's reach. The VMM itself runs untranslated.
 *
 *   to_server: a0 = frame ──▶ sret ──▶ server ──(ecall, fault, interrupt)──▶ from_server ──▶ entry `served`
 */
import { maskOf } from '../../../../hw/spec/csr.ts'
import { hstatus } from '../../../../hw/spec/csrs/hypervisor.ts'
import { layout } from '../../../../hw/spec/layout.ts'

/** `scounteren` and `senvcfg` belong to the guest whose context the hart holds: they change hands. */
export const serverFrame = layout(0x140, 'our own', {
  x: { at: 0x000, bytes: 8 },
  sepc: { at: 0x100, bytes: 8 },
  sstatus: { at: 0x108, bytes: 8 },
  satp: { at: 0x110, bytes: 8 },
  scounteren: { at: 0x118, bytes: 8 },
  senvcfg: { at: 0x120, bytes: 8 },
})

const A0 = 10
const GENERAL = Array.from({ length: 31 }, (_, index) => index + 1).filter(register => register !== A0)
const OWN = ['sepc', 'sstatus'] as const
const SHARED = ['scounteren', 'senvcfg'] as const
const PREVIOUSLY_VIRTUAL = maskOf(hstatus, 'SPV')

const lines = (rows: readonly string[]): string => rows.join('\n')
const swapped = SHARED.map(
  csr => `    ld t0, ${serverFrame[csr].at}(a0)\n    csrrw t0, ${csr}, t0\n    sd t0, ${serverFrame[csr].at}(a0)`,
)

/** Assembly text, to stand at the end of an image: the gate has a page of its own. */
export const SERVER_GATE = `
    .balign 4096
server_gate:
to_server:
    csrw sscratch, a0
${lines(OWN.map(csr => `    ld t0, ${serverFrame[csr].at}(a0)\n    csrw ${csr}, t0`))}
${lines(swapped)}
    li t0, ${PREVIOUSLY_VIRTUAL}
    csrc hstatus, t0
    la t0, from_server
    csrw stvec, t0
    ld t0, ${serverFrame.satp.at}(a0)
    csrw satp, t0
${lines(GENERAL.map(register => `    ld x${register}, ${serverFrame.x.at + register * 8}(a0)`))}
    ld a0, ${serverFrame.x.at + A0 * 8}(a0)
    sret

    .balign 4
from_server:
    csrrw a0, sscratch, a0
${lines(GENERAL.map(register => `    sd x${register}, ${serverFrame.x.at + register * 8}(a0)`))}
    csrw satp, zero
    csrr t0, sscratch
    sd t0, ${serverFrame.x.at + A0 * 8}(a0)
${lines(OWN.map(csr => `    csrr t0, ${csr}\n    sd t0, ${serverFrame[csr].at}(a0)`))}
${lines(swapped)}
    la t0, from_guest
    csrw stvec, t0
served:
    enter served
`
