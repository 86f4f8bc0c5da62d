/** The functions of the machine's PCIe bus, read from configuration space: which there are, whose they are to be, where their registers lie. */
import { BAR0_BYTES } from '../../../hw/spec/devices/nic.ts'
import { NIC_FUNCTION_BYTES } from '../../../hw/spec/devices/nic-function.ts'
import { CAPABILITY, EXTENDED_AT, msixCapability, pcie, sriov } from '../../../hw/spec/devices/pcie.ts'
import { VIRT_MAP } from '../../../hw/boards/virt-map.ts'
import type { Arena } from '../arena.ts'
import type { Topology } from '../scenario.ts'
import { registerOf } from './registers.ts'

export interface MachineFunction {
  /** With which it signs its requests. */
  readonly requester: number
  readonly device: 'disk' | 'network'
  /** Of its kind, from 0. */
  readonly number: number
  /** Of a virtual function: the requester number of the function that it belongs to. */
  readonly physical?: number
}

export interface RegisterRange {
  readonly base: number
  readonly bytes: number
  /** Where in it the table of messages lies; -1: elsewhere, or software sees none. */
  readonly table: number
}

/** The VMM, or a process of its. */
export const VMM = -1

const SLOTS = 32
const FUNCTIONS = 8
const NVME = 0x01_08_02
const NETWORK = 0x02_00_00
const DISK_BYTES = 0x4000
const SRIOV_AT = EXTENDED_AT + 0x60
const ABSENT = 0xffff
const PAGE = 4096

const at = (requester: number) => VIRT_MAP.pcieEcam.base + requester * PAGE
/** By BAR: its bytes. */
const BARS = {
  disk: [[0, DISK_BYTES]],
  network: [
    [0, BAR0_BYTES],
    [3, NIC_FUNCTION_BYTES],
  ],
} as const

/** All that there are. Virtual ones appear once, before guests begin. */
export function functionsOf({ machine }: Arena): readonly MachineFunction[] {
  const read = registerOf(machine)
  const found: MachineFunction[] = []
  const next = { disk: 0, network: 0, virtual: 0 }
  for (let slot = 0; slot < SLOTS; slot++) {
    const requester = slot * FUNCTIONS
    if (read(at(requester) + pcie.VENDOR_ID.at, 2) === ABSENT) continue
    const kind = Math.floor(read(at(requester) + pcie.REVISION_ID.at, 4) / 256)
    if (kind !== NVME && kind !== NETWORK) continue
    const device = kind === NVME ? 'disk' : 'network'
    found.push({ requester, device, number: next[device]++ })
    if (device === 'disk') continue
    const capability = at(requester) + SRIOV_AT
    const isOn = (read(capability + sriov.CONTROL.at, 2) & 1) === 1
    const count = isOn ? read(capability + sriov.NUMBER.at, 2) : 0
    const first = requester + read(capability + sriov.OFFSET.at, 2)
    const stride = read(capability + sriov.STRIDE.at, 2)
    for (let index = 0; index < count; index++)
      found.push({ requester: first + index * stride, device, number: next.virtual++, physical: requester })
  }
  return found
}

/** Who is to drive it, as the topology says: a guest by number, a driver domain behind the guests, or the VMM. */
export function driverOf({ guests, placements }: Topology, { device, number, physical }: MachineFunction): number {
  const place = placements?.[device]?.at
  if (place === 'domain') {
    if (number !== 0) return VMM
    return guests.length + (device === 'network' && placements?.disk?.at === 'domain' ? 1 : 0)
  }
  const isPassed = physical === undefined ? place === 'guest' : place === 'function'
  if (!isPassed) return VMM
  const having = guests.flatMap((guest, index) => (guest[device] ? [index] : []))
  return having[number] ?? VMM
}

/** Where its registers lie now. */
export function registersOf({ machine }: Arena, { requester, device, physical, number }: MachineFunction) {
  const read = registerOf(machine)
  const table = tableOf(read, requester)
  return BARS[device].flatMap(([bar, bytes]): RegisterRange[] => {
    const where = physical === undefined ? at(requester) + pcie.BAR.at : at(physical) + SRIOV_AT + sriov.BAR.at
    const low = read(where + bar * 4, 4)
    const high = (low & 4) === 0 ? 0 : read(where + bar * 4 + 4, 4)
    const size = physical === undefined ? bytes : NIC_FUNCTION_BYTES
    const base = high * 2 ** 32 + ((low & ~15) >>> 0) + (physical === undefined ? 0 : number * size)
    if (base === 0) return []
    return [{ base, bytes: size, table: table?.bar === bar ? table.at : -1 }]
  })
}

/** Its table of messages, if software sees that it has one. */
function tableOf(read: (address: number, bytes: 1 | 2 | 4) => number, requester: number) {
  let next = read(at(requester) + pcie.CAPABILITIES_POINTER.at, 1)
  while (next !== 0) {
    const capability = at(requester) + next
    if (read(capability, 1) === CAPABILITY.MSIX) {
      const place = read(capability + msixCapability.TABLE.at, 4)
      return { bar: place & 7, at: (place & ~7) >>> 0 }
    }
    next = read(capability + 1, 1)
  }
  return undefined
}

/** For people. */
export function functionName({ device, number, physical }: MachineFunction): string {
  return physical === undefined ? `${device} ${number}` : `virtual function ${number}`
}
