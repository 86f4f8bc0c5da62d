/** A virtual function of an 82576, as guests that use a network card know it. */
import { nicFunctionDriver } from '../../drivers/nic-function.ts'
import { NIC_VENDOR } from '../../hw/spec/devices/nic.ts'
import { NIC_FUNCTION_DEVICE } from '../../hw/spec/devices/nic-function.ts'

export const NETWORK_FUNCTION = { vendor: NIC_VENDOR, device: NIC_FUNCTION_DEVICE, driver: nicFunctionDriver } as const
