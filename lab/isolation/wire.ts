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

export function wire(): Wire {
  const left: Uint8Array[] = []
  let cable: Cable | undefined
  return {
    left,
    send: frame => void cable?.send(FAR, frame),
    nic: {
      connect(nic, wiring) {
        cable = new Cable('cable', wiring.clock('cable'))
        wiring.enroll('cable', cable)
        nic.connect(cable, NEAR)
        cable.attach(FAR, { receive: frame => void left.push(frame.slice()), carrier: () => {} })
      },
    },
  }
}
