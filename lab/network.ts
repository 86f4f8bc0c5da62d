/** What is at the other end of the machine's cable. */
import type { VirtNic } from '../hw/boards/virt.ts'
import { Cable } from '../hw/devices/cable.ts'
import { Station } from '../hw/devices/station.ts'

export const STATION_IP = [10, 0, 0, 1] as const
const STATION_MAC = [0x02, 0x62, 0x68, 0xff, 0, 1]

/** A network card on a cable to a station, which answers ARP and ping at 10.0.0.1 and echoes UDP to port 7. */
export function nicOnStation(): VirtNic {
  return {
    connect(nic, wiring) {
      const cable = new Cable('cable', wiring.clock('cable'))
      wiring.enroll('cable', cable)
      const station = new Station('station', { mac: STATION_MAC, ip: STATION_IP }, wiring.clock('station'))
      wiring.enroll('station', station)
      nic.connect(cable, 0)
      station.connect(cable, 1)
    },
  }
}
