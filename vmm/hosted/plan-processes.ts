/** The VMM processes of a host: a guest each, with its memory, its vCPUs and their threads. Set-up. */
import type { HartPort } from '../../hw/port.ts'
import type { GuestNode } from '../../hw/spec/layouts/guest-node.ts'
import type { HostPolicy } from '../../hw/spec/layouts/host-policy.ts'
import { GuestRam } from '../core/guest-ram.ts'
import { LARGE_PAGE, SMALL_PAGE } from '../core/g-stage.ts'
import { NOWHERE, Vcpu } from '../core/vcpu.ts'
import { VirtualMachine } from '../core/virtual-machine.ts'
import { AddressSpace } from './address-space.ts'
import { MOST_PROCESSES, MOST_VCPUS, MOST_VCPUS_OF_A_GUEST, rootOf, vcpuFrameOf } from './layout.ts'
import { descriptorOf } from './memory/descriptors.ts'
import type { DividedMemory } from './plan-memory.ts'
import { Process } from './process.ts'
import { Task } from './task.ts'

/** `given` finds pages for a monitor, which cannot look for itself. */
export function makeProcesses(
  nodes: readonly GuestNode[],
  policy: HostPolicy,
  memory: DividedMemory,
  given: (port: HartPort) => number,
): readonly Process[] {
  const { free, mapping, anonymous } = memory
  const pageBytes = policy.pages === 'small' ? SMALL_PAGE : LARGE_PAGE
  let nextVcpu = 0
  let nextTask = 0
  return nodes.map((node, index) => {
    const space = new AddressSpace(memory, index, node.memoryBytes, pageBytes)
    const ram: GuestRam = new GuestRam(
      node.memoryBytes,
      rootOf(index),
      port => given(port),
      // A monitor is in a world of its own, where nobody can be asked to pay.
      policy.form === 'switch' ? port => free.takeTable(port) : port => anonymous.takeTable(port, descriptorOf(index)),
      { mapped: pageBytes, given: pageBytes },
      policy.form === 'switch'
        ? undefined
        : (port, root, guest, tables) => mapping.map(port, process, root, guest, tables),
    )
    const vcpus = Array.from(
      { length: node.vcpus },
      (_, vcpu) => new Vcpu(vcpu, node.harts[vcpu] ?? NOWHERE, vcpuFrameOf(nextVcpu + vcpu)),
    )
    const vm = new VirtualMachine(index, node.label, ram, vcpus)
    const process: Process = new Process(vm, node, space, nextVcpu, nextTask, policy.backend === 'process')
    nextVcpu += node.vcpus
    nextTask = process.lastTask + 1
    return process
  })
}

/** Their threads: one a vCPU, then those for consoles and devices. */
export function threadsOf(processes: readonly Process[]): readonly Task[] {
  return processes.flatMap(process => [
    ...process.vm.vcpus.map(
      ({ index, pin }) => new Task(process.firstTask + index, process, process.firstVcpu + index, pin),
    ),
    ...Array.from(
      { length: process.lastTask - process.ioTask + 1 },
      (_, index) => new Task(process.ioTask + index, process, NOWHERE, NOWHERE),
    ),
  ])
}

/** Throws one line if there is no room for so many guests and vCPUs. */
export function checkRoom(nodes: readonly GuestNode[]): void {
  if (nodes.length > MOST_PROCESSES)
    throw new Error(`${nodes.length} guests: the hosted configuration has room for ${MOST_PROCESSES}`)
  for (const { label, vcpus, cables = [] } of nodes) {
    if (cables.length > 0)
      throw new Error(`guest ${label} is on a cable to another guest: only the native VMM has those; give it a network`)
    if (vcpus > MOST_VCPUS_OF_A_GUEST)
      throw new Error(
        `guest ${label} has ${vcpus} vCPUs: the hosted configuration has room for ${MOST_VCPUS_OF_A_GUEST}`,
      )
  }
  const vcpus = nodes.reduce((sum, node) => sum + node.vcpus, 0)
  if (vcpus > MOST_VCPUS) throw new Error(`${vcpus} vCPUs in all: the hosted configuration has room for ${MOST_VCPUS}`)
}
