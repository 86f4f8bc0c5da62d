/** A virtio-mmio slot with nothing in it: it identifies itself, and its device ID 0 tells drivers to pass by. */
import type { Chip } from '../bus/chip.ts'

const MAGIC = 0x7472_6976
const VERSION = 2

export class EmptyVirtioSlot implements Chip {
  read(offset: number, bytes: 1 | 2 | 4): number {
    if (bytes !== 4) return 0
    return offset === 0 ? MAGIC : offset === 4 ? VERSION : 0
  }

  write(_offset: number, _bytes: 1 | 2 | 4, _value: number): void {}
}
