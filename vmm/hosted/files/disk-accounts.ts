/** What has been asked of the disk and how long it took, by hart and operation, for whoever reads /proc/diskstats. */
import type { HartPort } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'
import { request, requestAt } from './requests.ts'

/** Requests, sectors, requests that were merged into others, ticks of the time CSR between the two ends of each. */
export const diskAccount = layout(0x20, 'our own', {
  requests: { at: 0x00, bytes: 4 },
  sectors: { at: 0x04, bytes: 4 },
  merged: { at: 0x08, bytes: 4 },
  begun: { at: 0x0c, bytes: 4 },
  ticks: { at: 0x10, bytes: 8 },
})
const OPERATIONS = 4
const HART_BYTES = OPERATIONS * diskAccount.size

function accountAt(hart: number, operation: number): number {
  return TABLES.diskAccounts + hart * HART_BYTES + operation * diskAccount.size
}

export function createDiskAccounts(port: HartPort, harts: number): void {
  port.fill(TABLES.diskAccounts, 0, harts * HART_BYTES)
}

function add(port: HartPort, at: number, by: number): void {
  port.store32(at, port.load32(at) + by)
}

export function countMerged(port: HartPort, operation: number): void {
  add(port, accountAt(port.hart, operation) + diskAccount.merged.at, 1)
}

/** A request goes to the disk. */
export function beginAccount(port: HartPort, number: number): void {
  const at = requestAt(number)
  port.store64(at + request.begun.at, port.read(time))
  add(port, accountAt(port.hart, port.load32(at + request.operation.at)) + diskAccount.begun.at, 1)
}

/** It is over. */
export function endAccount(port: HartPort, number: number): void {
  const at = requestAt(number)
  const account = accountAt(port.hart, port.load32(at + request.operation.at))
  const ticks = port.read(time) - port.load64(at + request.begun.at)
  add(port, account + diskAccount.requests.at, 1)
  add(port, account + diskAccount.sectors.at, port.load32(at + request.sectors.at))
  port.store64(account + diskAccount.ticks.at, port.load64(account + diskAccount.ticks.at) + ticks)
}

/** One count of an operation, of all harts together. */
export function diskCount(port: HartPort, harts: number, operation: number, offset: number): number {
  let sum = 0
  for (let hart = 0; hart < harts; hart++) {
    const at = accountAt(hart, operation) + offset
    sum += offset === diskAccount.ticks.at ? port.load64(at) : port.load32(at)
  }
  return sum
}
