/** Counting frames by kind and size: 82576 8.19. Lengths include the check sequence. */
import { nic } from '../../spec/devices/nic.ts'
import type { RegisterFile } from './register-file.ts'

/** Upper bounds of the size classes of PRC64.. and PTC64..; the last class takes the rest. */
const SIZE_CLASSES = [64, 127, 255, 511, 1023] as const

function sizeClass(bytes: number): number {
  const index = SIZE_CLASSES.findIndex(bound => bytes <= bound)
  return index < 0 ? SIZE_CLASSES.length : index
}

/** A good frame went to memory. */
export function countReceived(registers: RegisterFile, bytes: number, broadcast: boolean, multicast: boolean): void {
  registers.count(nic.GPRC)
  registers.count(nic.RPTHC)
  registers.count(nic.PRC64, 1, sizeClass(bytes))
  registers.countLong(nic.GORCL, nic.GORCH, bytes)
  registers.countLong(nic.HGORCL, nic.HGORCH, bytes)
  if (broadcast) registers.count(nic.BPRC)
  else if (multicast) registers.count(nic.MPRC)
}

/** A frame has left. */
export function countSent(registers: RegisterFile, bytes: number, broadcast: boolean, multicast: boolean): void {
  registers.count(nic.GPTC)
  registers.count(nic.TPT)
  registers.count(nic.HGPTC)
  registers.count(nic.PTC64, 1, sizeClass(bytes))
  registers.countLong(nic.GOTCL, nic.GOTCH, bytes)
  registers.countLong(nic.TOTL, nic.TOTH, bytes)
  registers.countLong(nic.HGOTCL, nic.HGOTCH, bytes)
  if (broadcast) registers.count(nic.BPTC)
  else if (multicast) registers.count(nic.MPTC)
}
