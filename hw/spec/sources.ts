/** The manuals that this machine follows, each at one version, and the check that a cited rule exists in them. */
import { RULE_NAMES } from './rule-names.ts'

export interface Source {
  readonly title: string
  readonly version: string
  /** How citations of it begin. */
  readonly cited: string
}

export const SOURCES: readonly Source[] = [
  {
    title: 'The RISC-V Instruction Set Manual, volumes I and II (riscv/riscv-isa-manual)',
    version: 'commit 1d472b809241dbf67728290a8a435c1e14814053, 2026-08-21',
    cited: 'the name of a normative rule, or "unpriv" or "priv" and a section',
  },
  { title: 'RISC-V Advanced Interrupt Architecture', version: '1.0', cited: 'AIA' },
  { title: 'RISC-V IOMMU Architecture Specification', version: '1.0.1', cited: 'IOMMU' },
  { title: 'RISC-V Platform-Level Interrupt Controller Specification', version: '1.0.0', cited: 'PLIC' },
  { title: 'RISC-V Supervisor Binary Interface Specification', version: '2.0', cited: 'SBI' },
  { title: 'NVM Express Base Specification', version: '1.4', cited: 'NVMe' },
  { title: 'Intel 82576EB Gigabit Ethernet Controller Datasheet', version: '2.63', cited: '82576' },
  { title: 'PCI Express Base Specification', version: '5.0', cited: 'PCIe' },
  { title: 'Virtual I/O Device (VIRTIO)', version: '1.2', cited: 'virtio' },
  { title: 'PC16550D Universal Asynchronous Receiver/Transmitter with FIFOs', version: 'June 1995', cited: '16550' },
  { title: 'SiFive FU540-C000 Manual (CLINT)', version: 'v1p0', cited: 'FU540' },
  { title: 'SiFive test finisher, as in the device tree binding sifive,test0', version: '1', cited: 'SiFive' },
  { title: 'Android goldfish virtual hardware (RTC)', version: 'platform/external/qemu, docs', cited: 'goldfish' },
  { title: 'RISC-V Debug Specification', version: '1.0', cited: 'Debug' },
  { title: 'Devicetree Specification', version: '0.4', cited: 'DT' },
]

type Chapter = keyof typeof RULE_NAMES
/** A normative rule of the RISC-V manual. */
export type RuleName = (typeof RULE_NAMES)[Chapter][number]

const known: ReadonlySet<string> = new Set(Object.values(RULE_NAMES).flat())

/** Cites a normative rule of the RISC-V manual; a name that the manual lacks neither type-checks nor loads. */
export function rule(name: RuleName): RuleName {
  if (!known.has(name)) throw new Error(`the RISC-V manual has no normative rule "${name}" (see hw/spec/rule-names.ts)`)
  return name
}
