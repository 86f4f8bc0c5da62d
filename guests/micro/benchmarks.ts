/** The microbenchmarks, in the order in which they run. A benchmark's number, in marks and selections, is its place from 1. */

export interface Benchmark {
  readonly name: string
  /** What one operation is, in one line. */
  readonly does: string
  /** The label of its code. */
  readonly label: string
  /** What another guest on the same hart has to do meanwhile: a role of bootargs. */
  readonly neighbour?: 'noise' | 'waker'
}

export const BENCHMARKS: readonly Benchmark[] = [
  { name: 'null-hypercall', does: 'SBI Base get_spec_version, called and returned', label: 'null_hypercall' },
  {
    name: 'stage2-fault',
    does: 'first store to a 2 MiB-aligned page that the guest has never touched',
    label: 'stage2_fault',
  },
  {
    name: 'mmio-kernel',
    does: 'store to a virtio doorbell, the queue empty: handled in the kernel where there is one',
    label: 'mmio_kernel',
  },
  {
    name: 'mmio-user',
    does: "load of the UART's scratch register: answered by whoever emulates the UART",
    label: 'mmio_user',
  },
  { name: 'irqchip-access', does: 'load of a priority register of the PLIC', label: 'irqchip_access' },
  { name: 'virtual-ipi', does: 'SBI send_ipi until the spinning receiver has acknowledged', label: 'virtual_ipi' },
  { name: 'virtual-ipi-halted', does: 'the same, the receiver in wfi', label: 'virtual_ipi_halted' },
  {
    name: 'external-interrupt',
    does: 'store that makes the UART raise its line, until the handler begins',
    label: 'external_interrupt',
  },
  {
    name: 'interrupt-completion',
    does: 'claim and completion of that interrupt at the PLIC',
    label: 'interrupt_completion',
  },
  {
    name: 'vm-switch',
    does: 'from one guest to another on the same hart: half of what is missing in between',
    label: 'vm_switch',
    neighbour: 'waker',
  },
  {
    name: 'io-out',
    does: 'kick of a virtio queue until the backend has served it, as another vCPU sees it',
    label: 'io_out',
  },
  { name: 'io-in', does: "the backend's answer until the sleeping guest's handler begins", label: 'io_in' },
  {
    name: 'timer-latency',
    does: "deadline of a timer until the sleeping guest's handler begins",
    label: 'timer_latency',
  },
  {
    name: 'timer-latency-noisy',
    does: 'the same, another guest computing on the same hart',
    label: 'timer_latency_noisy',
    neighbour: 'noise',
  },
  { name: 'syscall', does: 'ecall from U to S within the guest, 16 registers saved, and back', label: 'syscall' },
  {
    name: 'page-fault',
    does: "load of a page that the guest's own table lacks, its handler maps it",
    label: 'page_fault',
  },
  {
    name: 'context-switch',
    does: 'from one kernel thread to another in another address space (satp)',
    label: 'context_switch',
  },
]

/** The number of a benchmark, as its marks have it. */
export function numberOf(name: string): number {
  return BENCHMARKS.findIndex(benchmark => benchmark.name === name) + 1
}

/** Bootargs that select these benchmarks: a mask, bit n for the benchmark of number n + 1. */
export function bootargsFor(names: readonly string[]): string {
  return `micro=${names.reduce((mask, name) => mask | (1 << (numberOf(name) - 1)), 0).toString(16)}`
}
