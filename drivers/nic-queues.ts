/**
 * The queue pair of an 82576, as the physical and the virtual functions alike have it: one ring each way of advanced
 * descriptors, a buffer a frame. How the function is reset and how it interrupts is its own driver's.
 */
import type { Environment } from './environment.ts'
import { headAt, makeRing, pop, push, ringBytes, tailAt } from './nic-ring.ts'
import { nic } from '../hw/spec/devices/nic.ts'
import { receiveRead, receiveWriteBack, TRANSMIT_TYPE, transmitData } from '../hw/spec/layouts/nic-descriptors.ts'
import { withField } from '../hw/spec/registers.ts'
import type { Readable, Writable } from '../hw/spec/registers.ts'

const RECEIVE_QUEUE_ENABLE = withField(nic.RXDCTL.fields.ENABLE, 0, 1)
const TRANSMIT_QUEUE_ENABLE = withField(nic.TXDCTL.fields.ENABLE, 0, 1)
/** One buffer a frame, of so many KiB; frames are dropped rather than the card held up when there is none. */
const BUFFER_KIB = 2
const BUFFER_BYTES = BUFFER_KIB * 1024
const ADVANCED_ONE_BUFFER = 1
const RECEIVE_QUEUE =
  withField(nic.SRRCTL.fields.BSIZEPACKET, 0, BUFFER_KIB) |
  withField(nic.SRRCTL.fields.DESCTYPE, 0, ADVANCED_ONE_BUFFER) |
  withField(nic.SRRCTL.fields.DROP_EN, 0, 1)

const PACKET = receiveRead.PACKET.at
const HEADER = receiveRead.HEADER.at
const RX_STATUS = receiveWriteBack.STATUS.at
const RX_LENGTH = receiveWriteBack.LENGTH.at
const RX_DONE = withField(receiveWriteBack.STATUS.fields.DD, 0, 1)
const RX_LAST = withField(receiveWriteBack.STATUS.fields.EOP, 0, 1)
const RX_ERROR = withField(receiveWriteBack.STATUS.fields.RXE, 0, 1)
const TX_ADDRESS = transmitData.ADDRESS.at
const TX_COMMAND = transmitData.COMMAND.at
const TX_OPTIONS = transmitData.OPTIONS.at
const TX_DONE = withField(transmitData.OPTIONS.fields.DD, 0, 1)
const PAYLOAD_SHIFT = transmitData.OPTIONS.fields.PAYLEN.low
const { fields: command } = transmitData.COMMAND
/** A whole frame in one descriptor, checksum appended, reported when done. */
const TX_FRAME =
  withField(command.DTYP, 0, TRANSMIT_TYPE.DATA) |
  withField(command.EOP, 0, 1) |
  withField(command.IFCS, 0, 1) |
  withField(command.RS, 0, 1) |
  withField(command.DEXT, 0, 1)
/** Ethernet's longest frame without its checksum, one VLAN tag included. */
const MAXIMUM_FRAME = 1518

/** What of a driver's variables its queue pairs share. */
export type QueueState = {
  /** {@link RUNNING} while frames may come and go. */
  phase: number
  /** 1 if anything has been sent since it was last looked at. */
  progress: number
}

/** The phase in which a driver's queues work. */
export const RUNNING = 4

type Both = Readable & Writable

/** The registers of a queue pair. */
export interface QueueRegisters {
  readonly RDBAL: Both
  readonly RDBAH: Both
  readonly RDLEN: Both
  readonly SRRCTL: Both
  readonly RDH: Both
  readonly RDT: Both
  readonly RXDCTL: Both
  readonly TDBAL: Both
  readonly TDBAH: Both
  readonly TDLEN: Both
  readonly TDH: Both
  readonly TDT: Both
  readonly TXDCTL: Both
}

/** Another queue's registers, of a table that has several. */
export function queueAt(table: QueueRegisters, index: number): QueueRegisters {
  return {
    RDBAL: moved(table.RDBAL, index),
    RDBAH: moved(table.RDBAH, index),
    RDLEN: moved(table.RDLEN, index),
    SRRCTL: moved(table.SRRCTL, index),
    RDH: moved(table.RDH, index),
    RDT: moved(table.RDT, index),
    RXDCTL: moved(table.RXDCTL, index),
    TDBAL: moved(table.TDBAL, index),
    TDBAH: moved(table.TDBAH, index),
    TDLEN: moved(table.TDLEN, index),
    TDH: moved(table.TDH, index),
    TDT: moved(table.TDT, index),
    TXDCTL: moved(table.TXDCTL, index),
  }
}

function moved(register: Both, index: number): Both {
  return { ...register, at: register.at + index * (register.stride ?? 0) }
}

export interface NicQueues {
  /** Tells the card where the rings are and switches them on. */
  program(): void
  /** True once both are on. */
  enabled(): boolean
  /** True while frames wait to be sent. */
  waiting(): boolean
  /** Gives the rings' memory back. */
  free(): void
  transmit(tag: number, frame: number, bytes: number): boolean
  provide(tag: number, buffer: number, bytes: number): boolean
  poll(budget: number): number
  onTransmitted(transmitted: (tag: number) => void): void
  onReceived(received: (tag: number, bytes: number) => void): void
}

const FIRST = 0

/**
 * `state` is the driver's; `lose` is called if the card has written what cannot be. Tags are below `depth`, and at a time
 * there are no more than `room`. `name` ends the names of this pair's variables.
 */
