/** A hart's IMSIC as its CSRs reach it. Files: the supervisor's is 0, guests' are 1 and up. */

export const MACHINE_FILE = -1
export const SUPERVISOR_FILE = 0

export interface InterruptFiles {
  /** GEILEN: how many guest files there are. */
  readonly guests: number
  /** A register by its number in the xiselect window, from 0x70; what is reserved reads as zero and takes no write. */
  read(file: number, register: number): bigint
  write(file: number, register: number, value: bigint): void
  /** The identity that is pending, enabled and within the threshold; 0 if there is none. */
  top(file: number): number
  /** Clears the pending bit of `top`. */
  claim(file: number): void
}
