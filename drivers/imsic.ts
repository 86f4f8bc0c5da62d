/** The driver of an interrupt file of an IMSIC: the messages that a hart takes at one level (AIA 3). Sources are identities. */
import type { Environment, InterruptController } from './environment.ts'
import { interruptFile } from '../hw/spec/devices/imsic.ts'
import { fieldOf } from '../hw/spec/registers.ts'

const WORD = 0x1_0000_0000

/** Identities below this can be enabled: those of eie0 that an exact number holds. */
export const IMSIC_SOURCES = 53

export function imsicDriver(env: Environment): InterruptController {
  const { device } = env
  const state = env.state('imsic', { running: 0, low: 0, high: 0 })

  function start(): void {
    device.write(interruptFile.eithreshold, 0)
    write()
    device.write(interruptFile.eidelivery, 1)
    state.running = 1
  }

  function write(): void {
    device.write(interruptFile.eie, (state.high >>> 0) * WORD + (state.low >>> 0))
  }

  function enable(source: number): void {
    if (source < 32) state.low |= 1 << source
    else state.high |= 1 << (source - 32)
    write()
  }

  function disable(source: number): void {
    if (source < 32) state.low &= ~(1 << source)
    else state.high &= ~(1 << (source - 32))
    write()
  }

  function threshold(priority: number): void {
    device.write(interruptFile.eithreshold, priority)
  }

  /** Reading says which one it is, writing takes it. */
  function claim(): number {
    const source = fieldOf(interruptFile.topei.fields.IDENTITY, device.read(interruptFile.topei))
    if (source !== 0) device.write(interruptFile.topei, 0)
    return source
  }

  return {
    start,
    ready: () => state.running === 1,
    failure: () => '',
    enable,
    disable,
    threshold,
    claim,
    complete: () => {},
  }
}
