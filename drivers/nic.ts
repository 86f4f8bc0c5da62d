/**
 * The driver of an Intel 82576 port: receive and transmit queues with advanced descriptors, a pair or several, causes read from
 * ICR. Reset, initialisation and stopping are a machine of short steps driven by a timer.
 */
import type { Environment, NetworkDevice } from './environment.ts'
import { nicFunctions, type NicFunctions, type NicFunctionsConfig } from './nic-functions.ts'
import { nicQueues, queueAt, RUNNING } from './nic-queues.ts'
import { scaledQueues } from './nic-scaling.ts'
import { nic } from '../hw/spec/devices/nic.ts'
import { withField } from '../hw/spec/registers.ts'

const ALL_ONES = 0xffff_ffff

const RESET = withField(nic.CTRL.fields.RST, 0, 1)
const SET_LINK_UP = withField(nic.CTRL.fields.SLU, 0, 1)
const MASTER_DISABLE = withField(nic.CTRL.fields.GIO_MASTER_DISABLE, 0, 1)
const LINK_UP = withField(nic.STATUS.fields.LU, 0, 1)
const MASTER_ENABLED = withField(nic.STATUS.fields.GIO_MASTER_ENABLE, 0, 1)
const NVM_READ = withField(nic.EEC.fields.AUTO_RD, 0, 1)
const ADDRESS_VALID = withField(nic.RAH.fields.AV, 0, 1)
/** Broadcasts are let in, frames longer than Ethernet's are not, and the checksum at the end is taken off. */
const RECEIVE =
  withField(nic.RCTL.fields.RXEN, 0, 1) | withField(nic.RCTL.fields.BAM, 0, 1) | withField(nic.RCTL.fields.SECRC, 0, 1)
/** Every frame is let in, whomever it is for. */
const PROMISCUOUS = withField(nic.RCTL.fields.UPE, 0, 1) | withField(nic.RCTL.fields.MPE, 0, 1)
const TRANSMIT = withField(nic.TCTL.fields.EN, 0, 1) | withField(nic.TCTL.fields.PSP, 0, 1)
const CAUSES =
  withField(nic.IMS.fields.TXDW, 0, 1) |
  withField(nic.IMS.fields.RXDMT0, 0, 1) |
  withField(nic.IMS.fields.RXMISS, 0, 1) |
  withField(nic.IMS.fields.RXDW, 0, 1)
const MAILBOX = withField(nic.IMS.fields.VMMB, 0, 1)

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
  /** Queue pairs, 1 (unless given) to 8: a flow's frames keep to one of them (RSS). Not with virtual functions. */
  readonly queues?: number
  /** Microseconds between interrupts at least; 0 unless given. */
  readonly interruptInterval?: number
  /** Lets in frames for any station: its owner is a switch. */
  readonly promiscuous?: boolean
  /** Frames handled at an interrupt before others have their turn; 64 unless given. */
  readonly budget?: number
  /** Called at an interrupt in place of handling frames: the owner polls when it sees fit, and then calls `listen`. */
  readonly onWork?: () => void
  /**
   * An interrupt quiets the card, frames are handled some at a time until there are no more, and only then may it
   * interrupt again: not so unless given.
   */
  readonly adaptive?: boolean
  /** Virtual functions that the owner makes appear once the driver is ready: none unless given. */
  readonly functions?: NicFunctionsConfig
}

/** The card, and for an owner that polls: interrupts again, at once if anything has happened since the last one. */
export interface NicDevice extends NetworkDevice {
  listen(): void
  /** For an owner that gives virtual functions away; without interrupts it calls `attend` when it sees fit. */
  readonly functions: NicFunctions | undefined
}

/** Buffers provided are of 2048 bytes or more. Without an interrupt in its environment the driver enables none. */
export function nicDriver(env: Environment, config: NicConfig): NicDevice {
  const { device, time, interrupts } = env
  const depth = config.queueDepth
  const interval = config.interruptInterval === undefined ? 0 : config.interruptInterval
  const budget = config.budget === undefined ? BUDGET : config.budget
  const onWork = config.onWork
  const adaptive = config.adaptive === true && interrupts.length > 0
  const receive = config.promiscuous === true ? RECEIVE | PROMISCUOUS : RECEIVE
  const state = env.state('nic', {
    phase: CREATED,
    failure: 0,
    tries: 0,
    cleared: 0,
    progress: 0,
    looks: 0,
    low: 0,
    high: 0,
  })
  const functions = config.functions === undefined ? undefined : nicFunctions(env, config.functions)
  const isAlone = config.functions?.alone === true
  // the pool behind those of the virtual functions is ours
  const queue = functions === undefined ? nic : queueAt(nic, functions.count)
  const count = config.queues === undefined ? 1 : config.queues
  const queues = count === 1 ? nicQueues(env, queue, depth, state, lose) : scaledQueues(env, count, depth, state, lose)
  const { poll } = queues

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

  function enable(): void {
    queues.program()
    state.phase = ENABLING
    state.tries = 0
    time.defer(step)
  }

  function awaitEnabled(): void {
    if (!queues.enabled()) {
      if (!again()) fail(NO_RESET)
      return
    }
    if (functions !== undefined) functions.program(config.promiscuous === true)
    device.write(nic.RCTL, receive)
    device.write(nic.TCTL, TRANSMIT)
    if (interrupts.length > 0) {
      device.write(nic.EITR, withField(nic.EITR.fields.INTERVAL, 0, interval), 0)
      device.write(nic.IMS, functions === undefined ? CAUSES : isAlone ? MAILBOX : CAUSES | MAILBOX)
    }
    state.phase = RUNNING
    time.after(WATCH_MICROSECONDS, watch)
  }

  function onInterrupt(): void {
    if (state.phase !== RUNNING) return
    const causes = device.read(nic.ICR)
    if (causes === ALL_ONES) lose()
    else if ((causes & CAUSES) !== 0) attend()
  }

  /** As {@link onInterrupt}, where mailboxes may call as well. */
  function onInterruptOrCall(): void {
    if (state.phase !== RUNNING) return
    const causes = device.read(nic.ICR)
    if (causes === ALL_ONES) return lose()
    if (functions !== undefined && (causes & MAILBOX) !== 0) functions.attend()
    if ((causes & CAUSES) !== 0) attend()
  }

  function attend(): void {
    if (onWork === undefined && !adaptive) return drain()
    device.write(nic.IMC, CAUSES)
    if (onWork === undefined) round()
    else onWork()
  }

  /** While the card is quiet: the next frames, or interrupts again. */
  function round(): void {
    const done = poll(budget)
    if (state.phase !== RUNNING) return
    if (done === budget) time.defer(round)
    else listen()
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
    if (functions !== undefined) functions.attend()
    if (state.phase !== RUNNING) return
    const status = device.read(nic.STATUS)
    if (state.progress === 1 || !queues.waiting() || (status & LINK_UP) === 0) state.looks = 0
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
      queues.free()
    } else if (!again()) {
      state.failure = NO_STOP
      state.phase = STUCK
    }
  }

  time.entry('step', step)
  time.entry('drain', drain)
  time.entry('watch', watch)
  if (adaptive) time.entry('round', round)
  if (interrupts.length > 0) interrupts[0].subscribe(functions === undefined ? onInterrupt : onInterruptOrCall)

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
    transmit: queues.transmit,
    provide: queues.provide,
    poll,
    listen,
    functions,
    onTransmitted: queues.onTransmitted,
    onReceived: queues.onReceived,
  }
}
