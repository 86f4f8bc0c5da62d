/** A machine saved and restored on the spot: nothing is as if it had been written to that was not. */
import type { Checkpoint } from '../../hw/checkpoint.ts'
import type { Machine } from '../../hw/index.ts'
import { TOUCHED_LATELY } from '../../hw/memory/memory.ts'
import { PAGE_BYTES } from '../../hw/spec/address.ts'

/** `noted` is what pages held at the checkpoint: those that hold it still have not been written since, though restoring writes to all. */
export function saveAndRestore(machine: Machine, { noted }: Checkpoint): void {
  const { bytes, touched } = machine.memory
  const before = touched.slice()
  machine.restore(machine.save())
  for (const [page, copy] of noted) {
    if ((before[page] & TOUCHED_LATELY) !== 0) continue
    const now = bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
    if (Buffer.compare(now, copy) === 0) touched[page] = before[page]
  }
}
