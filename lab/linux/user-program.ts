/** Small static Linux programs from our own assembler: position-dependent ELF files that make raw system calls. */
import { assemble } from '../../hw/spec/isa/assembler.ts'

/** Where the program lies in its address space, and in its file. */
const ORIGIN = 0x1_0000
const FILE_OFFSET = 0x1000

/** ELF identification, header fields and segment flags (ELF gABI chapters 4 and 5; RISC-V psABI). */
const MAGIC = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]
const EXECUTABLE = 2
const RISCV = 243
const DOUBLE_FLOAT_ABI = 4
const HEADER_BYTES = 64
const PROGRAM_HEADER_BYTES = 56
const LOAD = 1
const READ_WRITE_EXECUTE = 7

/** Numbers of riscv64's system calls (asm-generic/unistd.h). */
export const SYSCALLS = {
  openat: 56,
  close: 57,
  pipe2: 59,
  read: 63,
  write: 64,
  pread64: 67,
  fsync: 82,
  exit: 93,
  exit_group: 94,
  futex: 98,
  nanosleep: 101,
  sched_setaffinity: 122,
  getppid: 173,
  socket: 198,
  sendto: 206,
  clone: 220,
  mmap: 222,
  madvise: 233,
} as const

/** `syscall NAME`: a system call, its arguments in a0 to a5; `checked` ends the program with code 1 if a0 is negative. */
const MACROS = `
    .macro syscall name
    li a7, SYS_\\name
    ecall
    .endm
    .macro checked name
    syscall \\name
    bltz a0, failed
    .endm
`

const TAIL = `
    .text
failed:
    li a0, 1
    syscall exit
`

/** The ELF file of a source that begins at its first line; `failed` is where `checked` goes. */
export function userProgram(source: string): Uint8Array {
  const symbols = Object.fromEntries(Object.entries(SYSCALLS).map(([name, number]) => [`SYS_${name}`, number]))
  const { bytes } = assemble(`${MACROS}\n    .text\n${source}\n${TAIL}`, { origin: ORIGIN, symbols })
  const file = Buffer.alloc(FILE_OFFSET + bytes.length)
  file.set(MAGIC)
  file.writeUInt16LE(EXECUTABLE, 16)
  file.writeUInt16LE(RISCV, 18)
  file.writeUInt32LE(1, 20)
  file.writeBigUInt64LE(BigInt(ORIGIN), 24)
  file.writeBigUInt64LE(BigInt(HEADER_BYTES), 32)
  file.writeUInt32LE(DOUBLE_FLOAT_ABI, 48)
  file.writeUInt16LE(HEADER_BYTES, 52)
  file.writeUInt16LE(PROGRAM_HEADER_BYTES, 54)
  file.writeUInt16LE(1, 56)
  file.writeUInt32LE(LOAD, HEADER_BYTES)
  file.writeUInt32LE(READ_WRITE_EXECUTE, HEADER_BYTES + 4)
  const fields = [FILE_OFFSET, ORIGIN, ORIGIN, bytes.length, bytes.length, FILE_OFFSET]
  for (const [index, value] of fields.entries()) file.writeBigUInt64LE(BigInt(value), HEADER_BYTES + 8 + 8 * index)
  file.set(bytes, FILE_OFFSET)
  return file
}
