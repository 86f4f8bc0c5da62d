/** Registers of the machine's chips, read without anybody knowing. Only such may be read as nothing follows from. */
import type { Machine } from '../../../hw/index.ts'

/** Reads by physical address; 0 where no chip is. */
export function registerOf({ bus }: Machine): (address: number, bytes: 1 | 2 | 4) => number {
  return (address, bytes) => {
    const window = bus.windows.find(({ base, bytes: size }) => address >= base && address < base + size)
    return window ? window.chip.read(address - window.base, bytes) : 0
  }
}
