/** Reads a descriptor's two copies of a length, which its owner may change in between. */
import type { HartPort, Software } from '../../../../hw/port.ts'

export interface ReaderAddresses {
  readonly descriptor: number
  readonly seen: number
  readonly after: number
}

export function reader({ descriptor, seen, after }: ReaderAddresses): Software {
  function readTwice(port: HartPort): void {
    const checked = port.load32(descriptor)
    const used = port.load32(descriptor)
    port.store32(seen, checked)
    port.store32(seen + 8, used)
    port.jump(after)
  }

  return { name: 'reader', entries: [readTwice], state: {} }
}
