/**
 * The same primitives in the kernel of our own host (vmm/hosted): small processes, put where a VMM's would be. A process
 * has a thread for its guest's vCPU and one for I/O, to which events are told: that one measures. s1 says which one runs.
 */
import {
  DISK_READ,
  DISK_STARTED,
  LOCK_CONTENDED,
  SYS_DISK,
  SYS_LOCK_WAIT,
  SYS_LOCK_WAKE,
  SYS_SEND,
  SYS_WAIT,
  THREAD_REGISTER,
} from '../../vmm/hosted/system-calls.ts'
import { textOf, USER_CONSOLE, USER_LOCK, USER_RAM, USER_RINGS } from '../../vmm/hosted/layout.ts'
import type { HostPolicy } from '../../hw/spec/layouts/host-policy.ts'
import { assemble } from '../../hw/spec/isa/assembler.ts'

export interface HostPrimitive {
  /** That of Linux's that it is beside. */
  readonly name: string
  readonly operations: number
  readonly policy: Partial<HostPolicy>
  /** What is not alike. */
  readonly note?: string
  readonly text: Uint8Array
}

const WARM_UP = 64
const PAGE = 4096
/** Above the guest's image and device tree. */
const FREE_RAM = USER_RAM + 16 * 2 ** 20
/** A number that no system call has. */
const NO_CALL = 1000
const PAGE_SECTORS = PAGE / 512
const FRAME_BYTES = 106

const call = (number: number) => `
    li a7, ${number}
    ecall`

/** Other threads sleep for a lock that nobody gives back, unless \`other\` says what they do. */
function timed(set: string, body: string, operations: number, other?: string): Uint8Array {
  const source = `
    .option norvc
    li s3, ${USER_LOCK}
    li s4, ${USER_CONSOLE}
    li t0, ${LOCK_CONTENDED}
    sw t0, 0(s3)
    bnez x${THREAD_REGISTER}, first
    ${other ?? `1: ${call(SYS_LOCK_WAIT)}\n    j 1b`}
first:
    ${set}
    li s5, ${WARM_UP}
1:  ${body}
    addi s5, s5, -1
    bnez s5, 1b
    li s5, ${operations}
    mark.start
1:  ${body}
    addi s5, s5, -1
    bnez s5, 1b
    mark.end
1:  ${call(SYS_LOCK_WAIT)}
    j 1b
`
  return assemble(source, { origin: textOf(0) }).bytes
}

/** Takes turns with the other thread. The word at USER_CONSOLE says whose turn it is; the lock's word stays contended. */
const give = `
    xori t0, x${THREAD_REGISTER}, 1
    sw t0, 0(s4)
    ${call(SYS_LOCK_WAKE)}`
const take = `
2:  lw t0, 0(s4)
    beq t0, x${THREAD_REGISTER}, 3f
    ${call(SYS_LOCK_WAIT)}
    j 2b
3:`

/** Reads a page at sector s6 into s7; sleeps until it has come. */
const read = `
    li a0, ${DISK_READ * 256}
    mv a1, s6
    li a2, ${PAGE_SECTORS}
    mv a3, s7
    ${call(SYS_DISK)}
    li t0, ${DISK_STARTED}
    bne a0, t0, 2f
    ${call(SYS_WAIT)}
2:  addi s6, s6, %STEP%`
const reading = (step: number) => read.replace('%STEP%', String(step))
const readSet = `
    li s6, 0
    li s7, ${FREE_RAM}
    sb zero, 0(s7)`

/** The station's address, ours, IPv4: a frame that a card sends on. The payload does not matter. */
const frame = `
    li s6, ${USER_RINGS}
    li t0, 0x62020100ff686202
    sd t0, 0(s6)
    li t0, 0x01000068
    sw t0, 8(s6)
    li t0, 0x00450008
    sw t0, 12(s6)`

/** Every primitive that our host has. */
export function hostPrimitives(): readonly HostPrimitive[] {
  const touch = `
    sb zero, 0(s6)
    add s6, s6, s7`
  const turns = 500
  return [
    { name: 'null-syscall', operations: 1000, policy: {}, text: timed('', call(NO_CALL), 1000) },
    {
      name: 'thread-switch',
      operations: turns,
      policy: {},
      text: timed('', `${give}${take}`, turns, `1: ${take}${give}\n    j 1b`),
    },
    {
      name: 'page-fault',
      operations: 500,
      policy: { pages: 'small' },
      text: timed(`li s6, ${FREE_RAM}\n    li s7, ${PAGE}`, touch, 500),
    },
    { name: 'read-4k-cached', operations: 500, policy: {}, text: timed(readSet, reading(0), 500) },
    {
      name: 'read-4k-direct',
      operations: 100,
      policy: { io: 'direct' },
      text: timed(readSet, reading(PAGE_SECTORS), 100),
    },
    {
      name: 'frame-send',
      operations: 500,
      policy: {},
      note: 'ours has no copy from user memory: the ring is shared',
      text: timed(frame, `li a0, 0\n    li a1, ${FRAME_BYTES}\n    ${call(SYS_SEND)}`, 500),
    },
  ]
}
