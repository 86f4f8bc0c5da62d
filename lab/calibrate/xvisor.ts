/**
 * Xvisor's image on our board. It reads its guests' descriptions and images from a cpio archive in the initrd, and what
 * to do with them from a script there.
 */
import { virt, type VirtBoard } from '../../hw/boards/virt.ts'
import { GUEST_MAP } from '../../hw/spec/guest-map.ts'
import { encodeFdt, type FdtNode, type FdtValue, fdtNode } from '../../hw/spec/layouts/fdt.ts'
import { SECTOR_BYTES } from '../../hw/devices/disk-backing.ts'
import { cpio, type CpioEntry } from '../linux/cpio.ts'
import { entryStub } from './entry-stub.ts'
import { GUEST_KERNEL, GUEST_RAM, TREE_AT, type Type1Guest, type1Tree } from './type-1-guest.ts'

const PAGE = 0x1000
/** The local interrupt that the virtual PLIC raises in a vCPU: the supervisor's external one, in VS. */
const VS_EXTERNAL = 10
const PLIC_BYTES = 0x400_0000
const LARGE_PAGE_ORDER = 21
const CONSOLE_TYPE = 3
const BLOCK_TYPE = 2
/** Of 0 to 7; 3 unless given. */
const URGENT = 4
const VIRTIO = [GUEST_MAP.disk, GUEST_MAP.console]
/** Xvisor's name for the initrd as a block device. */
const INITRD_DISK = 'initrd'

/** What Xvisor puts before each line of the console that it shows. */
export const XVISOR_PREFIX = '[guest0/uart0] '

/** A part of a guest's address space. Xvisor's cells are single ones for addresses below 4 GiB. */
function region(
  name: string,
  type: string,
  at: number,
  bytes: number,
  more: Readonly<Record<string, FdtValue>>,
): FdtNode {
  return fdtNode(name, {
    manifest_type: type,
    address_type: 'memory',
    guest_physical_addr: [at],
    physical_size: [bytes],
    ...more,
  })
}

function guestDescription({ harts, memoryBytes, urgent }: Type1Guest): Uint8Array {
  const vcpus = harts.map((hart, index) =>
    fdtNode(`vcpu${index}`, {
      device_type: 'vcpu',
      compatible: 'riscv,generic',
      'riscv,isa': 'rv64imafdch_sstc',
      start_pc: [TREE_AT - PAGE],
      affinity: [hart],
      ...(urgent && { priority: [URGENT] }),
      ...(index > 0 && { poweroff: true as const }),
    }),
  )
  const { plic, uart, disk, console } = GUEST_MAP
  const virtio = (name: string, { base, source }: { base: number; source: number }, type: number, more = {}) =>
    region(name, 'virtual', base, PAGE, {
      device_type: 'virtio',
      compatible: 'virtio,mmio',
      virtio_type: [type],
      interrupts: [source],
      ...more,
    })
  return encodeFdt(
    fdtNode('', { model: 'virt64', device_type: 'guest', sbi_version: [2] }, [
      fdtNode('vcpus', {}, vcpus),
      fdtNode('aspace', { guest_irq_count: [1024] }, [
        region('plic', 'virtual', plic.base, PLIC_BYTES, {
          device_type: 'pic',
          compatible: 'sifive,plic0',
          parent_irq: [VS_EXTERNAL],
          num_irq: [31],
          max_priority: [7],
        }),
        region('uart0', 'virtual', uart.base, PAGE, {
          device_type: 'serial',
          compatible: 'ns16550a',
          fifo_size: [1024],
          interrupts: [uart.source],
        }),
        virtio('virtio-blk0', disk, BLOCK_TYPE, { blkdev: INITRD_DISK }),
        virtio('virtio-con0', console, CONSOLE_TYPE),
        region('mem0', 'real', GUEST_RAM, memoryBytes, { align_order: [LARGE_PAGE_ORDER], device_type: 'alloced_ram' }),
      ]),
    ]),
  )
}

const file = (path: string, data: Uint8Array | string): CpioEntry => ({
  path,
  kind: 'file',
  data: typeof data === 'string' ? Buffer.from(data) : data,
  executable: false,
})

/** The archive that Xvisor mounts: for each guest its description and what lies in its memory; and the script. */
function archive(guests: readonly Type1Guest[]): Buffer {
  const each = guests.flatMap((guest, index) => [
    file(`guest${index}.dtb`, guestDescription(guest)),
    file(`entry${index}.bin`, entryStub(TREE_AT, GUEST_KERNEL)),
    file(`tree${index}.dtb`, type1Tree(guest, VIRTIO)),
    file(`kernel${index}.bin`, guest.kernel),
    file(
      `guest${index}.list`,
      [`${hex(TREE_AT - PAGE)} ./entry${index}.bin`, `${hex(TREE_AT)} ./tree${index}.dtb`]
        .concat(`${hex(GUEST_KERNEL)} ./kernel${index}.bin\n`)
        .join('\n'),
    ),
  ])
  const script = guests.flatMap((_, index) => [
    `vfs fdt_load /guests guest${index} /guest${index}.dtb`,
    `guest create guest${index}`,
    `vfs guest_load_list guest${index} /guest${index}.list`,
  ])
  const kick = guests.map((_, index) => `guest kick guest${index}`).toReversed()
  const bytes = cpio([...each, file('boot.xscript', [...script, ...kick, 'vserial bind guest0/uart0', ''].join('\n'))])
  // A block device has whole sectors only.
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & (SECTOR_BYTES - 1))])
}

function hex(address: number): string {
  return `0x${address.toString(16)}`
}

/** A board on which Xvisor starts the guests, the first last, and shows the first one's console. */
export function xvisorBoard(
  image: Uint8Array,
  guests: readonly Type1Guest[],
  options: { harts: number; ramBytes: number; output?: (bytes: Uint8Array) => void },
): VirtBoard {
  return virt({
    ...options,
    kernel: image,
    initrd: archive(guests),
    append: 'vmm.bootcmd="vfs mount initrd /;vfs run /boot.xscript"',
  })
}
