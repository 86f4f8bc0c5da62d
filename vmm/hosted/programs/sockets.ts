/** Sockets of programs: UDP, to send. */
import { maskOf } from '../../../hw/spec/csr.ts'
import type { HartPort } from '../../../hw/port.ts'
import { sstatus } from '../../../hw/spec/csrs/supervisor.ts'
import type { LocalStack } from '../network/local-stack.ts'
import { NO_PACKET } from '../network/packets.ts'
import type { ProgramThread } from './program-thread.ts'
import type { ProgramSpace } from './program-space.ts'

const SUM = maskOf(sstatus, 'SUM')
/** A frame's room for a datagram's payload. */
const MOST_BYTES = 1472
const TOO_LONG = -90
const NO_BUFFERS = -105
const WAITS = -1000
const BAD_ADDRESS = -14
const NOT_SUPPORTED = -97
/** sockaddr_in: the family, then port and address in the network's order. */
const AF_INET = 2

export class Sockets {
  readonly #stack: LocalStack

  constructor(stack: LocalStack) {
    this.#stack = stack
  }

  /** The number of a socket that nobody has, or -1; it is open by this record. */
  find(port: HartPort): number {
    return this.#stack.findSocket(port)
  }

  open(port: HartPort, socket: number, file: number): void {
    this.#stack.openSocket(port, socket, file)
  }

  /** The system call sendto: bytes sent, or an error. */
  send(
    port: HartPort,
    thread: ProgramThread,
    space: ProgramSpace,
    socket: number,
    from: number,
    bytes: number,
    address: number,
  ): number {
    if (bytes > MOST_BYTES) return TOO_LONG
    port.set(sstatus, SUM)
    const family = port.load16(address)
    const toPort = port.load16(address + 2)
    const to = port.load32(address + 4)
    port.clear(sstatus, SUM)
    if (family !== AF_INET) return NOT_SUPPORTED
    const number = this.#stack.take(port)
    if (number === NO_PACKET) return NO_BUFFERS
    if (!this.#stack.own(port, number, socket, thread.number)) {
      this.#stack.free(port, number)
      return WAITS
    }
    if (!space.copyIn(port, this.#stack.payloadOf(port, number), from, bytes)) {
      this.#stack.free(port, number)
      return BAD_ADDRESS
    }
    return this.#stack.send(port, number, bytes, hostOrder(to), swapped(toPort), socket)
  }
}

function swapped(word: number): number {
  return ((word & 0xff) << 8) | (word >>> 8)
}

function hostOrder(word: number): number {
  return ((swapped(word & 0xffff) << 16) | swapped(word >>> 16)) >>> 0
}
