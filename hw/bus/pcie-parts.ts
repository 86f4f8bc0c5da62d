/** What a PCI Express function is made of: its identity, its BARs, and what else stands in its configuration space. */
import type { Chip } from './chip.ts'

/** A memory BAR: `bytes` is a power of two of at least 16; a 64-bit BAR takes two slots. */
export interface Bar {
  readonly index: number
  readonly bytes: number
  readonly wide: boolean
  readonly chip: Chip
}

export interface PcieIdentity {
  readonly vendor: number
  readonly device: number
  /** Base class, subclass and programming interface: 24 bits. */
  readonly class: number
  readonly revision?: number
  readonly subsystemVendor: number
  readonly subsystem: number
  /** 0: no pin; 1: INTA. */
  readonly pin: 0 | 1 | 2 | 3 | 4
  /** The device has more functions than this one, which is its first. */
  readonly several?: boolean
  /** A virtual function: others decode memory for it, and of COMMAND it has Bus Master Enable alone. */
  readonly virtual?: boolean
}

export interface PcieParts {
  readonly bars?: readonly Bar[]
  /** MSI-X in this BAR, whose chip forwards the ranges to {@link PcieFunction.msix}. */
  readonly msix?: { readonly vectors: number; readonly bar: number; readonly table: number; readonly pending: number }
  /** Configuration space from {@link EXTENDED_AT} on, by offsets from its start. */
  readonly extended?: Chip
  /** Puts the rest of the device to its reset state: function level reset. */
  reset?(): void
}
