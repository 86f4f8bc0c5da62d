/** The network card's driver in the VMM itself, with the virtual switch on it. */
import { nicDriver } from '../../../drivers/nic.ts'
import { nicConfigOf, wiresOf } from '../../../drivers/placement-config.ts'
import { type DriverPlacement, isPolled } from '../../../hw/spec/layouts/placement.ts'
import { NetworkCard, NETWORK_DEPTH } from '../../core/network-card.ts'
import { VirtualSwitch } from '../../core/virtual-switch.ts'
import type { Ground } from '../ground.ts'
import { checkOptions, checkVmmHart } from './options.ts'
import { PolledDevice } from './polled-device.ts'
import type { NetworkService } from './service.ts'

/** Where the VMM puts the card's registers: in the root bus's window for 32-bit addresses. */
const REGISTERS = 0x4010_0000
/** Frames from outside that one entry hands out: each may be copied to every guest. */
const FRAMES_AT_A_TIME = 8

export function vmmNetwork(ground: Ground, placement: DriverPlacement): NetworkService {
  const { current, guests, bus, controller, environment } = ground
  const { hart } = placement
  checkOptions('network card', placement, ['service', 'coalescing', 'queues', 'hart'])
  checkVmmHart('network card', placement, ground)
  const own = environment('nic', REGISTERS, wiresOf(placement, [masked => card.mask(masked)]))
  const driver = nicDriver(own, {
    ...nicConfigOf(placement, NETWORK_DEPTH),
    promiscuous: true,
    budget: FRAMES_AT_A_TIME,
  })
  const virtualSwitch = new VirtualSwitch()
  const card: NetworkCard = new NetworkCard(current, own, driver, bus, controller, REGISTERS, virtualSwitch)
  virtualSwitch.connect(card)
  const used = guests.some(({ node }) => node.network)
  const polled = isPolled(placement) && used ? new PolledDevice(card, driver, hart ?? 0) : undefined
  return {
    devices: used ? [polled ?? card] : [],
    ...(polled && { polled }),
    ...(hart !== undefined && { hart }),
    state: { ...card.state, ...virtualSwitch.state, ...polled?.state },
    plug: (_guest, { mac, vlan }) => virtualSwitch.plug(mac, vlan),
  }
}
