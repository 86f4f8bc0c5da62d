/**
 * The driver of an Intel 82576 port: one receive and one transmit queue with advanced descriptors, causes read from
 * ICR. Reset, initialisation and stopping are a machine of short steps driven by a timer.
 */
import type { Environment, NetworkDevice } from './environment.ts'
import { headAt, makeRing, pop, push, ringBytes, tailAt } from './nic-ring.ts'
import { nic } from '../hw/spec/devices/nic.ts'
import { receiveRead, receiveWriteBack, TRANSMIT_TYPE, transmitData } from '../hw/spec/layouts/nic-descriptors.ts'
import { withField } from '../hw/spec/registers.ts'

const QUEUE = 0
const ALL_ONES = 0xffff_ffff

const RESET = withField(nic.CTRL.fields.RST, 0, 1)
const SET_LINK_UP = withField(nic.CTRL.fields.SLU, 0, 1)
const MASTER_DISABLE = withField(nic.CTRL.fields.GIO_MASTER_DISABLE, 0, 1)
const LINK_UP = withField(nic.STATUS.fields.LU, 0, 1)
const MASTER_ENABLED = withField(nic.STATUS.fields.GIO_MASTER_ENABLE, 0, 1)
const NVM_READ = withField(nic.EEC.fields.AUTO_RD, 0, 1)
const ADDRESS_VALID = withField(nic.RAH.fields.AV, 0, 1)
const RECEIVE_QUEUE_ENABLE = withField(nic.RXDCTL.fields.ENABLE, 0, 1)
const TRANSMIT_QUEUE_ENABLE = withField(nic.TXDCTL.fields.ENABLE, 0, 1)
/** Broadcasts are let in, frames longer than Ethernet's are not, and the checksum at the end is taken off. */
const RECEIVE =
  withField(nic.RCTL.fields.RXEN, 0, 1) | withField(nic.RCTL.fields.BAM, 0, 1) | withField(nic.RCTL.fields.SECRC, 0, 1)
/** Every frame is let in, whomever it is for. */
const PROMISCUOUS = withField(nic.RCTL.fields.UPE, 0, 1) | withField(nic.RCTL.fields.MPE, 0, 1)
const TRANSMIT = withField(nic.TCTL.fields.EN, 0, 1) | withField(nic.TCTL.fields.PSP, 0, 1)
/** One buffer a frame, of so many KiB; frames are dropped rather than the card held up when there is none. */
const BUFFER_KIB = 2
const BUFFER_BYTES = BUFFER_KIB * 1024
const ADVANCED_ONE_BUFFER = 1
const RECEIVE_QUEUE =
  withField(nic.SRRCTL.fields.BSIZEPACKET, 0, BUFFER_KIB) |
  withField(nic.SRRCTL.fields.DESCTYPE, 0, ADVANCED_ONE_BUFFER) |
  withField(nic.SRRCTL.fields.DROP_EN, 0, 1)
const CAUSES =
  withField(nic.IMS.fields.TXDW, 0, 1) |
  withField(nic.IMS.fields.RXDMT0, 0, 1) |
  withField(nic.IMS.fields.RXMISS, 0, 1) |
  withField(nic.IMS.fields.RXDW, 0, 1)

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

const STEP_MICROSECONDS = 1000
const TRIES = 200
const WATCH_MICROSECONDS = 1_000_000
/** So many looks without progress, while the link is up and frames wait: the transmitter hangs. */
const HANG_LOOKS = 3
const MULTICAST_WORDS = nic.MTA.count
/** Words of the multicast table in one step; frames in one, unless given. */
const CLEARED = 64
const BUDGET = 64

const CREATED = 0
const RESETTING = 1
const CLEARING = 2
const ENABLING = 3
const RUNNING = 4
const FAILED = 5
const QUIESCING = 6
const LAST_RESET = 7
const STOPPED = 8
const STUCK = 9

const FAILURES = [
  '',
  'no network card',
  'the card did not reset',
  'the card has no station address',
  'device lost',
  'the card does not stop',
] as const
const NO_CARD = 1
const NO_RESET = 2
const NO_ADDRESS = 3
const LOST = 4
const NO_STOP = 5

export interface NicConfig {
  /** Buffers at a time, each way. */
  readonly queueDepth: number
  /** Microseconds between interrupts at least; 0 unless given. */
  readonly interruptInterval?: number
  /** Lets in frames for any station: its owner is a switch. */
  readonly promiscuous?: boolean
  /** Frames handled at an interrupt before others have their turn; 64 unless given. */
  readonly budget?: number
  /** Called at an interrupt in place of handling frames: the owner polls when it sees fit, and then calls `listen`. */
  readonly onWork?: () => void
}

/** The card, and for an owner that polls: interrupts again, at once if anything has happened since the last one. */
export interface NicDevice extends NetworkDevice {
  listen(): void
}

