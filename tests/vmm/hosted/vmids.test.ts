/** VMIDs by generation: enough for any number of machines, whatever harts have. */
import { expect, test } from 'vitest'
import type { HartPort } from '../../../hw/port.ts'
import { createVmids, giveVmid, isCurrent, isNewGeneration, vmidOf } from '../../../vmm/hosted/hypervisor/vmids.ts'
import { ramPort } from './ram-port.ts'

const LOWEST = 0x1000
const MACHINES = 5

/** Harts that have so many VMIDs, of which 0 is nobody's; machines of one vCPU each, with their machine's number. */
function machines(most: number) {
  const { port } = ramPort()
  const hgatp = { write: () => {}, set: () => {}, readHigh: () => most * LOWEST }
  const harts: readonly HartPort[] = [0, 1].map(hart => ({ ...port, ...hgatp, hart }))
  createVmids(harts[0])
  /** A machine runs on a hart: whether the hart forgets first, and the VMID that it runs under. */
  const run = (hart: number, vm: number) => {
    if (!isCurrent(harts[hart], vm)) giveVmid(harts[hart], vm, vm)
    return { forgets: isNewGeneration(harts[hart]), vmid: vmidOf(harts[hart], vm) }
  }
  return { run }
}

test('a machine keeps its VMID as long as there are others for the rest', () => {
  const { run } = machines(0x3fff)
  const first = Array.from({ length: MACHINES }, (_, vm) => run(0, vm).vmid)
  expect(first).toEqual([1, 2, 3, 4, 5])
  expect(Array.from({ length: MACHINES }, (_, vm) => run(0, vm))).toEqual(first.map(vmid => ({ forgets: false, vmid })))
})

test("with fewer VMIDs than machines none is two machines' on a hart before it has forgotten the first", () => {
  const { run } = machines(3)
  /** By hart: whose each VMID has been since the hart forgot last. */
  const known = [new Map<number, number>(), new Map<number, number>()]
  let forgotten = 0
  for (let turn = 0; turn < 200; turn++) {
    const hart = turn % 7 < 4 ? 0 : 1
    const vm = (turn * turn + (turn >> 2)) % MACHINES
    const { forgets, vmid } = run(hart, vm)
    if (forgets) {
      known[hart].clear()
      forgotten++
    }
    expect(vmid).toBeGreaterThan(0)
    expect(known[hart].get(vmid) ?? vm).toBe(vm)
    known[hart].set(vmid, vm)
  }
  expect(forgotten).toBeGreaterThan(20)
})
