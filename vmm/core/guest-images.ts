/** What is in a guest's RAM before it starts: its images, which are donated, and its device tree. Set-up. */
import { GUEST_KERNEL, GUEST_RAM } from '../../hw/spec/guest-map.ts'
import type { GuestNode } from '../../hw/spec/layouts/guest-node.ts'
import type { Range } from './free-memory.ts'
import { LARGE_PAGE } from './g-stage.ts'
import { type GuestTree, guestTree } from './guest-tree.ts'

export interface ImagePage {
  readonly guest: number
  readonly page: number
  /** What follows them in the page is whatever RAM held. */
  readonly bytes: number
}

export interface GuestImages {
  /** Pages that were loaded with the guest's images, where the guest has them, and how much of each is image. */
  readonly donated: readonly ImagePage[]
  readonly tree: Uint8Array
  readonly treeAt: number
  readonly kernelAt: number
}

/** What of a guest's devices is not virtual: its disk, its network card, and how they interrupt it. */
export interface OwnImages {
  readonly disk: boolean
  readonly network: boolean
  readonly interrupts: NonNullable<GuestTree['pcie']>
}

/** The kernel where Linux expects it, the initrd below the device tree, which has the last large page. `timebase` is ticks a second. */
export function imagesOf(
  node: GuestNode,
  timebase: number,
  own?: OwnImages,
  rings: GuestTree['rings'] = [],
): GuestImages {
  const treeAt = GUEST_RAM + node.memoryBytes - LARGE_PAGE
  const initrdAt = treeAt - LARGE_PAGE * Math.ceil((node.initrd?.bytes ?? 0) / LARGE_PAGE)
  const tree = guestTree({
    memoryBytes: node.memoryBytes,
    vcpus: node.vcpus,
    bootargs: node.bootargs,
    timebase,
    initrd: node.initrd && { address: initrdAt, bytes: node.initrd.bytes },
    disk: node.disk !== undefined && !own?.disk && !rings.includes('disk'),
    network: node.network !== undefined && !own?.network && !rings.includes('network'),
    cables: node.cables?.length ?? 0,
    rings,
    ...(own && { pcie: own.interrupts }),
  })
  const donated = [...pagesOf(node.kernel, GUEST_KERNEL), ...(node.initrd ? pagesOf(node.initrd, initrdAt) : [])]
  return { donated, tree, treeAt, kernelAt: GUEST_KERNEL }
}

/** What images do not fill of their pages, to be scrubbed before guests get them: nobody knows whose that was. */
export function behindImages(images: readonly GuestImages[]): Range[] {
  return images
    .flatMap(({ donated }) => donated)
    .filter(({ bytes }) => bytes < LARGE_PAGE)
    .map(({ page, bytes }) => ({ from: page + bytes, to: page + LARGE_PAGE }))
}

/** Pages of an image, in whole large pages. */
function pagesOf(image: { readonly address: number; readonly bytes: number }, guest: number): ImagePage[] {
  if (image.address % LARGE_PAGE !== 0)
    throw new Error(`an image at 0x${image.address.toString(16)} is not on a 2 MiB boundary`)
  return Array.from({ length: Math.ceil(image.bytes / LARGE_PAGE) }, (_, index) => ({
    guest: guest + index * LARGE_PAGE,
    page: image.address + index * LARGE_PAGE,
    bytes: Math.min(LARGE_PAGE, image.bytes - index * LARGE_PAGE),
  }))
}
