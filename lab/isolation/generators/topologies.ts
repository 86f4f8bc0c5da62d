/** Machines with guests, on which scenarios run. Each is booted once in a process. */
import fc from 'fast-check'
import type { PlacedGuest, Topology } from '../scenario.ts'

const RAM_MIB = 96

const guest = (harts: readonly number[], more: Partial<PlacedGuest> = {}): PlacedGuest => ({
  memoryMiB: 16,
  vcpus: 1,
  weight: 256,
  cap: 0,
  ...more,
  harts,
})

/** Each guest has a hart of its own. */
export const APART: Topology = { vmm: 'native', harts: 2, ramMiB: RAM_MIB, guests: [guest([0]), guest([1])] }
/** One hart for both. */
export const TOGETHER: Topology = { vmm: 'native', harts: 1, ramMiB: RAM_MIB, guests: [guest([0]), guest([0])] }
/** Three guests wander over two harts, one of them with two vCPUs. */
export const WANDERING: Topology = {
  vmm: 'native',
  harts: 2,
  ramMiB: RAM_MIB,
  guests: [guest([]), guest([], { vcpus: 2 }), guest([])],
}
export const SMALL_PAGES: Topology = { ...APART, policy: { pages: 'small' } }
export const HOSTED: Topology = { ...APART, vmm: 'hosted' }
export const HOSTED_TOGETHER: Topology = { ...TOGETHER, vmm: 'hosted' }
export const HOSTED_SMALL_PAGES: Topology = { ...HOSTED, policy: { pages: 'small' } }
export const HOSTED_SWITCH: Topology = { ...HOSTED, policy: { form: 'switch' } }
export const HOSTED_KERNEL: Topology = { ...HOSTED, policy: { backend: 'kernel' } }

/** The only guest there is, and the same without a VMM. */
export const LONE: Topology = { ...APART, guests: [guest([0])] }
export const LONE_HOSTED: Topology = { ...LONE, vmm: 'hosted' }
export const BARE: Topology = { vmm: 'bare', harts: 1, ramMiB: 16, guests: [guest([0])] }

const native = fc.constantFrom(APART, APART, TOGETHER, WANDERING, SMALL_PAGES)
const hosted = fc.constantFrom(HOSTED, HOSTED_TOGETHER, HOSTED_SMALL_PAGES, HOSTED_SWITCH, HOSTED_KERNEL)

/** Most are native: there, more happens in the same time. */
export const anyTopology: fc.Arbitrary<Topology> = fc.oneof(
  { weight: 6, arbitrary: native },
  { weight: 1, arbitrary: hosted },
)
