/** The Supervisor Binary Interface 2.0: numbers that firmware, VMMs and guests agree on. */

/** SBI 3: error codes. */
export const SBI_SUCCESS = 0
export const SBI_FAILED = -1
export const SBI_NOT_SUPPORTED = -2
export const SBI_INVALID_PARAM = -3
export const SBI_INVALID_ADDRESS = -5
export const SBI_ALREADY_AVAILABLE = -6

export const SBI_VERSION_2_0 = 0x0200_0000

/** Extension numbers; those below 16 are the legacy ones (SBI 5). */
export const SBI_LEGACY_SET_TIMER = 0
export const SBI_LEGACY_PUTCHAR = 1
export const SBI_LEGACY_GETCHAR = 2
export const SBI_LEGACY_SHUTDOWN = 8
export const SBI_BASE = 0x10
export const SBI_TIME = 0x5449_4d45
export const SBI_IPI = 0x73_5049
export const SBI_RFENCE = 0x5246_4e43
export const SBI_HSM = 0x48_534d
export const SBI_SRST = 0x5352_5354
export const SBI_DBCN = 0x4442_434e

/** Every extension that our firmware has. */
export const SBI_EXTENSIONS: readonly number[] = [
  SBI_LEGACY_SET_TIMER,
  SBI_LEGACY_PUTCHAR,
  SBI_LEGACY_GETCHAR,
  SBI_LEGACY_SHUTDOWN,
  SBI_BASE,
  SBI_TIME,
  SBI_IPI,
  SBI_RFENCE,
  SBI_HSM,
  SBI_SRST,
  SBI_DBCN,
]

/** SBI 9.1: states of a hart. */
export const HART_STATE = { STARTED: 0, STOPPED: 1, START_PENDING: 2, STOP_PENDING: 3, SUSPENDED: 4 } as const

/** Registers of a call (SBI 3): extension, function, arguments; error and value come back in a0 and a1. */
export const A0 = 10
export const A1 = 11
export const A2 = 12
export const A3 = 13
export const A6 = 16
export const A7 = 17
