/**
 * Packets that wait for the card, by who sends them: a queue a sender, which take turns, each sending so many bytes a turn
 * (deficit round robin, Shreedhar and Varghese 1995). Who sends more than its share waits behind itself; when there is no
 * more room, the longest queue loses its first.
 */
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { acquire, release } from '../../core/spin-lock.ts'
import { TABLES } from '../layout.ts'
import { NO_PACKET, packet, packetAt, PacketQueue } from './packets.ts'

const SENDERS = 16
/** Policy: bytes a turn; packets in all. */
const QUANTUM = 1514
const ROOM = 60

export class FairQueue {
  readonly state: Record<string, StateRecord>
  readonly record = { count: 0, turn: 0 }
  readonly #queues = Array.from({ length: SENDERS }, () => new PacketQueue())
  /** By sender: bytes that it may still send in its turn. */
  readonly #deficits = new Int32Array(SENDERS)

  constructor() {
    this.state = { 'fair queue': this.record, 'fair deficits': this.#deficits }
    this.#queues.forEach(({ record }, sender) => (this.state[`fair queue ${sender}`] = record))
  }

  /** Puts a packet behind its sender's others. Returns one that is lost for it, or NO_PACKET. */
  add(port: HartPort, number: number): number {
    const { record } = this
    acquire(port, TABLES.cardLock)
    const sender = port.load32(packetAt(number) + packet.port.at) % SENDERS
    const queue = this.#queues[sender]
    if (queue.record.count === 0) this.#deficits[sender] = QUANTUM
    queue.add(port, number)
    record.count++
    const lost = record.count > ROOM ? this.#loseOne(port) : NO_PACKET
    release(port, TABLES.cardLock)
    return lost
  }

  #loseOne(port: HartPort): number {
    let longest = 0
    for (let sender = 1; sender < SENDERS; sender++)
      if (this.#queues[sender].record.count > this.#queues[longest].record.count) longest = sender
    this.record.count--
    return this.#queues[longest].take(port)
  }

  /** The packet whose turn it is, taken out; NO_PACKET if none waits. */
  take(port: HartPort): number {
    const { record } = this
    if (record.count === 0) return NO_PACKET
    acquire(port, TABLES.cardLock)
    // Each turn adds a quantum, which is no less than a packet: so one can be sent within two rounds.
    for (;;) {
      const sender = record.turn
      const first = this.#queues[sender].first()
      if (first !== NO_PACKET) {
        const bytes = port.load32(packetAt(first) + packet.length.at)
        if (this.#deficits[sender] >= bytes) {
          this.#deficits[sender] -= bytes
          break
        }
        this.#deficits[sender] += QUANTUM
      }
      record.turn = sender + 1 === SENDERS ? 0 : sender + 1
    }
    const number = this.#queues[record.turn].take(port)
    record.count--
    release(port, TABLES.cardLock)
    return number
  }
}
