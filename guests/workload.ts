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
  /** Assembles the image anew. */
  image(): Program
  /** TypeScript behind the image's doors, for scripted workloads; a new one for each guest. */
  software?(): Software
}
