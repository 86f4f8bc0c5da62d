/**
 * VMIDs, by generation: a machine gets one when it first runs in a generation, the next in order. When harts have no more of them, a
 * new generation begins with the first one again; so a VMID is one machine's in each generation, and a hart forgets what it keeps of
 * guests before it runs any in a generation that it has not heard of. Nobody has to be interrupted for that.
 */
import type { HartPort } from '../../../hw/port.ts'
import { highMaskOf } from '../../../hw/spec/csr.ts'
import { hgatp } from '../../../hw/spec/csrs/hypervisor.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { acquire, release } from '../../core/spin-lock.ts'
import { MOST_PROCESSES, MOST_VCPUS, TABLES } from '../layout.ts'

/** `most`: the highest VMID that harts have. Machines' generations and VMIDs, the generation that each vCPU's hgatp is of, that each hart has heard of. */
const table = layout(0x40, 'our own', {
  lock: { at: 0x00, bytes: 16 },
  generation: { at: 0x10, bytes: 8 },
  next: { at: 0x18, bytes: 4 },
  most: { at: 0x1c, bytes: 4 },
})
const machine = layout(0x10, 'our own', { generation: { at: 0x0, bytes: 8 }, vmid: { at: 0x8, bytes: 4 } })
const MACHINES = TABLES.vmids + table.size
const VCPUS = MACHINES + MOST_PROCESSES * machine.size
const HARTS = VCPUS + MOST_VCPUS * 8
const MOST_HARTS = 32
const END = HARTS + MOST_HARTS * 8

/** Of hgatp's high word. */
const VMID = highMaskOf(hgatp, 'VMID')
const LOWEST = VMID & -VMID
const SV39X4 = 0x8000_0000
const TWO_32 = 0x1_0000_0000

/** The first generation; how many VMIDs there are is found by trying. */
export function createVmids(port: HartPort): void {
  port.fill(TABLES.vmids, 0, END - TABLES.vmids)
  port.write(hgatp, 0)
  port.set(hgatp, (SV39X4 + VMID) * TWO_32)
  const most = (port.readHigh(hgatp) & VMID) / LOWEST
  port.write(hgatp, 0)
  port.store32(TABLES.vmids + table.most.at, most)
  port.store64(TABLES.vmids + table.generation.at, 1)
  port.store32(TABLES.vmids + table.next.at, 1)
}

/** True if what the vCPU's hgatp says is still its machine's. */
export function isCurrent(port: HartPort, vcpu: number): boolean {
  return port.load64(VCPUS + vcpu * 8) === port.load64(TABLES.vmids + table.generation.at)
}

/** The machine's VMID in this generation, for this vCPU's hgatp. */
export function giveVmid(port: HartPort, vm: number, vcpu: number): number {
  const own = MACHINES + vm * machine.size
  acquire(port, TABLES.vmids)
  if (port.load64(own + machine.generation.at) !== port.load64(TABLES.vmids + table.generation.at)) {
    const next = port.load32(TABLES.vmids + table.next.at)
    const isOver = next > port.load32(TABLES.vmids + table.most.at)
    const generation = port.load64(TABLES.vmids + table.generation.at) + (isOver ? 1 : 0)
    const vmid = isOver ? 1 : next
    port.store64(TABLES.vmids + table.generation.at, generation)
    port.store32(TABLES.vmids + table.next.at, vmid + 1)
    port.store64(own + machine.generation.at, generation)
    port.store32(own + machine.vmid.at, vmid)
  }
  port.store64(VCPUS + vcpu * 8, port.load64(own + machine.generation.at))
  release(port, TABLES.vmids)
  return port.load32(own + machine.vmid.at)
}

/** What it was given last. */
export function vmidOf(port: HartPort, vm: number): number {
  return port.load32(MACHINES + vm * machine.size + machine.vmid.at)
}

/** True once a generation on each hart: it has to forget its guests' translations. */
export function isNewGeneration(port: HartPort): boolean {
  const heard = HARTS + port.hart * 8
  const generation = port.load64(TABLES.vmids + table.generation.at)
  if (port.load64(heard) === generation) return false
  port.store64(heard, generation)
  return true
}
