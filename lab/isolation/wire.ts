/** The cable of a scenario's network card, with somebody at its end who notes what leaves and sends what he is told to. */
import type { VirtNic } from '../../hw/boards/virt.ts'
import { Cable } from '../../hw/devices/cable.ts'

const NEAR = 0
const FAR = 1

export interface Wire {
  readonly nic: VirtNic
  /** What has left the machine, in order. */
  readonly left: Uint8Array[]
  /** Sends a frame to the machine. */
  send(frame: Uint8Array): void
}

/** The card that is the nth, with so many virtual functions. */
export function wire(number = 0, virtualFunctions = 0): Wire {
  const left: Uint8Array[] = []
  const name = number === 0 ? 'cable' : `cable ${number}`
  let cable: Cable | undefined
  return {
    left,
    send: frame => void cable?.send(FAR, frame),
    nic: {
      ...(virtualFunctions > 0 && { virtualFunctions }),
      connect(nic, wiring) {
        cable = new Cable(name, wiring.clock(name))
        wiring.enroll(name, cable)
        nic.connect(cable, NEAR)
        cable.attach(FAR, { receive: frame => void left.push(frame.slice()), carrier: () => {} })
      },
    },
  }
}
