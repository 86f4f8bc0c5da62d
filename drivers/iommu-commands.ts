/** The command queue of a RISC-V IOMMU: one command at a time, each followed by a fence that says that it is done (IOMMU 4.1). */
import type { Environment } from './environment.ts'
import { iommu } from '../hw/spec/devices/iommu.ts'
import { command, OPCODE } from '../hw/spec/layouts/iommu.ts'
import { fieldOf, withField } from '../hw/spec/registers.ts'

/** As a power of two, less one, as cqb.LOG2SZ has it: 256 entries are a page. */
const LOG2SZ = 7
const ENTRIES = 256
const PAGE = 4096
const HIGH = 4
/** Looks at what a fence writes, before the IOMMU is given up. */
const LOOKS = 1000
const WORD = 0x1_0000_0000

const { first } = command
const GUEST = 1
const INVALIDATE_GUEST = withField(first.fields.opcode, withField(first.fields.func3, 0, GUEST), OPCODE.IOTINVAL)
const INVALIDATE_DIRECTORY = withField(first.fields.opcode, 0, OPCODE.IODIR)
/** With the device's reads and writes before it done as well (PR, PW). */
const FENCE = withField(first.fields.opcode, withField(first.fields.AV, 0, 1), OPCODE.IOFENCE) | (3 << 12)
const GUEST_VALID = withField(first.fields.GV, 0, 1)
const GSCID_SHIFT = first.fields.GSCID.low - 32
const DEVICE_VALID = withField(first.fields.DV, 0, 1)
const DEVICE_SHIFT = first.fields.DID.low - 32
const ENABLE = withField(iommu.cqcsr.fields.cqen, 0, 1)

export interface IommuCommands {
  /** Switches the queue on. False if it does not come on. */
  start(): boolean
  /** Forgets what it knows of one device's context. */
  forgetContext(device: number): boolean
  /** Forgets all translations of a guest. */
  forgetGuest(gscid: number): boolean
}

/** Both commands are false if the IOMMU does not answer: then nothing may be taken for forgotten. */
export function iommuCommands(env: Environment): IommuCommands {
  const { device, dma } = env
  const queue = dma.allocate(PAGE)
  const done = dma.allocate(HIGH)
  const state = env.state('commands', { tail: 0, fences: 0 })

  function start(): boolean {
    device.write(iommu.cqb, queue.device / 4 + LOG2SZ)
    device.write(iommu.cqt, 0)
    device.write(iommu.cqcsr, ENABLE)
    for (let look = 0; look < LOOKS; look++) {
      if (fieldOf(iommu.cqcsr.fields.cqon, device.read(iommu.cqcsr)) === 1) return true
    }
    return false
  }

  function put(low: number, high: number, second: number): void {
    const at = state.tail * command.size
    queue.write32(at, low)
    queue.write32(at + HIGH, high)
    queue.write64(at + command.second.at, second)
    state.tail = (state.tail + 1) % ENTRIES
  }

  /** Hands over what was put, and waits until it is done. */
  function finish(): boolean {
    const number = (state.fences + 1) % WORD
    state.fences = number
    put(FENCE, number, done.device / 4)
    dma.fence()
    device.write(iommu.cqt, state.tail)
    for (let look = 0; look < LOOKS; look++) if (done.read32(0) === number) return true
    return false
  }

  return {
    start,
    forgetContext(identity) {
      put(INVALIDATE_DIRECTORY, ((identity << DEVICE_SHIFT) | DEVICE_VALID) >>> 0, 0)
      return finish()
    },
    forgetGuest(gscid) {
      put(INVALIDATE_GUEST, ((gscid << GSCID_SHIFT) | GUEST_VALID) >>> 0, 0)
      return finish()
    },
  }
}
