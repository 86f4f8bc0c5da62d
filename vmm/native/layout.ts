/**
 * Where the native VMM keeps what in its own part of RAM, from where the firmware enters it:
 *
 *   0x8020_0000  image: world switch, doors
 *      + 64 KiB  frames, 1 KiB a vCPU
 *      +  1 MiB  DMA memory of the drivers
 *      +  4 MiB  G-stage roots, 16 KiB each, then tables, 4 KiB each
 *      + 16 MiB  end; everything above, up to the end of RAM, is the guests'
 */
import { frame } from '../core/frame.ts'
import { ROOT_BYTES } from '../core/g-stage.ts'

const MIB = 2 ** 20
export const VMM_BASE = 0x8020_0000
export const VMM_BYTES = 16 * MIB
const FRAMES = VMM_BASE + 0x1_0000
/** Behind the image. */
export const SCHEDULER_LOCK = FRAMES - 0x40
const DMA = VMM_BASE + MIB
const DMA_SHARE = 512 * 1024
const TABLES = VMM_BASE + 4 * MIB

/** Text of the servers, a page each; the VMM's own image ends before. */
const SERVER_TEXTS = VMM_BASE + 0xd000
/** DMA memory of a driver that allocates none: for who needs a region of the VMM's own. */
export const SPARE_REGION = 1

/** The text of the nth server. */
export function serverTextOf(server: number): number {
  return SERVER_TEXTS + server * 4096
}

export function frameOf(vcpu: number): number {
  return FRAMES + vcpu * frame.size
}

/** The nth driver's DMA memory; the VMM runs untranslated, so the device sees the same addresses. */
export function dmaRegion(index: number): { base: number; device: number; bytes: number } {
  const base = DMA + index * DMA_SHARE
  return { base, device: base, bytes: DMA_SHARE }
}

export function rootOf(vm: number): number {
  return TABLES + vm * ROOT_BYTES
}

/** Where the pool of table pages begins, with so many roots before it, and where it ends. */
export function tablePool(vms: number): { base: number; end: number } {
  return { base: rootOf(vms), end: VMM_BASE + VMM_BYTES }
}
