/** A guest before its first instruction: its device tree in its RAM, its vCPUs as new, the first of them runnable. */
import type { HartPort } from '../../hw/port.ts'
import { prepareContext } from '../core/guest-context.ts'
import { startAt } from '../core/sbi.ts'
import { NOWHERE } from '../core/vcpu.ts'
import type { PlannedGuest } from './ground.ts'
import type { Plan } from './plan.ts'

export function startGuest(
  port: HartPort,
  { vm, tree, treeAt, kernelAt }: PlannedGuest,
  { slots, scheduler }: Pick<Plan, 'slots' | 'scheduler'>,
): void {
  const host = vm.ram.reach(port, treeAt, tree.length)
  for (let at = 0; at < tree.length; at += 4) {
    port.store32(host + at, (tree[at] | (tree[at + 1] << 8) | (tree[at + 2] << 16) | (tree[at + 3] << 24)) >>> 0)
  }
  for (let index = 0; index < vm.vcpus.length; index++) {
    const { pin, frame } = vm.vcpus[index]
    // In a slot of its own a guest's wfi is nobody's business.
    const shared = slots === undefined && (pin === NOWHERE || !scheduler.isDedicated(pin))
    prepareContext(port, frame, vm.ram.root, vm.vmid, shared)
  }
  startAt(port, vm.vcpus[0], kernelAt, treeAt)
}
