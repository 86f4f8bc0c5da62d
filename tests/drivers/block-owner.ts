/** Who owns a disk in the tests: keeps its books in the environment's state, as abandoned entries demand, and checks each answer. */
import type { BlockDevice, Completion, Environment } from '../../drivers/environment.ts'
import type { BenchMemory } from '../hw/devices/bench.ts'
import type { FakeEnvironment } from './fake-environment.ts'

const HOW: readonly Completion[] = ['ok', 'media error', 'out of range', 'unsupported', 'device lost']

export interface Request {
  readonly operation: 'read' | 'write' | 'flush'
  readonly sector: number
  readonly count: number
  /** Offset of the data within the tag's slot, a multiple of 4. */
  readonly offset?: number
  readonly forceUnitAccess?: boolean
}

/** A driver, and per tag: how its request ended (index into HOW, plus one; 0 if it has not) and how often. */
export interface BlockOwner {
  readonly env: FakeEnvironment
  readonly disk: () => BlockDevice
  /** Makes the driver again, from its saved state. */
  remake(): void
  start(): boolean
  stop(): boolean
  submit(tag: number, request: Request): boolean
  /** Undefined until the tag's request has ended. */
  outcome(tag: number): Completion | undefined
  /** Runs until the tag's request has ended. */
  finish(tag: number): Completion
  dataOf(tag: number): Uint8Array
  /** True if this range lies in the data slot of some tag. */
  lent(address: number, bytes: number): boolean
}

export function blockOwner(
  env: FakeEnvironment,
  memory: BenchMemory,
  make: (env: Environment) => BlockDevice,
  { data = 0x8_0000, slot = 0x8000, polled = false }: { data?: number; slot?: number; polled?: boolean } = {},
): BlockOwner {
  let disk: BlockDevice
  let ended: Int32Array
  let busy: Int32Array
  const remake = (): void => {
    env.construct(made => {
      disk = make(made)
      ended = made.state('owner ended', new Int32Array(disk.depth))
      busy = made.state('owner busy', new Int32Array(disk.depth))
      disk.onCompleted((tag, how) => {
        if (busy[tag] !== 1) throw new Error(`tag ${tag} completed without a request`)
        busy[tag] = 0
        ended[tag] = HOW.indexOf(how) + 1
      })
    })
  }
  remake()
  const look = (): void => {
    if (polled) env.enter(() => disk.poll(3))
  }
  const runUntil = (until: () => boolean): boolean => {
    for (let i = 0; i < 100_000; i++) {
      look()
      if (until()) return true
      if (polled) env.pass(5)
      else return env.run(until)
    }
    return false
  }
  return {
    env,
    disk: () => disk,
    remake,
    start() {
      env.enter(() => disk.start())
      return runUntil(() => env.enter(() => disk.ready() || disk.failure() !== '')) && env.enter(() => disk.ready())
    },
    stop() {
      env.enter(() => disk.stop())
      return runUntil(() => env.enter(() => disk.stopped()))
    },
    submit(tag, { operation, sector, count, offset = 0, forceUnitAccess = false }) {
      return env.enter(() => {
        if (!disk.submit(tag, operation, sector, count, data + tag * slot + offset, forceUnitAccess)) return false
        busy[tag] = 1
        ended[tag] = 0
        return true
      })
    },
    outcome: tag => (ended[tag] === 0 ? undefined : HOW[ended[tag] - 1]),
    finish(tag) {
      if (!runUntil(() => ended[tag] !== 0)) throw new Error(`tag ${tag} never completed`)
      return HOW[ended[tag] - 1]
    },
    dataOf: tag => memory.bytes.subarray(data + tag * slot, data + (tag + 1) * slot),
    lent: (address, bytes) => address >= data && address + bytes <= data + disk.depth * slot,
  }
}
