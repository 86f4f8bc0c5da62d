/**
 * Debian's kernel as a workload: from its first instruction to the first of its first program. A page in front of the
 * kernel holds the one mark, the program, which is all of its file system, the other; neither is seen by the kernel.
 */
import { readFileSync } from 'node:fs'
import { guestImage } from '../../guests/image.ts'
import type { Workload } from '../../guests/workload.ts'
import { cpio } from '../linux/cpio.ts'
import { fetchedLinux } from '../linux/debian.ts'
import { userProgram } from '../linux/user-program.ts'
import { UserError } from '../user-error.ts'

export const LINUX_BOOT = 'linux-boot'
export const LINUX_BOOT_DOES = "Debian's kernel, from its first instruction to that of /init"

const MIB = 2 ** 20
/** Linux has to lie on such a boundary (Linux Documentation/arch/riscv/boot-image-header). */
const BOUNDARY = 2 * MIB
/** In the header: bytes of the image in memory. */
const IMAGE_SIZE = 16
const MEMORY_BYTES = 256 * MIB
/** Some times what it takes on a bare machine. */
const PATIENCE = 20_000_000_000

/** LINUX_REBOOT_MAGIC1, MAGIC2 and CMD_POWER_OFF, and the call's number (Linux include/uapi). */
const INIT = `
    mark.end
    li a0, 0xfee1dead
    li a1, 672274793
    li a2, 0x4321fedc
    li a7, 142
    ecall
`

/** The mark, and on to the kernel with what the firmware has left in the registers. */
const FRONT = `
start:
    mark.start
    la t0, image_start
    li t1, ${BOUNDARY}
    add t0, t0, t1
    jr t0
`

/** The workload. A line that says what to do if no kernel has been fetched. */
export function linuxBoot(): Workload {
  const images = fetchedLinux()
  if (!images) throw new UserError(`${LINUX_BOOT}: no Linux has been fetched; run npx barehart linux first`)
  return {
    name: LINUX_BOOT,
    does: LINUX_BOOT_DOES,
    disk: false,
    network: false,
    operations: 1,
    unit: 'cycles per boot',
    memoryBytes: MEMORY_BYTES,
    bootargs: 'nokaslr quiet',
    patience: PATIENCE,
    image: () => {
      const front = guestImage(FRONT)
      const kernel = readFileSync(images.kernel)
      const bytes = Buffer.alloc(BOUNDARY + kernel.length)
      bytes.set(front.bytes)
      bytes.set(kernel, BOUNDARY)
      bytes.writeBigUInt64LE(BigInt(BOUNDARY) + kernel.readBigUInt64LE(IMAGE_SIZE), IMAGE_SIZE)
      return { ...front, bytes }
    },
    initrd: () =>
      cpio([
        { path: 'dev', kind: 'directory' },
        { path: 'init', kind: 'file', data: userProgram(INIT), executable: true },
      ]),
  }
}
