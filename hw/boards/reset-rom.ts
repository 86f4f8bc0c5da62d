/**
 * What harts execute first, at the bottom of the ROM: a0 = hart id, a1 = device tree, a2 = a block that tells
 * firmware where to go on. OpenSBI's fw_dynamic takes such a block, and so does ours.
 */
import { assemble } from '../spec/isa/assembler.ts'
import { VIRT_MAP } from './virt-map.ts'

/** The block's magic ("OSBI"), version, and the privilege (S) of what comes after the firmware. */
const BLOCK_MAGIC = 0x4942_534f
const BLOCK_VERSION = 2
const NEXT_MODE = 1

/** The ROM's bytes. `entry` is where harts go, `next` where firmware should go on (0 if it is to decide). */
export function resetRom(entry: number, deviceTree: number, next: number): Uint8Array {
  return assemble(
    `
_start:
  la t0, block
  mv a2, t0
  csrr a0, mhartid
  ld a1, tree - block(t0)
  ld t0, entry - block(t0)
  jr t0
  .balign 8
entry:
  .dword ${entry}
tree:
  .dword ${deviceTree}
block:
  .dword ${BLOCK_MAGIC}, ${BLOCK_VERSION}, ${next}, ${NEXT_MODE}, 0, 0
`,
    { origin: VIRT_MAP.rom.base },
  ).bytes
}
