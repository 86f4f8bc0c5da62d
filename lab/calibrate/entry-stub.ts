/** What enters a kernel as firmware would: other projects' hypervisors begin a guest without the address of its device tree. */
import { assemble } from '../../hw/spec/isa/assembler.ts'

/** Code for anywhere, that goes to `kernel` with a1 = `tree`. */
export function entryStub(tree: number, kernel: number): Uint8Array {
  return assemble(`
    li a1, ${tree}
    li t0, ${kernel}
    jr t0
  `).bytes
}
