/** The driver of functions' MSI-X: has a function send its first message, and only that, to an interrupt file. */
import type { Environment } from './environment.ts'
import { pcieConfiguration } from './pcie-configuration.ts'
import { CAPABILITY, msixCapability, msixEntry, pcie } from '../hw/spec/devices/pcie.ts'
import { fieldOf, withField } from '../hw/spec/registers.ts'

const NOT_ADDRESS = 15
const NOT_BIR = ~7
/** Where the BAR with the table is put if it is not the function's first: so far behind that. */
const TABLE_OFFSET = 0x8_0000
const ENABLED = withField(msixCapability.MESSAGE_CONTROL.fields.ENABLE, 0, 1)

export interface PcieMessages {
  /** The function's interrupts are messages `number` to the file at an address. False if it has no MSI-X. Its first BAR has its place. */
  route(identity: number, file: number, number: number): boolean
}

/** `env.device` is the ECAM window; `tables.device` what lies at `place.base`, which the driver sets: registered state. */
export function pcieMessages(env: Environment, tables: Environment, place: { base: number }): PcieMessages {
  const configuration = pcieConfiguration(env)
  const { device } = tables

  /** Where the function's table lies. */
  function tableOf(identity: number, capability: number): number {
    const where = configuration.read32(identity, capability + msixCapability.TABLE.at)
    const bar = fieldOf(msixCapability.TABLE.fields.BIR, where)
    let base = (configuration.read32(identity, pcie.BAR.at) & ~NOT_ADDRESS) >>> 0
    if (bar !== 0) {
      base += TABLE_OFFSET
      configuration.setBar(identity, bar, base)
    }
    return base + ((where & NOT_BIR) >>> 0)
  }

  function route(identity: number, file: number, number: number): boolean {
    const capability = configuration.capability(identity, CAPABILITY.MSIX)
    if (capability === 0) return false
    place.base = tableOf(identity, capability)
    device.write(msixEntry.ADDRESS, file)
    device.write(msixEntry.ADDRESS_HIGH, 0)
    device.write(msixEntry.DATA, number)
    device.write(msixEntry.VECTOR_CONTROL, 0)
    configuration.write16(identity, capability + msixCapability.MESSAGE_CONTROL.at, ENABLED)
    return true
  }

  return { route }
}
