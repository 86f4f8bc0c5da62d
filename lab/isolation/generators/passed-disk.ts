/** Programs of a guest that drives an NVMe controller itself: one command, whose data goes where it likes. */
import fc from 'fast-check'
import { ADMIN, CNS, nvme } from '../../../hw/spec/devices/nvme.ts'
import { pcie } from '../../../hw/spec/devices/pcie.ts'
import { GUEST_KERNEL, GUEST_PCIE, GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import { DATA } from '../guest-runtime.ts'
import type { Program, Step, Value } from '../scenario.ts'
import { put } from './virtio-steps.ts'

/** Its function stands in the first slot; its registers, where the guest puts them, in the window for 32 bits. */
const FUNCTION = GUEST_PCIE.ecam.base + (1 << 15)
const SUBMISSIONS = DATA + 0xc_0000
const COMPLETIONS = DATA + 0xc_1000
const MEMORY_AND_MASTER = 6
/** EN, and entries of 64 and 16 bytes. */
const ENABLED = 0x46_0001
const ENTRIES = 0x7_0007
const ANSWERED = 4000
/** Ticks after which a controller has come up. */
const READY = 60_000
const FOUR_GIB = 2 ** 32
/** Where data goes that is to arrive. */
export const OWN_TARGET = DATA + 0xc_4000

export interface Transfer {
  /** Where the function's registers are put. */
  readonly window: number
  readonly target: number
}

const store = (address: number, value: Value, bytes: 1 | 2 | 4 | 8 = 4): Step => ({
  op: 'store',
  bytes,
  address,
  value,
})

/** Gives the function a place, starts it, and lets it write a page: what it says of itself. */
export function identifies({ window, target }: Transfer): Program {
  const register = (of: { readonly at: number }) => window + of.at
  const wide = (of: { readonly at: number }, value: number) => [
    store(register(of), value % FOUR_GIB),
    store(register(of) + 4, Math.floor(value / FOUR_GIB)),
  ]
  return [
    store(FUNCTION + pcie.COMMAND.at, 0, 2),
    store(FUNCTION + pcie.BAR.at, window),
    store(FUNCTION + pcie.BAR.at + 4, 0),
    store(FUNCTION + pcie.COMMAND.at, MEMORY_AND_MASTER, 2),
    store(register(nvme.CC), 0),
    { op: 'wait', ticks: ANSWERED },
    store(register(nvme.AQA), ENTRIES),
    ...wide(nvme.ASQ, SUBMISSIONS),
    ...wide(nvme.ACQ, COMPLETIONS),
    store(register(nvme.CC), ENABLED),
    { op: 'wait', ticks: READY },
    ...put(SUBMISSIONS, [0x1_0000 + ADMIN.IDENTIFY, 0, 0, target, 0, CNS.CONTROLLER, 0, 0]),
    store(register(nvme.SQTDBL), 1),
    { op: 'wait', ticks: ANSWERED },
    { op: 'load', bytes: 4, signed: false, address: register(nvme.CSTS) },
  ]
}

const PAGE = 4096
const PCIE = GUEST_PCIE.memory32.base

/** Its own memory and nobody's; and, if it is taken for the machine's address, the firmware's, the VMM's and other guests'. */
const target = fc.oneof(
  { weight: 2, arbitrary: fc.constant(OWN_TARGET) },
  { weight: 2, arbitrary: fc.nat(2047).map(page => GUEST_RAM + 0x40_0000 + (page % 1024) * PAGE) },
  { weight: 3, arbitrary: fc.nat(0x1fff).map(page => GUEST_RAM + page * PAGE) },
  { weight: 3, arbitrary: fc.nat(0x7ff).map(page => 0x8400_0000 + page * PAGE) },
  { weight: 1, arbitrary: fc.constantFrom(0, PCIE, PCIE + 0x20_0000, 0x2800_0000, 2 ** 41) },
)
const window = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(PCIE, PCIE + 0x10_0000, PCIE + 0x20_0000) },
  { weight: 1, arbitrary: fc.constantFrom(0x1000_0000, GUEST_KERNEL, GUEST_RAM + 0x40_0000, 0x8400_0000) },
)

/** A transfer or two, one after the other. */
export const transfers: fc.Arbitrary<readonly Transfer[]> = fc.array(fc.record({ window, target }), {
  minLength: 1,
  maxLength: 3,
})
