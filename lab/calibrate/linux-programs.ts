/**
 * The primitives of an operating system, as programs for Linux in our own assembly: each does its operation some times to
 * warm up, then so many times between marks. They make raw system calls and need no library.
 */
import { userProgram } from '../linux/user-program.ts'

export interface Primitive {
  readonly name: string
  /** What one operation is. */
  readonly does: string
  readonly operations: number
  /** Shell commands that must have succeeded before. */
  readonly before: readonly string[]
  readonly program: Uint8Array
}

const WARM_UP = 64
const PAGE = 4096
/** openat's first argument: the path is absolute anyway. */
const AT_FDCWD = -100
const O_DIRECT = 0o40000
const DISK = '/dev/nvme0n1'
const FILE = '/mnt/file'
const FILE_BLOCKS = 512
/** sockaddr_in of the station's discard port: family 2, port 9 and address in network order. */
const STATION = '.half 2, 0x0900\n.byte 10, 0, 0, 1\n.dword 0'

/** `body` is one operation; s0 and s1 are the loop's, the rest of the saved registers are the program's. */
function timed(set: string, body: string, operations: number, data = ''): Uint8Array {
  return userProgram(`
    ${set}
    li s1, ${WARM_UP}
1:  ${body}
    addi s1, s1, -1
    bnez s1, 1b
    li s1, ${operations}
    mark.start
1:  ${body}
    addi s1, s1, -1
    bnez s1, 1b
    mark.end
    li a0, 0
    syscall exit_group
    .data
    .balign 8
    ${data}
    .balign ${PAGE}
buffer:
    .space ${PAGE}
  `)
}

/** Pins the process to hart 0. */
const PIN = `
    li a0, 0
    li a1, 8
    la a2, first_hart
    checked sched_setaffinity
`

function nullCall(): Uint8Array {
  return timed('', 'syscall getppid', 1000)
}

const PIPE_ROUNDS = 500

/** Parent and child on one hart: each byte wakes the other and puts the writer to sleep. */
function pipeSwitch(): Uint8Array {
  const pass = (from: string, to: string) => `
    mv a0, ${from}
    la a1, buffer
    li a2, 1
    checked ${to === '' ? 'read' : to}
  `
  const round = `${pass('s3', 'write')}${pass('s4', '')}`
  const set = `
    ${PIN}
    la a0, ends
    li a1, 0
    checked pipe2
    la a0, ends + 8
    li a1, 0
    checked pipe2
    la t0, ends
    lw s2, 0(t0)
    lw s3, 4(t0)
    lw s4, 8(t0)
    lw s5, 12(t0)
    li a0, 17
    li a1, 0
    li a2, 0
    li a3, 0
    li a4, 0
    checked clone
    bnez a0, parent
    li s1, ${WARM_UP + PIPE_ROUNDS}
2:  ${pass('s2', '')}${pass('s5', 'write')}
    addi s1, s1, -1
    bnez s1, 2b
    li a0, 0
    syscall exit
parent:
  `
  return timed(set, round, PIPE_ROUNDS, 'first_hart: .dword 1\nends: .space 16')
}

const TURNS = 500
/** CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM. */
const THREAD_OF_THE_PROCESS = 0x5_0f00
const FUTEX_WAIT_PRIVATE = 128
const FUTEX_WAKE_PRIVATE = 129

/** Two threads of a process on one hart take turns: each wakes the other and sleeps. s2: whose turn it is for us to go on. */
function threadSwitch(): Uint8Array {
  const give = `
    xori t0, s2, 1
    sw t0, 0(s3)
    mv a0, s3
    li a1, ${FUTEX_WAKE_PRIVATE}
    li a2, 1
    checked futex
  `
  const take = (label: string) => `
${label}:
    lw t0, 0(s3)
    beq t0, s2, 9f
    mv a2, t0
    mv a0, s3
    li a1, ${FUTEX_WAIT_PRIVATE}
    li a3, 0
    syscall futex
    j ${label}b
9:
  `
  const set = `
    ${PIN}
    la s3, turn
    li a0, ${THREAD_OF_THE_PROCESS}
    la a1, buffer + ${PAGE}
    li a2, 0
    li a3, 0
    li a4, 0
    checked clone
    seqz s2, a0
    bnez a0, parent
8:  ${take('2')}
    ${give}
    j 8b
parent:
  `
  return timed(set, `${give}${take('3')}`, TURNS, 'first_hart: .dword 1\nturn: .dword 0')
}

