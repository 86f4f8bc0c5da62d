/** Steps that drive a virtio device over its registers and rings, as a driver would or as none should. */
import { VIRTIO_F, virtioMmio } from '../../../hw/spec/devices/virtio-mmio.ts'
import { GUEST_MAP } from '../../../hw/spec/guest-map.ts'
import { VIRTQ_DESC_F_NEXT, VIRTQ_DESC_F_WRITE } from '../../../hw/spec/layouts/virtqueue.ts'
import type { Step, Value } from '../scenario.ts'

export type VirtioName = 'disk' | 'network' | 'console'

/** Where a queue's parts are in the guest's memory. */
export interface Ring {
  readonly size: number
  readonly descriptors: number
  readonly available: number
  readonly used: number
}

export interface Descriptor {
  readonly address: Value
  readonly bytes: number
  readonly write: boolean
}

const ACKNOWLEDGE = 1
const DRIVER = 3
const FEATURES_OK = 0xb
const DRIVER_OK = 0xf
const FOUR_GIB = 2 ** 32
/** Words of one copy step, at most. */
const COPIED = 48

/** A queue whose parts follow each other from an address on, a multiple of 4096. */
export function ringAt(base: number, size: number): Ring {
  return { size, descriptors: base, available: base + size * 16, used: base + size * 24 }
}

/** Stores to a register. */
export function setRegister(device: VirtioName, register: { readonly at: number }, value: Value): Step {
  return { op: 'store', bytes: 4, address: GUEST_MAP[device].base + register.at, value }
}

export function getRegister(device: VirtioName, register: { readonly at: number }): Step {
  return { op: 'load', bytes: 4, signed: false, address: GUEST_MAP[device].base + register.at }
}

export function resetDevice(device: VirtioName): Step {
  return setRegister(device, virtioMmio.Status, 0)
}

/** Tells a queue's place, and that it is ready. */
export function placeQueue(device: VirtioName, index: number, ring: Ring): readonly Step[] {
  const address = (low: { readonly at: number }, high: { readonly at: number }, value: number) => [
    setRegister(device, low, value % FOUR_GIB),
    setRegister(device, high, Math.floor(value / FOUR_GIB)),
  ]
  return [
    setRegister(device, virtioMmio.QueueSel, index),
    setRegister(device, virtioMmio.QueueNum, ring.size),
    ...address(virtioMmio.QueueDescLow, virtioMmio.QueueDescHigh, ring.descriptors),
    ...address(virtioMmio.QueueDriverLow, virtioMmio.QueueDriverHigh, ring.available),
    ...address(virtioMmio.QueueDeviceLow, virtioMmio.QueueDeviceHigh, ring.used),
    setRegister(device, virtioMmio.QueueReady, 1),
  ]
}

/** From reset to where buffers may be offered. */
export function bringUp(device: VirtioName, rings: readonly Ring[], indirect = true): readonly Step[] {
  return [
    resetDevice(device),
    setRegister(device, virtioMmio.Status, ACKNOWLEDGE),
    setRegister(device, virtioMmio.Status, DRIVER),
    setRegister(device, virtioMmio.DriverFeaturesSel, 0),
    setRegister(device, virtioMmio.DriverFeatures, indirect ? 2 ** VIRTIO_F.INDIRECT_DESC : 0),
    setRegister(device, virtioMmio.DriverFeaturesSel, 1),
    setRegister(device, virtioMmio.DriverFeatures, 1),
    setRegister(device, virtioMmio.Status, FEATURES_OK),
    ...rings.flatMap((ring, index) => placeQueue(device, index, ring)),
    setRegister(device, virtioMmio.Status, DRIVER_OK),
  ]
}

/** A descriptor's two words. */
export function descriptorWords(address: Value, bytes: number, flags: number, next: number): readonly Value[] {
  const rest = (BigInt(next) << 48n) | (BigInt(flags) << 32n) | BigInt(bytes)
  return [address, `0x${rest.toString(16)}`]
}

/** Chains as a descriptor table, one behind the other from entry 0 on, and the head of each. */
export function tableOf(chains: readonly (readonly Descriptor[])[]): {
  readonly words: readonly Value[]
  readonly heads: readonly number[]
} {
  const words: Value[] = []
  const heads: number[] = []
  for (const chain of chains) {
    heads.push(words.length / 2)
    chain.forEach(({ address, bytes, write }, index) => {
      const more = index + 1 < chain.length
      const flags = (more ? VIRTQ_DESC_F_NEXT : 0) | (write ? VIRTQ_DESC_F_WRITE : 0)
      words.push(...descriptorWords(address, bytes, flags, more ? words.length / 2 + 1 : 0))
    })
  }
  return { words, heads }
}

/** Half-words, packed into words of 8 bytes. */
export function packed(halves: readonly number[]): readonly Value[] {
  return Array.from({ length: Math.ceil(halves.length / 4) }, (_, word) => {
    let value = 0n
    for (let half = 3; half >= 0; half--) value = (value << 16n) | BigInt((halves[word * 4 + half] ?? 0) & 0xffff)
    return `0x${value.toString(16)}`
  })
}

/** Copies that fit into steps. */
export function put(address: number, words: readonly Value[]): readonly Step[] {
  const steps: Step[] = []
  for (let done = 0; done < words.length; done += COPIED)
    steps.push({ op: 'copy', address: address + done * 8, words: words.slice(done, done + COPIED) })
  return steps
}

/** Writes chains into the table, offers them all, and notifies. The queue is new, or its table is used from its beginning again. */
export function post(
  device: VirtioName,
  queue: number,
  ring: Ring,
  chains: readonly (readonly Descriptor[])[],
  before: readonly number[] = [],
): { readonly steps: readonly Step[]; readonly heads: readonly number[] } {
  const { words, heads } = tableOf(chains)
  const all = [...before, ...heads]
  return {
    steps: [...put(ring.descriptors, words), ...offer(ring, all), setRegister(device, virtioMmio.QueueNotify, queue)],
    heads: all,
  }
}

/** The ring's slots as they are after all these have been offered, one after the other. */
export function offer(ring: Ring, heads: readonly number[]): readonly Step[] {
  const slots = Array.from({ length: Math.min(ring.size, heads.length) }, () => 0)
  heads.forEach((head, at) => {
    slots[at % ring.size] = head
  })
  return put(ring.available, packed([0, heads.length, ...slots]))
}

/** Takes note of what the device says, and acknowledges it. */
export function acknowledge(device: VirtioName): readonly Step[] {
  return [
    getRegister(device, virtioMmio.InterruptStatus),
    setRegister(device, virtioMmio.InterruptACK, 3),
    getRegister(device, virtioMmio.Status),
  ]
}

/** The PLIC sources of a device, as a mask for `listen`. */
export function sourceOf(device: VirtioName): number {
  return 1 << GUEST_MAP[device].source
}