export function nicQueues(
  env: Environment,
  queue: QueueRegisters,
  depth: number,
  state: QueueState,
  lose: () => void,
  { name = '', room = depth }: { readonly name?: string; readonly room?: number } = {},
): NicQueues {
  const { device, dma } = env
  const named = (ring: string) => ({
    ring: `${ring}${name}`,
    tags: `${ring} tags${name}`,
    room: `${ring} room${name}`,
  })
  const receiver = makeRing(env, named('receiver'), room)
  const transmitter = makeRing(env, named('transmitter'), room)
  /** 1 while frames are being handed out; while buffers provided meanwhile are still to be told to the card. */
  const own = env.state(`queue${name}`, { polling: 0, owed: 0 })
  /** Per tag: 1 while the card has its buffer. */
  const sending = env.state(`sending${name}`, new Int32Array(depth))
  const receiving = env.state(`receiving${name}`, new Int32Array(depth))
  const unheardTransmitted: (tag: number) => void = () => {}
  const unheardReceived: (tag: number, bytes: number) => void = () => {}
  let transmitted = unheardTransmitted
  let received = unheardReceived

  /** 82576 4.5.9, 4.5.10: base, length, then the queue's enable bit, which comes true when the queue is. */
  function program(): void {
    const rx = receiver.memory.device
    device.write(queue.RDBAL, rx >>> 0, FIRST)
    device.write(queue.RDBAH, (rx - (rx >>> 0)) / 0x1_0000_0000, FIRST)
    device.write(queue.RDLEN, ringBytes(receiver), FIRST)
    device.write(queue.SRRCTL, RECEIVE_QUEUE >>> 0, FIRST)
    device.write(queue.RDH, 0, FIRST)
    device.write(queue.RDT, 0, FIRST)
    device.write(queue.RXDCTL, RECEIVE_QUEUE_ENABLE, FIRST)
    const tx = transmitter.memory.device
    device.write(queue.TDBAL, tx >>> 0, FIRST)
    device.write(queue.TDBAH, (tx - (tx >>> 0)) / 0x1_0000_0000, FIRST)
    device.write(queue.TDLEN, ringBytes(transmitter), FIRST)
    device.write(queue.TDH, 0, FIRST)
    device.write(queue.TDT, 0, FIRST)
    device.write(queue.TXDCTL, TRANSMIT_QUEUE_ENABLE, FIRST)
  }

  function enabled(): boolean {
    return (
      (device.read(queue.RXDCTL, FIRST) & RECEIVE_QUEUE_ENABLE) !== 0 &&
      (device.read(queue.TXDCTL, FIRST) & TRANSMIT_QUEUE_ENABLE) !== 0
    )
  }

  function transmit(tag: number, frame: number, bytes: number): boolean {
    if (state.phase !== RUNNING || tag < 0 || tag >= depth || sending[tag] !== 0 || bytes < 1 || bytes > MAXIMUM_FRAME)
      return false
    sending[tag] = 1
    const { memory } = transmitter
    const at = tailAt(transmitter)
    memory.write64(at + TX_ADDRESS, frame)
    memory.write32(at + TX_COMMAND, (TX_FRAME | bytes) >>> 0)
    memory.write32(at + TX_OPTIONS, bytes << PAYLOAD_SHIFT)
    push(transmitter, tag, bytes)
    dma.fence()
    device.write(queue.TDT, transmitter.state.tail, FIRST)
    return true
  }

  function provide(tag: number, buffer: number, bytes: number): boolean {
    if (state.phase !== RUNNING || tag < 0 || tag >= depth || receiving[tag] !== 0 || bytes < BUFFER_BYTES) return false
    receiving[tag] = 1
    const { memory } = receiver
    const at = tailAt(receiver)
    memory.write64(at + PACKET, buffer)
    memory.write64(at + HEADER, 0)
    push(receiver, tag, BUFFER_BYTES)
    // Buffers provided while frames are being handed out are told to the card once, at the end.
    if (own.polling === 1) own.owed = 1
    else tellProvided()
    return true
  }

  function tellProvided(): void {
    own.owed = 0
    dma.fence()
    device.write(queue.RDT, receiver.state.tail, FIRST)
  }

  function poll(budget: number): number {
    let done = 0
    own.polling = 1
    while (done < budget && state.phase === RUNNING && takeReceived()) done += 1
    while (done < budget && state.phase === RUNNING && takeTransmitted()) done += 1
    own.polling = 0
    if (own.owed === 1 && state.phase === RUNNING) tellProvided()
    return done
  }

  /** Hands out one frame, if one has come. */
  function takeReceived(): boolean {
    const at = headAt(receiver)
    if (at < 0) return false
    const { memory } = receiver
    const status = memory.read32(at + RX_STATUS)
    if ((status & RX_DONE) === 0) return false
    dma.fence()
    const bytes = memory.read16(at + RX_LENGTH)
    // Every frame that is let in fits one buffer.
    if ((status & RX_LAST) === 0 || bytes > receiver.room[receiver.state.head]) {
      lose()
      return false
    }
    const tag = pop(receiver)
    receiving[tag] = 0
    received(tag, (status & RX_ERROR) === 0 ? bytes : 0)
    return true
  }

  function takeTransmitted(): boolean {
    const at = headAt(transmitter)
    if (at < 0 || (transmitter.memory.read32(at + TX_OPTIONS) & TX_DONE) === 0) return false
    const tag = pop(transmitter)
    sending[tag] = 0
    state.progress = 1
    transmitted(tag)
    return true
  }

  return {
    program,
    enabled,
    waiting: () => headAt(transmitter) >= 0,
    free: () => {
      dma.free(transmitter.memory)
      dma.free(receiver.memory)
    },
    transmit,
    provide,
    poll,
    onTransmitted(heard) {
      transmitted = heard
    },
    onReceived(heard) {
      received = heard
    },
  }
}
