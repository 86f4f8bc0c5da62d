/** What random programs may contain: less than all where machines are to run them alike that differ lawfully. */
import type { Mode } from './program.ts'

export interface Choices {
  readonly modes: readonly Mode[]
  /** Leaves with A or D clear: only for implementations that fault on them (Svade). */
  readonly clearAccessed: boolean
  /** Extensions (files of hw/spec/isa) and instructions that are left out. */
  readonly without: readonly string[]
  /** CSRs that programs leave alone. */
  readonly withoutCsrs: readonly string[]
  /** Bits that no entry of a table has. */
  readonly withoutFlags: bigint
  /** Addresses of atomics, cache blocks and HSV are always made multiples of 64 first. */
  readonly align: boolean
  /** Any bits of status registers may be written; else only the low five. */
  readonly wholeStatus: boolean
  /** Memory types and hardware updates of A and D may be turned on. */
  readonly memoryTypes: boolean
  /** A changed page table or instruction is always followed by a fence. */
  readonly fenced: boolean
  /** Hypervisor CSRs may have values other than zero. */
  readonly hypervisor: boolean
  /** FIOM of the environment configurations may be set. */
  readonly fiom: boolean
}
