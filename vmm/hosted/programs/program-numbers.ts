/** The system calls of programs: Linux's numbers on riscv64 (asm-generic/unistd.h). */

export const OPENAT = 56
export const CLOSE = 57
export const PIPE2 = 59
export const READ = 63
export const WRITE = 64
export const PREAD64 = 67
export const FSYNC = 82
export const EXIT = 93
export const EXIT_GROUP = 94
export const FUTEX = 98
export const NANOSLEEP = 101
export const SCHED_SETAFFINITY = 122
export const GETPPID = 173
export const SOCKET = 198
export const SENDTO = 206
export const CLONE = 220
export const MMAP = 222
export const MADVISE = 233

/** Those that a program may make. */
export const PROGRAM_CALLS = [
  OPENAT,
  CLOSE,
  PIPE2,
  READ,
  WRITE,
  PREAD64,
  FSYNC,
  EXIT,
  EXIT_GROUP,
  FUTEX,
  NANOSLEEP,
  SCHED_SETAFFINITY,
  GETPPID,
  SOCKET,
  SENDTO,
  CLONE,
  MMAP,
  MADVISE,
] as const

/** True if its first argument is a descriptor, which it reads or writes. */
export function usesDescriptor(number: number): boolean {
  return number === READ || number === WRITE || number === PREAD64 || number === SENDTO || number === FSYNC
}

/** What the ledger calls it. */
export function nameOf(number: number): string {
  if (number === GETPPID) return 'syscall getppid'
  if (number === READ) return 'syscall read'
  if (number === WRITE) return 'syscall write'
  if (number === PREAD64) return 'syscall pread64'
  if (number === FUTEX) return 'syscall futex'
  if (number === SENDTO) return 'syscall sendto'
  return 'syscall of a program'
}
