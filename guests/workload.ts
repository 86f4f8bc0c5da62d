/** What a workload is to those who run it. */
import type { Software } from '../hw/port.ts'
import type { Program } from '../hw/spec/isa/assembler.ts'

export interface Workload {
  readonly name: string
  /** What it does between its marks, in one line. */
  readonly does: string
  /** What it needs of the machine. */
  readonly disk: boolean
  readonly network: boolean
  /** How often it does between its marks what is counted, and what a result's value then is: cycles, unless given. */
  readonly operations?: number
  readonly unit?: string
  /** Of its guest: 64 MiB, and no words for a kernel, unless given. */
  readonly memoryBytes?: number
  readonly bootargs?: string
  /** So many cycles after the start of the machine it has come to its end, if it ever does; of the usual ones unless given. */
  readonly patience?: number
  /** Fills the disk before the machine is switched on: it holds zeros unless given. */
  diskContent?(bytes: Uint8Array): void
  /** Assembles the image anew. */
  image(): Program
  /** What a kernel is given as its first file system. */
  initrd?(): Uint8Array
  /** TypeScript behind the image's doors, for scripted workloads; a new one for each guest, numbered from 0 unless alone. */
  software?(guest?: number, rings?: boolean): Software
  /** So many requests are enclosed by marks (HartPort.mark), numbered by {@link requestMark}. */
  readonly requests?: number
}

/** More than any guest has requests at a time. */
const MARKS_OF_A_GUEST = 1024

/** The mark of a guest's request in this place of its queue. */
export function requestMark(guest: number, place: number): number {
  return guest * MARKS_OF_A_GUEST + place + 1
}
