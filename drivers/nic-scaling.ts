/**
 * Several queue pairs of an 82576 (RSS, 82576 7.1.1.7). A buffer's tag says in which pair it stands; the card says, by a
 * hash over a frame's addresses and ports, in which it arrives: flows do not take each other's buffers, nor their turns.
 */
import type { Environment } from './environment.ts'
import { nicQueues, type NicQueues, queueAt, type QueueState } from './nic-queues.ts'
import { nic } from '../hw/spec/devices/nic.ts'
import { withField } from '../hw/spec/registers.ts'

const { fields: hashed } = nic.MRQC
/** Over all queues; frames that are not IP arrive in the first. */
const BY_QUEUE = 2
const HASHES =
  withField(hashed.ENABLE, 0, BY_QUEUE) |
  withField(hashed.TCP_IPV4, 0, 1) |
  withField(hashed.IPV4, 0, 1) |
  withField(hashed.TCP_IPV6, 0, 1) |
  withField(hashed.IPV6, 0, 1) |
  withField(hashed.UDP_IPV4, 0, 1) |
  withField(hashed.UDP_IPV6, 0, 1)
/** Any bits do, if they look random: these are the hexadecimal digits of pi. */
const KEY = [
  0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344, 0xa409_3822, 0x299f_31d0, 0x082e_fa98, 0xec4e_6c89, 0x4528_21e6,
  0x38d0_1377,
] as const
/** Entries of the redirection table in one word. */
const ENTRIES = 4

/** `count` pairs, which share the tags among them: each has every count-th. */
export function scaledQueues(
  env: Environment,
  count: number,
  depth: number,
  state: QueueState,
  lose: () => void,
): NicQueues {
  const { device } = env
  const room = Math.ceil(depth / count)
  const pairs: NicQueues[] = []
  for (let pair = 0; pair < count; pair++)
    pairs.push(nicQueues(env, queueAt(nic, pair), depth, state, lose, { name: ` ${pair}`, room }))
  /** The pair whose turn it is. */
  const turn = env.state('turn', { next: 0 })

  function program(): void {
    for (let word = 0; word < KEY.length; word++) device.write(nic.RSSRK, KEY[word], word)
    for (let word = 0; word < nic.RETA.count; word++) {
      let row = 0
      for (let entry = ENTRIES - 1; entry >= 0; entry--) row = row * 256 + ((word * ENTRIES + entry) % count)
      device.write(nic.RETA, row, word)
    }
    device.write(nic.MRQC, HASHES >>> 0)
    for (let pair = 0; pair < count; pair++) pairs[pair].program()
  }

  function enabled(): boolean {
    for (let pair = 0; pair < count; pair++) if (!pairs[pair].enabled()) return false
    return true
  }

  function waiting(): boolean {
    for (let pair = 0; pair < count; pair++) if (pairs[pair].waiting()) return true
    return false
  }

  /** Each pair has its turn first: one that always has more does not keep the others waiting. */
  function poll(budget: number): number {
    let done = 0
    let pair = turn.next
    for (let left = count; left > 0 && done < budget; left--) {
      done += pairs[pair].poll(budget - done)
      pair = pair + 1 === count ? 0 : pair + 1
    }
    turn.next = pair
    return done
  }

  return {
    program,
    enabled,
    waiting,
    free: () => {
      for (let pair = count - 1; pair >= 0; pair--) pairs[pair].free()
    },
    transmit: (tag, frame, bytes) => tag >= 0 && pairs[tag % count].transmit(tag, frame, bytes),
    provide: (tag, buffer, bytes) => tag >= 0 && pairs[tag % count].provide(tag, buffer, bytes),
    poll,
    onTransmitted: heard => {
      for (let pair = 0; pair < count; pair++) pairs[pair].onTransmitted(heard)
    },
    onReceived: heard => {
      for (let pair = 0; pair < count; pair++) pairs[pair].onReceived(heard)
    },
  }
}
