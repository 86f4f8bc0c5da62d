/** The environment of an interrupt file's driver: the file of the hart and the level on which its owner runs, by CSRs. */
import type { Readable, Writable } from '../hw/spec/registers.ts'
import { sireg, siselect, stopei } from '../hw/spec/csrs/aia.ts'
import { interruptFile } from '../hw/spec/devices/imsic.ts'
import type { Environment } from './environment.ts'
import { type CurrentPort, PortEnvironment } from './port-environment.ts'

export interface FileEnvironment {
  readonly environment: Environment
  /** What the driver registered, for the owner's software state. */
  readonly registered: PortEnvironment['registered']
}

/** `name` is unique among the owner's drivers. */
export function fileEnvironment(current: CurrentPort, name: string): FileEnvironment {
  const dma = { base: 0, device: 0, bytes: 0 }
  const around = new PortEnvironment({
    current,
    name,
    registers: 0,
    dma,
    interrupts: [],
    now: () => 0,
    wakeAt: () => {},
  })
  const select = (register: Readable | Writable, index: number): void => {
    current.port.write(siselect, register.at + index * (register.stride ?? 0))
  }
  const environment: Environment = {
    device: {
      read: (register, index = 0) => {
        if (register.at === interruptFile.topei.at) return current.port.readLow(stopei)
        select(register, index)
        return current.port.readLow(sireg)
      },
      readHigh: (register, index = 0) => {
        select(register, index)
        return current.port.readHigh(sireg)
      },
      write: (register, value, index = 0) => {
        if (register.at === interruptFile.topei.at) return current.port.write(stopei, value)
        select(register, index)
        current.port.write(sireg, value)
      },
    },
    dma: around.dma,
    interrupts: around.interrupts,
    time: around.time,
    state: (state, initial) => around.state(state, initial),
  }
  return { environment, registered: around.registered }
}
