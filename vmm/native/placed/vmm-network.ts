/** The network card's driver in the VMM itself, with the virtual switch on it. */
import { nicDriver } from '../../../drivers/nic.ts'
import type { DriverPlacement } from '../../../hw/spec/layouts/placement.ts'
import { NetworkCard, NETWORK_DEPTH } from '../../core/network-card.ts'
import { VirtualSwitch } from '../../core/virtual-switch.ts'
import type { Ground } from '../ground.ts'
import { checkOptions } from './options.ts'
import type { NetworkService } from './service.ts'

/** Where the VMM puts the card's registers: in the root bus's window for 32-bit addresses. */
const REGISTERS = 0x4010_0000
/** Frames from outside that one entry hands out: each may be copied to every guest. */
const FRAMES_AT_A_TIME = 8

export function vmmNetwork(ground: Ground, placement: DriverPlacement): NetworkService {
  const { current, guests, bus, controller, environment } = ground
  checkOptions('network card', placement, ['coalescing'])
  const own = environment('nic', REGISTERS, [masked => card.mask(masked)])
  const driver = nicDriver(own, {
    queueDepth: NETWORK_DEPTH,
    promiscuous: true,
    budget: FRAMES_AT_A_TIME,
    interruptInterval: placement.coalescing,
  })
  const virtualSwitch = new VirtualSwitch()
  const card: NetworkCard = new NetworkCard(current, own, driver, bus, controller, REGISTERS, virtualSwitch)
  virtualSwitch.connect(card)
  return {
    devices: guests.some(({ node }) => node.network) ? [card] : [],
    state: { ...card.state, ...virtualSwitch.state },
    plug: (_guest, { mac, vlan }) => virtualSwitch.plug(mac, vlan),
  }
}