const TOUCHED = 500

/** One page after the other of a fresh anonymous mapping, which must not get large pages. */
function firstTouch(): Uint8Array {
  const bytes = (WARM_UP + TOUCHED + 1) * PAGE
  const set = `
    li a0, 0
    li a1, ${bytes}
    li a2, 3
    li a3, 0x22
    li a4, -1
    li a5, 0
    checked mmap
    mv s2, a0
    li a1, ${bytes}
    li a2, 15
    checked madvise
    li s3, ${PAGE}
  `
  return timed(set, 'sb s1, 0(s2)\nadd s2, s2, s3', TOUCHED)
}

function pageRead(flags: number, operations: number, step: number): Uint8Array {
  const set = `
    li a0, ${AT_FDCWD}
    la a1, path
    li a2, ${flags}
    li a3, 0
    checked openat
    mv s2, a0
    li s3, 0
    li s4, ${step}
  `
  const body = `
    mv a0, s2
    la a1, buffer
    li a2, ${PAGE}
    mv a3, s3
    checked pread64
    add s3, s3, s4
  `
  return timed(set, body, operations, `path: .asciz "${FILE}"`)
}

const SENDS = 500

function udpSend(): Uint8Array {
  const set = `
    li a0, 2
    li a1, 2
    li a2, 0
    checked socket
    mv s2, a0
  `
  const body = `
    mv a0, s2
    la a1, buffer
    li a2, 64
    li a3, 0
    la a4, station
    li a5, 16
    checked sendto
  `
  return timed(set, body, SENDS, `station: ${STATION}`)
}

/** Every primitive, in the order of the table. */
export function primitives(): readonly Primitive[] {
  const disk = [
    'load nvme ext4',
    'sleep 1',
    `busybox mke2fs -b ${PAGE} ${DISK}`,
    `mount -t ext4 ${DISK} /mnt`,
    `dd if=/dev/zero of=${FILE} bs=${PAGE} count=${FILE_BLOCKS}`,
    'sync',
  ]
  const network = [
    'load igb',
    'ip addr add 10.0.0.2/24 dev eth0',
    'ip link set eth0 up',
    'sleep 4',
    'ping -c 1 10.0.0.1',
  ]
  return [
    { name: 'null-syscall', does: 'getppid', operations: 1000, before: [], program: nullCall() },
    {
      name: 'context-switch',
      does: 'a byte through a pipe to a process on the same hart, and one back: two switches, two writes, two reads',
      operations: PIPE_ROUNDS,
      before: [],
      program: pipeSwitch(),
    },
    {
      name: 'thread-switch',
      does: 'two threads on one hart take turns by futex: two switches, two wakes, two waits',
      operations: TURNS,
      before: [],
      program: threadSwitch(),
    },
    {
      name: 'page-fault',
      does: 'first touch of a page of an anonymous mapping',
      operations: TOUCHED,
      before: [],
      program: firstTouch(),
    },
    {
      name: 'read-4k-cached',
      does: 'pread of 4 KiB that the page cache has',
      operations: 500,
      before: disk,
      program: pageRead(0, 500, 0),
    },
    {
      name: 'read-4k-direct',
      does: 'pread of 4 KiB past the page cache, from the NVMe disk',
      operations: 100,
      before: disk,
      program: pageRead(O_DIRECT, 100, PAGE),
    },
    {
      name: 'udp-send',
      does: 'sendto of 64 bytes over the network card',
      operations: SENDS,
      before: network,
      program: udpSend(),
    },
  ]
}
