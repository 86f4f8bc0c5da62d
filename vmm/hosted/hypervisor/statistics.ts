/** What the hypervisor counts of each vCPU, in RAM, for whoever reads /proc/vcpus: why it has left its guest, how it has halted. */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'

const statistics = layout(0x40, 'our own', {
  counts: { at: 0x00, bytes: 4 },
  /** Ticks of the time CSR in which it halted, and was watched for. */
  watched: { at: 0x30, bytes: 8 },
})

/** Exits: calls, faults of its memory, waiting, interrupts of the machine's, accesses to devices of the process's, doorbells, the kernel's chips. */
export const CALLS = 0
export const FAULTS = 1
export const WAITS = 2
export const INTERRUPTED = 3
export const TO_PROCESS = 4
export const DOORBELLS = 5
export const TO_CHIPS = 6
export const OTHERS = 7
/** Halts: over while it was watched for; slept through. */
export const WATCHED = 8
export const SLEPT = 9
const KINDS = 10

// Causes (priv: scause).
const ECALL_FROM_VS = 10
const FETCH_GUEST_PAGE = 20
const VIRTUAL_INSTRUCTION = 22

/** What an exit is counted as that needs no device, by its cause. */
export function kindOf(cause: number): number {
  if (cause === ECALL_FROM_VS) return CALLS
  if (cause === VIRTUAL_INSTRUCTION) return WAITS
  return cause >= FETCH_GUEST_PAGE ? FAULTS : OTHERS
}

function statisticsAt(vcpu: number): number {
  return TABLES.vcpus + vcpu * statistics.size
}

/** Clears them. */
export function createStatistics(port: HartPort, vcpus: number): void {
  port.fill(TABLES.vcpus, 0, vcpus * statistics.size)
}

/** One more of a kind. */
export function countOf(port: HartPort, vcpu: number, kind: number): void {
  const at = statisticsAt(vcpu) + kind * 4
  port.store32(at, port.load32(at) + 1)
}

/** It has halted for so long, and been watched for. */
export function countWatched(port: HartPort, vcpu: number, ticks: number): void {
  countOf(port, vcpu, WATCHED)
  const at = statisticsAt(vcpu) + statistics.watched.at
  port.store64(at, port.load64(at) + ticks)
}

/** How many numbers there are of a vCPU, and one of them: its counts in order, then the ticks that it was watched for. */
export const NUMBERS = KINDS + 1

export function numberOf(port: HartPort, vcpu: number, index: number): number {
  const at = statisticsAt(vcpu)
  return index === KINDS ? port.load64(at + statistics.watched.at) : port.load32(at + index * 4)
}
