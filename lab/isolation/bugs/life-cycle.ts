/** Guests that start, stop and end, and what is left of them. */
import type { Bug } from './bug.ts'

const area = 'life cycle'
const NATIVE = 'vmm/native/native-vmm.ts'
const RUNNING = 'vmm/native/running.ts'
const SBI = 'vmm/core/sbi.ts'
const STOPS = '      vcpu.record.status = DEAD\n'

export const LIFE_CYCLE: readonly Bug[] = [
  {
    name: 'ended-guest-goes-on',
    models: 'XSA-378: something left behind after removal',
    area,
    difference: 'of a guest that has ended only the vCPU that ended it stops',
    file: NATIVE,
    anchor: 'for (const vcpu of vm.vcpus) {',
    replacement: 'for (const vcpu of [vm.vcpus[0]]) {',
    promise: 'management',
    seed: 7,
  },
  {
    name: 'one-ends-all-end',
    models: 'containment: a guest’s end is the machine’s',
    area,
    difference: 'a guest that ends takes all others with it',
    file: NATIVE,
    anchor: 'for (const vcpu of vm.vcpus) {',
    replacement: 'for (const vcpu of this.#plan.vcpus) {',
    promise: 'containment',
    seed: 25,
  },
  {
    name: 'crash-ends-the-first-guest',
    models: 'XSA-399: the wrong identifier',
    area,
    difference: 'a crash stops the vCPUs of another guest than the one that crashed',
    file: NATIVE,
    anchor: 'for (const vcpu of vm.vcpus) {',
    replacement: 'for (const vcpu of crashed ? this.#plan.vms[0].vcpus : vm.vcpus) {',
    promise: 'containment',
    seed: 1,
  },
  {
    name: 'ended-vcpu-not-stopped',
    models: 'XSA-378: something left behind after removal',
    area,
    difference: 'a guest that has ended goes on running',
    file: NATIVE,
    anchor: STOPS,
    replacement: '',
    promise: 'management',
    seed: 11,
  },
  {
    name: 'interrupt-revives',
    models: 'XSA-343: an event after its receiver was reset',
    area,
    difference: 'an interrupt sets a stopped vCPU going again, wherever it was',
    file: 'vmm/core/vcpu.ts',
    anchor: 'const woken = record.status === WAITING',
    replacement: 'const woken = record.status !== RUNNABLE',
    promise: 'management',
    seed: 8,
  },
  {
    name: 'started-while-it-stops',
    models: 'XSA-343: a reset that races with use',
    area,
    difference: 'a hart that is started while it is still stopping forgets where it was to start',
    file: SBI,
    anchor: '  if (target.record.hart !== NOWHERE) return answer(port, vcpu, SBI_FAILED, 0)\n',
    replacement: '',
    promise: 'management',
    seed: 38,
  },
  {
    name: 'started-outside-memory',
    models: 'XSA-115: a control-plane argument unchecked',
    area,
    difference: 'a hart may be started where there is no memory',
    file: SBI,
    anchor: '  if (!vm.ram.contains(address)) return answer(port, vcpu, SBI_INVALID_ADDRESS, 0)\n',
    replacement: '',
    promise: 'management',
    seed: 2,
  },
  {
    name: 'interrupts-of-the-ended-stay',
    models: 'XSA-395: an interrupt that is not cleaned up',
    area,
    difference: 'what a stopped vCPU had enabled and pending keeps waking its hart, without end',
    file: RUNNING,
    anchor: '    port.write(hie, this.#unloaded)\n    port.write(hvip, 0)\n    port.write(vstimecmp, NO_TIME)\n',
    replacement: '',
    promise: 'management',
    seed: 1,
  },
]
