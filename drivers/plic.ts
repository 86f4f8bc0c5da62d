/** The driver of a RISC-V platform-level interrupt controller, for one of its contexts. */
import type { Environment, InterruptController } from './environment.ts'
import { plic } from '../hw/spec/devices/plic.ts'
import { registers } from '../hw/spec/registers.ts'

const WORDS = 32
/** The enable bits again, by word: word w of context c is number c × WORDS + w. */
const { enable } = registers({
  enable: {
    at: plic.enable.at,
    width: 32,
    access: 'rw',
    count: plic.enable.count * WORDS,
    stride: 4,
    spec: plic.enable.spec,
  },
})

const CREATED = 0
const RUNNING = 1
const LOST = 2

export interface PlicConfig {
  /** Known by `start`: who reads it in a device tree at run time fills it in then. */
  readonly context: number
  /** The highest source number that is wired. */
  readonly sources: number
}

export function plicDriver(env: Environment, config: PlicConfig): InterruptController {
  const { device } = env
  const { sources } = config
  const state = env.state('plic', { phase: CREATED })
  const enabled = env.state('enabled', new Int32Array(WORDS))

  function start(): void {
    for (let word = 0; word <= sources >>> 5; word++) device.write(enable, 0, config.context * WORDS + word)
    device.write(plic.threshold, 0, config.context)
    state.phase = RUNNING
  }

  function enableSource(source: number, priority: number): void {
    const word = source >>> 5
    enabled[word] |= 1 << (source & 31)
    device.write(plic.priority, priority, source)
    device.write(enable, enabled[word] >>> 0, config.context * WORDS + word)
  }

  function disableSource(source: number): void {
    const word = source >>> 5
    enabled[word] &= ~(1 << (source & 31))
    device.write(enable, enabled[word] >>> 0, config.context * WORDS + word)
  }

  function threshold(priority: number): void {
    device.write(plic.threshold, priority, config.context)
  }

  function claim(): number {
    const source = device.read(plic.claim, config.context)
    if (source <= sources) return source
    state.phase = LOST
    return 0
  }

  /** A completion of a source that is not enabled is ignored (PLIC 9): one that its driver has masked meanwhile is let through for it. */
  function complete(source: number): void {
    const word = source >>> 5
    const bit = 1 << (source & 31)
    if ((enabled[word] & bit) !== 0) {
      device.write(plic.claim, source, config.context)
      return
    }
    device.write(enable, (enabled[word] | bit) >>> 0, config.context * WORDS + word)
    device.write(plic.claim, source, config.context)
    device.write(enable, enabled[word] >>> 0, config.context * WORDS + word)
  }

  return {
    start,
    ready: () => state.phase === RUNNING,
    failure: () => (state.phase === LOST ? 'device lost' : ''),
    enable: enableSource,
    disable: disableSource,
    threshold,
    claim,
    complete,
  }
}
