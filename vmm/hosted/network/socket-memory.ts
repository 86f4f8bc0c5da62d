/**
 * What a socket has under way: bytes of packets that the card has not sent yet, of which it may have so many. Who wants to
 * send more waits until half of them are gone.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { acquire, release } from '../../core/spin-lock.ts'
import { openFile, UDP_SOCKET } from '../objects/open-files.ts'
import { TABLES } from '../layout.ts'

export const socket = layout(0x40, 'our own', {
  lock: { at: 0x00, bytes: 16 },
  underWay: { at: 0x10, bytes: 4 },
  /** Threads that wait, a mask; datagrams sent. */
  waiting: { at: 0x14, bytes: 4 },
  sent: { at: 0x18, bytes: 4 },
  /** The record of what is open for it: while that has users, the socket is somebody's. */
  file: { at: 0x20, bytes: 8 },
})
export const MOST_SOCKETS = 16
/** Of a packet that is no socket's; others have the socket's number, plus one. */
const NOBODY = 0
/** Policy, as Linux's: bytes under way. */
const LIMIT = 212_992

export function socketAt(number: number): number {
  return TABLES.sockets + number * socket.size
}

export class SocketMemory {
  #wake: (port: HartPort, threads: number) => void = () => {}

  /** Who wakes threads that wait, by their mask. Set-up. */
  attach(wake: (port: HartPort, threads: number) => void): void {
    this.#wake = wake
  }

  create(port: HartPort): void {
    port.fill(TABLES.sockets, 0, MOST_SOCKETS * socket.size)
  }

  /** The number of a socket that nobody has and that has nothing under way, or -1. */
  find(port: HartPort): number {
    for (let number = 0; number < MOST_SOCKETS; number++) {
      if (port.load32(socketAt(number) + socket.underWay.at) === 0 && !this.#isOpen(port, number)) return number
    }
    return -1
  }

  #isOpen(port: HartPort, number: number): boolean {
    const file = port.load64(socketAt(number) + socket.file.at)
    return (
      file !== 0 &&
      port.load32(file + openFile.users.at) !== 0 &&
      port.load32(file + openFile.kind.at) === UDP_SOCKET &&
      port.load32(file + openFile.object.at) === number
    )
  }

  /** It is open by this record. */
  open(port: HartPort, number: number, file: number): void {
    const at = socketAt(number)
    port.fill(at, 0, socket.size)
    port.store64(at + socket.file.at, file)
  }

  /** A thread's socket is to have a packet of so many bytes under way. False if it has too many: the thread is woken when it has not. */
  charge(port: HartPort, number: number, bytes: number, thread: number): boolean {
    const at = socketAt(number)
    acquire(port, at + socket.lock.at)
    const underWay = port.load32(at + socket.underWay.at)
    const isRoom = underWay + bytes <= LIMIT
    if (isRoom) {
      port.store32(at + socket.underWay.at, underWay + bytes)
      port.store32(at + socket.sent.at, port.load32(at + socket.sent.at) + 1)
    } else port.store32(at + socket.waiting.at, port.load32(at + socket.waiting.at) | (1 << thread))
    release(port, at + socket.lock.at)
    return isRoom
  }

  /** A packet with this owner has gone. */
  uncharge(port: HartPort, owner: number, bytes: number): void {
    if (owner === NOBODY) return
    const at = socketAt(owner - 1)
    acquire(port, at + socket.lock.at)
    const underWay = port.load32(at + socket.underWay.at) - bytes
    port.store32(at + socket.underWay.at, underWay)
    const waiting = underWay * 2 > LIMIT ? 0 : port.load32(at + socket.waiting.at)
    if (waiting !== 0) port.store32(at + socket.waiting.at, 0)
    release(port, at + socket.lock.at)
    if (waiting !== 0) this.#wake(port, waiting)
  }
}
