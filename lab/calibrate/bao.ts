/**
 * Bao's image on our board. Its configuration is compiled in: two harts of one guest, whose image lies where the
 * firmware of a board would have put it. The guest has its harts, its RAM and the UART to itself; the PLIC is emulated.
 */
import { virt, type VirtBoard } from '../../hw/boards/virt.ts'
import { entryStub } from './entry-stub.ts'
import { GUEST_KERNEL, TREE_AT, type Type1Guest, type1Tree } from './type-1-guest.ts'

/** As Bao's image has been configured. */
export const BAO = {
  harts: 2,
  ramBytes: 0x1000_0000,
  guestBytes: 0x400_0000,
  /** Where it expects the guest's image in RAM, how much of that it takes, and where the guest sees it and is entered. */
  image: { loaded: 0x8800_0000, bytes: 0x8_0000, seen: 0x801f_0000 },
} as const

/** A board on which Bao starts the guest. Throws one line if the guest is larger than what the image was configured for. */
export function baoBoard(image: Uint8Array, guest: Type1Guest, output?: (bytes: Uint8Array) => void): VirtBoard {
  const { loaded, bytes, seen } = BAO.image
  const kernelAt = GUEST_KERNEL - seen
  if (kernelAt + guest.kernel.length > bytes) {
    throw new RangeError(`a guest of ${guest.kernel.length} bytes; Bao's image leaves room for ${bytes - kernelAt}`)
  }
  const module = new Uint8Array(bytes)
  module.set(entryStub(TREE_AT, GUEST_KERNEL))
  module.set(type1Tree(guest, []), TREE_AT - seen)
  module.set(guest.kernel, kernelAt)
  return virt({
    harts: BAO.harts,
    ramBytes: BAO.ramBytes,
    kernel: image,
    modules: [{ address: loaded, bytes: module }],
    ...(output && { output }),
  })
}
