/**
 * The microbenchmarks as one guest: a kernel image that runs unchanged on the bare machine, under our VMMs, under Linux's
 * KVM, Xvisor, Bao. It is entered in S-mode (VS-mode) with a0 = hart and a1 = device tree, wherever it lies, and says on
 * the SBI console, a line each:
 *
 *     micro begin HARTS
 *     micro NAME OPERATIONS TICKS      of the time CSR, for all operations together
 *     micro NAME absent WHY            what it would measure is not there
 *     micro trap SCAUSE SEPC STVAL     something is wrong with the guest or its machine
 *     micro done                       then it switches itself off (SBI)
 *
 * Marks around what is timed give our machine the same in cycles (lab/study/micro-recorder.ts). Bootargs choose:
 * `micro=MASK` (hexadecimal, bit n: the benchmark at place n), and `micro=noise` or `micro=waker` for the neighbour that
 * two of them need. docs/microbenchmarks.md has the definitions.
 */
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { guestImage } from '../image.ts'
import { ACCESS } from './accesses.ts'
import { ADDRESS_SPACE } from './address-space.ts'
import { CALLS } from './calls.ts'
import { CONSOLE } from './console.ts'
import { DEVICE_TREE } from './device-tree.ts'
import { EXTERNAL } from './external.ts'
import { FINDINGS } from './findings.ts'
import { HARNESS, MACROS } from './harness.ts'
import { IPI } from './ipi.ts'
import { MEMORY } from './memory.ts'
import { SECOND_VCPU } from './second-vcpu.ts'
import { SHARING } from './sharing.ts'
import { TEXTS } from './texts.ts'
import { TIMER } from './timers.ts'
import { VIRTIO_IO } from './virtio.ts'

export { BENCHMARKS, type Benchmark, bootargsFor, numberOf } from './benchmarks.ts'

/** Assembles the image. */
export function microImage(): Program {
  const frame = [MACROS, HARNESS, ADDRESS_SPACE, SECOND_VCPU, CONSOLE, TEXTS, DEVICE_TREE, FINDINGS]
  const benchmarks = [CALLS, MEMORY, ACCESS, VIRTIO_IO, IPI, EXTERNAL, TIMER, SHARING]
  return guestImage([...frame, ...benchmarks].join('\n'))
}
