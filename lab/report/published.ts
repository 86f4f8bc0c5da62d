/**
 * Published figures, beside which ours are shown. They are other machines': what is alike is the quantity, not the
 * number. Cycles of their own core. `quoted`: taken from a text that quotes the source's table.
 */

export interface Published {
  readonly benchmark: string
  readonly cycles: number
  readonly system: string
  readonly source: Source
  readonly quoted?: boolean
}

export type Source = 'DuVisor' | 'Dall' | 'Sá' | 'HyperBench'

export const SOURCES: Readonly<Record<Source, string>> = {
  DuVisor: 'DuVisor, OSDI 2023, figure 6: KVM on RISC-V with the H extension, Rocket in FireSim at 3.2 GHz',
  Dall: 'Dall et al., ISCA 2016, table II: KVM and Xen on ARM and x86',
  Sá: 'Sá et al. 2021, arXiv 2103.14951, figure 9: Bao on Rocket in FireSim at 3.2 GHz; nanoseconds there, × 3.2 here',
  HyperBench: 'HyperBench, POMACS 2019, table 3: KVM and Xen on a Xeon E7-4820v2',
}

export const PUBLISHED: readonly Published[] = [
  { benchmark: 'null-hypercall', cycles: 618, system: 'KVM RISC-V', source: 'DuVisor' },
  { benchmark: 'null-hypercall', cycles: 6500, system: 'KVM ARM', source: 'Dall' },
  { benchmark: 'null-hypercall', cycles: 376, system: 'Xen ARM', source: 'Dall' },
  { benchmark: 'null-hypercall', cycles: 1300, system: 'KVM x86', source: 'Dall', quoted: true },
  { benchmark: 'stage2-fault', cycles: 6344, system: 'KVM RISC-V', source: 'DuVisor' },
  { benchmark: 'mmio-user', cycles: 4758, system: 'KVM RISC-V, answered at once', source: 'DuVisor' },
  { benchmark: 'mmio-user', cycles: 7202, system: 'KVM RISC-V, emulation included', source: 'DuVisor' },
  { benchmark: 'irqchip-access', cycles: 7370, system: 'KVM ARM', source: 'Dall', quoted: true },
  { benchmark: 'irqchip-access', cycles: 1356, system: 'Xen ARM', source: 'Dall', quoted: true },
  { benchmark: 'virtual-ipi', cycles: 4692, system: 'KVM RISC-V', source: 'DuVisor' },
  { benchmark: 'virtual-ipi', cycles: 5230, system: 'KVM x86', source: 'Dall', quoted: true },
  { benchmark: 'virtual-ipi-halted', cycles: 5741, system: 'KVM x86', source: 'HyperBench' },
  { benchmark: 'virtual-ipi-halted', cycles: 6368, system: 'Xen x86', source: 'HyperBench' },
  { benchmark: 'external-interrupt', cycles: 4084, system: 'KVM RISC-V', source: 'DuVisor' },
  { benchmark: 'interrupt-completion', cycles: 71, system: 'KVM ARM, by the controller', source: 'Dall', quoted: true },
  { benchmark: 'interrupt-completion', cycles: 1556, system: 'KVM x86', source: 'Dall', quoted: true },
  { benchmark: 'io-out', cycles: 6024, system: 'KVM ARM', source: 'Dall', quoted: true },
  { benchmark: 'io-out', cycles: 560, system: 'KVM x86', source: 'Dall', quoted: true },
  { benchmark: 'io-in', cycles: 13_872, system: 'KVM ARM', source: 'Dall', quoted: true },
  { benchmark: 'timer-latency', cycles: 256, system: 'no hypervisor', source: 'Sá' },
  { benchmark: 'timer-latency', cycles: 2368, system: 'Bao, trap and emulate', source: 'Sá' },
  { benchmark: 'timer-latency-noisy', cycles: 7296, system: 'Bao, trap and emulate', source: 'Sá' },
]

/** What is not alike between those machines and ours. */
export const WHY: readonly string[] = [
  'Clock and memory: at 3.2 GHz an access that leaves the core takes about three times the cycles that it takes at our 1 GHz, and in the flat model caches always hit (--model cached simulates them).',
  'Path length: a Linux has locks, accounting, tracing hooks and error paths that our host does not have. The real KVM on our machine runs by our prices, so what it takes beyond ours is path, not price.',
  'stage2-fault: theirs allocates and maps 4 KiB (3,776 of DuVisor’s 6,344 cycles are the allocation); ours gives 2 MiB that were zeroed beforehand, while a hart was idle.',
  'mmio-user: 3,135 of DuVisor’s 4,758 cycles are switching between guest, kernel and process.',
  'timer-latency: our guests program their timer themselves (Sstc), and where the hypervisor owns no other timer no exit happens; Bao of that time emulated it.',
  'ARM and x86 have other world switches, and interrupt controllers that complete interrupts without an exit; the ranking is what compares.',
]