/** Buffers provided are of 2048 bytes or more. Without an interrupt in its environment the driver enables none. */
export function nicDriver(env: Environment, config: NicConfig): NicDevice {
  const { device, dma, time, interrupts } = env
  const depth = config.queueDepth
  const interval = config.interruptInterval === undefined ? 0 : config.interruptInterval
  const budget = config.budget === undefined ? BUDGET : config.budget
  const onWork = config.onWork
  const receive = config.promiscuous === true ? RECEIVE | PROMISCUOUS : RECEIVE
  const receiver = makeRing(env, { ring: 'receiver', tags: 'receiver tags', room: 'receiver room' }, depth)
  const transmitter = makeRing(env, { ring: 'transmitter', tags: 'transmitter tags', room: 'transmitter room' }, depth)
  const state = env.state('nic', {
    phase: CREATED,
    failure: 0,
    tries: 0,
    cleared: 0,
    polling: 0,
    owed: 0,
    progress: 0,
    looks: 0,
    low: 0,
    high: 0,
  })
  /** Per tag: 1 while the card has its buffer. */
  const sending = env.state('sending', new Int32Array(depth))
  const receiving = env.state('receiving', new Int32Array(depth))
  const unheardTransmitted: (tag: number) => void = () => {}
  const unheardReceived: (tag: number, bytes: number) => void = () => {}
  let transmitted = unheardTransmitted
  let received = unheardReceived

  function start(): void {
    if (state.phase !== CREATED) return
    if (device.read(nic.STATUS) === ALL_ONES) {
      fail(NO_CARD)
      return
    }
    reset(RESETTING)
  }

  function reset(phase: number): void {
    state.phase = phase
    state.tries = 0
    device.write(nic.IMC, ALL_ONES)
    device.write(nic.RCTL, 0)
    device.write(nic.TCTL, 0)
    device.write(nic.CTRL, (device.read(nic.CTRL) | RESET) >>> 0)
    time.after(STEP_MICROSECONDS, step)
  }

  function step(): void {
    const { phase } = state
    if (phase === RESETTING) awaitReset()
    else if (phase === CLEARING) clear()
    else if (phase === ENABLING) awaitEnabled()
    else if (phase === QUIESCING) awaitQuiet()
    else if (phase === LAST_RESET) awaitLastReset()
  }

  /** Waits another step, unless that has been enough of them: then false. */
  function again(): boolean {
    state.tries += 1
    if (state.tries > TRIES) return false
    time.after(STEP_MICROSECONDS, step)
    return true
  }

  function isReset(): boolean {
    const control = device.read(nic.CTRL)
    return control !== ALL_ONES && (control & RESET) === 0 && (device.read(nic.EEC) & NVM_READ) !== 0
  }

  /** After a reset the card has loaded its station address from the NVM (82576 4.2.1.6). */
  function awaitReset(): void {
    if (!isReset()) {
      if (!again()) fail(NO_RESET)
      return
    }
    device.write(nic.IMC, ALL_ONES)
    device.read(nic.ICR)
    const high = device.read(nic.RAH, 0)
    if ((high & ADDRESS_VALID) === 0) {
      fail(NO_ADDRESS)
      return
    }
    state.low = device.read(nic.RAL, 0)
    state.high = high & 0xffff
    device.write(nic.CTRL, (device.read(nic.CTRL) | SET_LINK_UP) >>> 0)
    state.phase = CLEARING
    state.cleared = 0
    time.defer(step)
  }

  /** The multicast table comes up undefined; a part of it at a time keeps each step short. */
  function clear(): void {
    const from = state.cleared
    const to = from + CLEARED < MULTICAST_WORDS ? from + CLEARED : MULTICAST_WORDS
    for (let i = from; i < to; i++) device.write(nic.MTA, 0, i)
    state.cleared = to
    if (to === MULTICAST_WORDS) enable()
    else time.defer(step)
  }

  /** 82576 4.5.9, 4.5.10: base, length, then the queue's enable bit, which comes true when the queue is. */
  function enable(): void {
    const rx = receiver.memory.device
    device.write(nic.RDBAL, rx >>> 0, QUEUE)
    device.write(nic.RDBAH, (rx - (rx >>> 0)) / 0x1_0000_0000, QUEUE)
    device.write(nic.RDLEN, ringBytes(receiver), QUEUE)
    device.write(nic.SRRCTL, RECEIVE_QUEUE >>> 0, QUEUE)
    device.write(nic.RDH, 0, QUEUE)
    device.write(nic.RDT, 0, QUEUE)
    device.write(nic.RXDCTL, RECEIVE_QUEUE_ENABLE, QUEUE)
    const tx = transmitter.memory.device
    device.write(nic.TDBAL, tx >>> 0, QUEUE)
    device.write(nic.TDBAH, (tx - (tx >>> 0)) / 0x1_0000_0000, QUEUE)
    device.write(nic.TDLEN, ringBytes(transmitter), QUEUE)
    device.write(nic.TDH, 0, QUEUE)
    device.write(nic.TDT, 0, QUEUE)
    device.write(nic.TXDCTL, TRANSMIT_QUEUE_ENABLE, QUEUE)
    state.phase = ENABLING
    state.tries = 0
    time.defer(step)
  }

  function awaitEnabled(): void {
    if (
      (device.read(nic.RXDCTL, QUEUE) & RECEIVE_QUEUE_ENABLE) === 0 ||
      (device.read(nic.TXDCTL, QUEUE) & TRANSMIT_QUEUE_ENABLE) === 0
    ) {
      if (!again()) fail(NO_RESET)
      return
    }
    device.write(nic.RCTL, receive)
    device.write(nic.TCTL, TRANSMIT)
    if (interrupts.length > 0) {
      device.write(nic.EITR, withField(nic.EITR.fields.INTERVAL, 0, interval), 0)
      device.write(nic.IMS, CAUSES)
    }
    state.phase = RUNNING
    time.after(WATCH_MICROSECONDS, watch)
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
    device.write(nic.TDT, transmitter.state.tail, QUEUE)
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
    if (state.polling === 1) state.owed = 1
    else tellProvided()
    return true
  }

  function tellProvided(): void {
    state.owed = 0
    dma.fence()
    device.write(nic.RDT, receiver.state.tail, QUEUE)
  }

  function poll(budget: number): number {
    let done = 0
    state.polling = 1
    while (done < budget && state.phase === RUNNING && takeReceived()) done += 1
    while (done < budget && state.phase === RUNNING && takeTransmitted()) done += 1
    state.polling = 0
    if (state.owed === 1 && state.phase === RUNNING) tellProvided()
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

  function onInterrupt(): void {
    if (state.phase !== RUNNING) return
    const causes = device.read(nic.ICR)
    if (causes === ALL_ONES) lose()
    else if ((causes & CAUSES) !== 0) attend()
  }

  function attend(): void {
    if (onWork === undefined) return drain()
    device.write(nic.IMC, CAUSES)
    onWork()
  }

  function listen(): void {
    device.write(nic.IMS, CAUSES)
  }

  function drain(): void {
    if (poll(budget) === budget) time.defer(drain)
  }

  /** Now and then: finds frames whose interrupt was lost, and a transmitter that hangs. */
  function watch(): void {
    if (state.phase !== RUNNING) return
    if (interrupts.length > 0) attend()
    if (state.phase !== RUNNING) return
    const status = device.read(nic.STATUS)
    if (state.progress === 1 || headAt(transmitter) < 0 || (status & LINK_UP) === 0) state.looks = 0
    else state.looks += 1
    state.progress = 0
    if (status === ALL_ONES || state.looks >= HANG_LOOKS) lose()
    else time.after(WATCH_MICROSECONDS, watch)
  }

  function maskInterrupts(): void {
    for (let i = 0; i < interrupts.length; i++) interrupts[i].mask()
  }

  function fail(why: number): void {
    state.failure = why
    state.phase = FAILED
  }

  /** The card said or did what cannot be believed: it is reset, and stays so. */
  function lose(): void {
    maskInterrupts()
    device.write(nic.IMC, ALL_ONES)
    device.write(nic.CTRL, RESET)
    fail(LOST)
  }

  /** 82576 5.2.3.3: no new request to memory first, then the reset. */
  function stop(): void {
    if (state.phase >= QUIESCING) return
    maskInterrupts()
    state.phase = QUIESCING
    state.tries = 0
    device.write(nic.IMC, ALL_ONES)
    device.write(nic.RCTL, 0)
    device.write(nic.TCTL, 0)
    device.write(nic.CTRL, (device.read(nic.CTRL) | MASTER_DISABLE) >>> 0)
    time.after(STEP_MICROSECONDS, step)
  }

  function awaitQuiet(): void {
    if ((device.read(nic.STATUS) & MASTER_ENABLED) !== 0 && again()) return
    reset(LAST_RESET)
  }

  function awaitLastReset(): void {
    if (isReset()) {
      state.phase = STOPPED
      dma.free(transmitter.memory)
      dma.free(receiver.memory)
    } else if (!again()) {
      state.failure = NO_STOP
      state.phase = STUCK
    }
  }

  time.entry('step', step)
  time.entry('drain', drain)
  time.entry('watch', watch)
  if (interrupts.length > 0) interrupts[0].subscribe(onInterrupt)

  return {
    depth,
    start,
    ready: () => state.phase === RUNNING,
    failure: () => FAILURES[state.failure],
    stop,
    stopped: () => state.phase === STOPPED,
    mac: () => [
      state.low & 0xff,
      (state.low >>> 8) & 0xff,
      (state.low >>> 16) & 0xff,
      state.low >>> 24,
      state.high & 0xff,
      state.high >>> 8,
    ],
    linkUp: () => state.phase === RUNNING && (device.read(nic.STATUS) & LINK_UP) !== 0,
    transmit,
    provide,
    poll,
    listen,
    onTransmitted(heard) {
      transmitted = heard
    },
    onReceived(heard) {
      received = heard
    },
  }
}
