/** Guests have virtual functions of the network card; the VMM drives its physical one. */
import { nicDriver } from '../../../drivers/nic.ts'
import { pcieFunctions } from '../../../drivers/pcie-functions.ts'
import { PortEnvironment } from '../../../drivers/port-environment.ts'
import { NetworkCard, NETWORK_DEPTH } from '../../core/network-card.ts'
import { VirtualSwitch } from '../../core/virtual-switch.ts'
import type { DriverPlacement } from '../../../hw/spec/layouts/placement.ts'
import type { Ground } from '../ground.ts'
import { FunctionHost } from '../passthrough/function-host.ts'
import { checkOptions } from './options.ts'
import type { NetworkService } from './service.ts'

const REGISTERS = 0x4010_0000
const FRAMES_AT_A_TIME = 8
/** Of a port of an 82576. */
const MOST_FUNCTIONS = 7

export function functionNetwork(
  { current, ecam, guests, bus, controller, environment }: Ground,
  placement: DriverPlacement,
): NetworkService {
  checkOptions('network card', placement, [])
  const owners = guests.filter(({ node }) => node.network)
  const addresses: (readonly number[])[] = []
  owners.forEach(({ node }, index) => {
    addresses[node.network!.device ?? index] = node.network!.mac
  })
  const count = addresses.length
  if (count > MOST_FUNCTIONS)
    throw new Error(
      `virtual function ${count - 1} of the network card: there are ${MOST_FUNCTIONS} (0 to ${MOST_FUNCTIONS - 1}); let fewer guests have one`,
    )
  for (let index = 0; index < count; index++) addresses[index] ??= [2, 0, 0, 0, 0xff, index]
  const own = environment('nic', REGISTERS, [masked => card.mask(masked)])
  const functions = { count, addresses, alone: true }
  const driver = nicDriver(own, { queueDepth: NETWORK_DEPTH, budget: FRAMES_AT_A_TIME, functions })
  const virtualSwitch = new VirtualSwitch()
  const card: NetworkCard = new NetworkCard(current, own, driver, bus, controller, REGISTERS, virtualSwitch)
  virtualSwitch.connect(card)
  const dma = { base: 0, device: 0, bytes: 0 }
  const space = new PortEnvironment({
    current,
    name: 'pcie virtual functions',
    registers: ecam,
    dma,
    interrupts: [],
    now: () => 0,
    wakeAt: () => {},
  })
  const host = new FunctionHost(card, card.state, driver, pcieFunctions(space), bus, count)
  return {
    devices: count > 0 ? [host] : [],
    state: { ...host.state, ...virtualSwitch.state },
    plug: ({ node }) => {
      throw new Error(`${node.label} drives its network card itself`)
    },
    functions: host,
  }
}
