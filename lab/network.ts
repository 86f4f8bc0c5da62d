/** What is at the other end of the machine's cable. */
import type { VirtNic } from '../hw/boards/virt.ts'
import { Cable } from '../hw/devices/cable.ts'
import type { NicController } from '../hw/devices/nic/nic-controller.ts'
import { Station } from '../hw/devices/station.ts'

export const STATION_IP = [10, 0, 0, 1] as const
const STATION_MAC = [0x02, 0x62, 0x68, 0xff, 0, 1]

/** Virtual functions of a card's port that guests can have: the last of its eight pools is the port's own (82576 7.10). */
export const FUNCTIONS_OF_A_CARD = 7

/** A network card on a cable to a station, which answers ARP and ping at 10.0.0.1 and echoes UDP to port 7. Its number, if there are several. */
export function nicOnStation(card = 0, told?: (cable: Cable, nic: NicController) => void): VirtNic {
  const name = (what: string) => (card === 0 ? what : `${what} ${card}`)
  return {
    connect(nic, wiring) {
      const cable = new Cable(name('cable'), wiring.clock(name('cable')))
      wiring.enroll(name('cable'), cable)
      const mac = [...STATION_MAC.slice(0, 5), STATION_MAC[5] + card]
      const station = new Station(name('station'), { mac, ip: STATION_IP }, wiring.clock(name('station')))
      wiring.enroll(name('station'), station)
      nic.connect(cable, 0)
      station.connect(cable, 1)
      told?.(cable, nic)
    },
  }
}

/** So many cards, each on a cable to a station of its own; the first has so many virtual functions. `told` of each. */
export function cards(
  count: number,
  functions: number,
  told?: (card: number, cable: Cable, nic: NicController) => void,
): readonly VirtNic[] {
  return Array.from({ length: count }, (_, index) => ({
    ...nicOnStation(index, (cable, nic) => told?.(index, cable, nic)),
    ...(index === 0 && functions > 0 && { virtualFunctions: functions }),
  }))
}
