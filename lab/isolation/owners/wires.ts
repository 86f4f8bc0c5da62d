/** Whose interrupts are: sources of the machine's controllers go to the VMM, each to one hart, and to nobody else. */
import { VIRT_MAP, VIRT_SOURCES } from '../../../hw/boards/virt-map.ts'
import type { Machine } from '../../../hw/index.ts'
import { fieldOf } from '../../../hw/spec/registers.ts'
import { aplic } from '../../../hw/spec/devices/aplic.ts'
import { plic } from '../../../hw/spec/devices/plic.ts'
import type { See } from './page-map.ts'
import { registerOf } from './registers.ts'

const SOURCES = VIRT_SOURCES.highest
const WORDS = (SOURCES >> 5) + 1

/** A source is enabled for at most one hart's supervisor; nothing goes to a guest's interrupt file by wire. */
export function holdWires(machine: Machine, see: See): void {
  if (machine.bus.find(VIRT_MAP.aplicSupervisor.base)) return holdAplic(machine, see)
  const read = registerOf(machine)
  const enabled = new Map<number, number>()
  for (let context = 0; context < machine.harts.length * 2; context++) {
    for (let word = 0; word < WORDS; word++) {
      const bits = read(VIRT_MAP.plic.base + plic.enable.at + context * plic.enable.stride + word * 4, 4)
      for (let bit = 0; bits >>> bit !== 0 && bit < 32; bit++) {
        if (((bits >>> bit) & 1) === 0) continue
        const source = word * 32 + bit
        const other = enabled.get(source)
        if (context % 2 === 0) see(`interrupt source ${source} goes to the firmware of hart ${context >> 1}`)
        if (other !== undefined) see(`interrupt source ${source} goes to harts ${other >> 1} and ${context >> 1}`)
        enabled.set(source, context)
      }
    }
  }
}

function holdAplic(machine: Machine, see: See): void {
  const read = registerOf(machine)
  const { base } = VIRT_MAP.aplicSupervisor
  for (let source = 1; source <= SOURCES; source++) {
    if ((read(base + aplic.sourcecfg.at + (source - 1) * aplic.sourcecfg.stride, 4) & 7) === 0) continue
    const target = read(base + aplic.target.at + (source - 1) * aplic.target.stride, 4)
    const file = fieldOf(aplic.target.fields.GuestIndex, target)
    if (file !== 0) see(`interrupt source ${source} goes to guest interrupt file ${file}`)
  }
}
