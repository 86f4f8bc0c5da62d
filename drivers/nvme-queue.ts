/** The driver's side of an NVMe queue pair (NVMe 1.4, 4.1). Pair 0 is the admin queues. */
import type { DmaBuffer, Environment } from './environment.ts'
import { nvme } from '../hw/spec/devices/nvme.ts'
import { completionEntry, submissionEntry } from '../hw/spec/layouts/nvme.ts'
import { withField } from '../hw/spec/registers.ts'

/** Of a submission. */
export const ENTRY_BYTES = submissionEntry.size
const COMPLETION_BYTES = completionEntry.size
const RESULT = completionEntry.DW0.at
const DW3 = completionEntry.DW3.at
const PHASE = withField(completionEntry.DW3.fields.P, 0, 1)
const CID = withField(completionEntry.DW3.fields.CID, 0, 0xffff)
const STATUS_SHIFT = completionEntry.DW3.fields.SC.low
/** SCT:SC, as STATUS in the device's table has it. */
const STATUS_MASK = 0x7ff
/** Queues begin on a page: they are contiguous (CDW11.PC), so they have to. */
const PAGE = 4096

/** No completion has come. */
export const NONE = -1

export interface NvmeQueue {
  readonly id: number
  readonly entries: number
  readonly submissions: DmaBuffer
  readonly completions: DmaBuffer
  readonly state: {
    tail: number
    head: number
    /** The phase tag that a new completion bears: 1 or 0. */
    phase: number
    /** Of the completion taken last: its status (SCT:SC). */
    status: number
  }
}

/** A pair's memory and variables. The device is not told of it. */
export function makeNvmeQueue(env: Environment, name: string, id: number, entries: number): NvmeQueue {
  const submissions = env.dma.allocate(atLeastPage(entries * ENTRY_BYTES))
  const completions = env.dma.allocate(atLeastPage(entries * COMPLETION_BYTES))
  return { id, entries, submissions, completions, state: env.state(name, { tail: 0, head: 0, phase: 1, status: 0 }) }
}

function atLeastPage(bytes: number): number {
  return bytes < PAGE ? PAGE : bytes
}

/** As after a reset: empty, with no completion that could be taken for a new one. */
export function clearNvmeQueue(queue: NvmeQueue): void {
  const { state, completions, entries } = queue
  state.tail = 0
  state.head = 0
  state.phase = 1
  for (let i = 0; i < entries; i++) completions.write32(i * COMPLETION_BYTES + DW3, 0)
}

/** Tells the device of all commands written (NVMe 1.4, 4.1, 3.1.24). */
export function ringTail(env: Environment, queue: NvmeQueue): void {
  env.dma.fence()
  env.device.write(nvme.SQTDBL, queue.state.tail, queue.id)
}

/** The next completion's command identifier, or NONE; its status in `state.status`. The identifier is not checked. */
export function takeCompletion(env: Environment, queue: NvmeQueue): number {
  const { completions, state } = queue
  const at = state.head * COMPLETION_BYTES
  const dw3 = completions.read32(at + DW3)
  if (((dw3 & PHASE) !== 0 ? 1 : 0) !== state.phase) return NONE
  env.dma.fence()
  state.status = (dw3 >>> STATUS_SHIFT) & STATUS_MASK
  const next = state.head + 1
  if (next === queue.entries) {
    state.head = 0
    state.phase ^= 1
  } else state.head = next
  return dw3 & CID
}

/** The command-specific result (DW0) of the completion taken last. */
export function resultOf(queue: NvmeQueue): number {
  const { head } = queue.state
  return queue.completions.read32((head === 0 ? queue.entries - 1 : head - 1) * COMPLETION_BYTES + RESULT)
}

/** Gives the entries of all completions taken back to the device, which lowers its interrupt (NVMe 1.4, 3.1.25). */
export function ringHead(env: Environment, queue: NvmeQueue): void {
  env.device.write(nvme.CQHDBL, queue.state.head, queue.id)
}
