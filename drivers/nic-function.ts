/**
 * The driver of one virtual function of an 82576: the queue pair of ./nic-queues.ts, reset and station address by the
 * mailbox of the physical function's driver, one message interrupt that says no more than that there is work.
 */
import type { Environment } from './environment.ts'
import type { NicDevice } from './nic.ts'
import { nicQueues, RUNNING } from './nic-queues.ts'
import { MAILBOX, nicFunction as vf } from '../hw/spec/devices/nic-function.ts'
import { withField } from '../hw/spec/registers.ts'

const ALL_ONES = 0xffff_ffff
const RESET = withField(vf.VTCTRL.fields.RST, 0, 1)
const LINK_UP = withField(vf.VTSTATUS.fields.LU, 0, 1)
const REQUEST = withField(vf.V2PMAILBOX.fields.REQ, 0, 1)
const ACKNOWLEDGE = withField(vf.V2PMAILBOX.fields.ACK, 0, 1)
const TAKE = withField(vf.V2PMAILBOX.fields.VFU, 0, 1)
const ANSWERED = withField(vf.V2PMAILBOX.fields.PFSTS, 0, 1)
/** The physical function is being reset, or has been. */
const PHYSICAL_RESET = withField(vf.V2PMAILBOX.fields.RSTI, 0, 1)
const RECEIVER_ENABLED = withField(vf.RXDCTL.fields.ENABLE, 0, 1)
/** The first vector is for both directions of the first queue, and clears its cause by being sent. */
const VECTOR = 1
const VECTORS = 7
const QUEUES = withField(vf.VTIVAR.fields.RX_0_VALID, 0, 1) | withField(vf.VTIVAR.fields.TX_0_VALID, 0, 1)

const STEP_MICROSECONDS = 1000
const TRIES = 200
const WATCH_MICROSECONDS = 1_000_000
/** So many looks without progress, while the link is up and frames wait: the transmitter hangs. */
const HANG_LOOKS = 3
const BUDGET = 64

const CREATED = 0
const RESETTING = 1
const ASKING = 2
const ENABLING = 3
const FAILED = 5
const STOPPING = 6
const STOPPED = 7
const STUCK = 8

const FAILURES = [
  '',
  'no network card',
  'the physical function does not let the virtual one begin',
  'the physical function does not answer',
  'the virtual function has been given no station address',
  'the queues were not enabled',
  'device lost',
  'the virtual function does not stop',
] as const
const NO_CARD = 1
const NO_RESET = 2
const NO_ANSWER = 3
const NO_ADDRESS = 4
const NO_QUEUES = 5
const LOST = 6
const NO_STOP = 7

export interface NicFunctionConfig {
  /** Buffers at a time, each way. */
  readonly queueDepth: number
  /** Microseconds between interrupts at least; 0 unless given. */
  readonly interruptInterval?: number
  /** Frames handled at an interrupt before others have their turn; 64 unless given. */
  readonly budget?: number
  /** Called at an interrupt in place of handling frames: the owner polls when it sees fit, and then calls `listen`. */
  readonly onWork?: () => void
}

/** Buffers provided are of 2048 bytes or more. Without an interrupt in its environment (vector 0) the driver enables none. */
export function nicFunctionDriver(env: Environment, config: NicFunctionConfig): NicDevice {
  const { device, time, interrupts } = env
  const depth = config.queueDepth
  const interval = config.interruptInterval === undefined ? 0 : config.interruptInterval
  const budget = config.budget === undefined ? BUDGET : config.budget
  const onWork = config.onWork
  const state = env.state('nic function', {
    phase: CREATED,
    failure: 0,
    tries: 0,
    progress: 0,
    looks: 0,
    low: 0,
    high: 0,
  })
  const queues = nicQueues(env, vf, depth, state, lose)
  const { poll } = queues

  function start(): void {
    if (state.phase !== CREATED) return
    if (device.read(vf.VTSTATUS) === ALL_ONES) {
      fail(NO_CARD)
      return
    }
    state.phase = RESETTING
    state.tries = 0
    device.write(vf.VTEIMC, VECTORS)
    device.write(vf.VTCTRL, RESET)
    time.after(STEP_MICROSECONDS, step)
  }

  function step(): void {
    const { phase } = state
    if (phase === RESETTING) awaitReset()
    else if (phase === ASKING) awaitAnswer()
    else if (phase === ENABLING) awaitEnabled()
    else if (phase === STOPPING) awaitStopped()
  }

  /** Waits another step, unless that has been enough of them: then false. */
  function again(): boolean {
    state.tries += 1
    if (state.tries > TRIES) return false
    time.after(STEP_MICROSECONDS, step)
    return true
  }

  /** Not before the physical function says that its own reset is over, and leaves us the buffer. */
  function awaitReset(): void {
    if ((device.read(vf.V2PMAILBOX) & PHYSICAL_RESET) !== 0 || !take()) {
      if (!again()) fail(NO_RESET)
      return
    }
    device.write(vf.VMBMEM, MAILBOX.RESET, 0)
    device.write(vf.V2PMAILBOX, REQUEST)
    state.phase = ASKING
    state.tries = 0
    time.after(STEP_MICROSECONDS, step)
  }

  function take(): boolean {
    device.write(vf.V2PMAILBOX, TAKE)
    return (device.read(vf.V2PMAILBOX) & TAKE) !== 0
  }

  function awaitAnswer(): void {
    if ((device.read(vf.V2PMAILBOX) & ANSWERED) === 0) {
      if (!again()) fail(NO_ANSWER)
      return
    }
    const done = (MAILBOX.RESET | MAILBOX.DONE) >>> 0
    const answer = (device.read(vf.VMBMEM, 0) & ~MAILBOX.CLEAR_TO_SEND) >>> 0
    state.low = device.read(vf.VMBMEM, 1)
    state.high = device.read(vf.VMBMEM, 2) & 0xffff
    device.write(vf.V2PMAILBOX, ACKNOWLEDGE)
    if (answer !== done) {
      fail(NO_ADDRESS)
      return
    }
    queues.program()
    state.phase = ENABLING
    state.tries = 0
    time.defer(step)
  }

  function awaitEnabled(): void {
    if (!queues.enabled()) {
      if (!again()) fail(NO_QUEUES)
      return
    }
    if (interrupts.length > 0) {
      device.write(vf.VTIVAR, QUEUES)
      device.write(vf.VTEITR, withField(vf.VTEITR.fields.INTERVAL, 0, interval), 0)
      device.write(vf.VTEIAC, VECTOR)
      device.write(vf.VTEIMS, VECTOR)
    }
    state.phase = RUNNING
    time.after(WATCH_MICROSECONDS, watch)
  }

  function onInterrupt(): void {
    if (state.phase === RUNNING) attend()
  }

  function attend(): void {
    if (onWork === undefined) return drain()
    device.write(vf.VTEIMC, VECTOR)
    onWork()
  }

  function listen(): void {
    device.write(vf.VTEIMS, VECTOR)
  }

  function drain(): void {
    if (poll(budget) === budget) time.defer(drain)
  }

  /** Now and then: finds frames whose interrupt was lost, a transmitter that hangs, a physical function that was reset. */
  function watch(): void {
    if (state.phase !== RUNNING) return
    if (interrupts.length > 0) attend()
    if (state.phase !== RUNNING) return
    const status = device.read(vf.VTSTATUS)
    if (state.progress === 1 || !queues.waiting() || (status & LINK_UP) === 0) state.looks = 0
    else state.looks += 1
    state.progress = 0
    const gone = status === ALL_ONES || (device.read(vf.V2PMAILBOX) & PHYSICAL_RESET) !== 0
    if (gone || state.looks >= HANG_LOOKS) lose()
    else time.after(WATCH_MICROSECONDS, watch)
  }

  function maskInterrupts(): void {
    for (let i = 0; i < interrupts.length; i++) interrupts[i].mask()
  }

  function fail(why: number): void {
    state.failure = why
    state.phase = FAILED
  }

  /** The card said or did what cannot be believed: our part of it is reset, and stays so. */
  function lose(): void {
    maskInterrupts()
    device.write(vf.VTEIMC, VECTORS)
    device.write(vf.VTCTRL, RESET)
    fail(LOST)
  }

  /** A reset stops the queues: there is no request to memory after it. */
  function stop(): void {
    if (state.phase >= STOPPING) return
    maskInterrupts()
    state.phase = STOPPING
    state.tries = 0
    device.write(vf.VTEIMC, VECTORS)
    device.write(vf.VTCTRL, RESET)
    time.after(STEP_MICROSECONDS, step)
  }

  function awaitStopped(): void {
    const control = device.read(vf.RXDCTL, 0)
    if (control !== ALL_ONES && (control & RECEIVER_ENABLED) === 0) {
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
    linkUp: () => state.phase === RUNNING && (device.read(vf.VTSTATUS) & LINK_UP) !== 0,
    transmit: queues.transmit,
    provide: queues.provide,
    poll,
    listen,
    functions: undefined,
    onTransmitted: queues.onTransmitted,
    onReceived: queues.onReceived,
  }
}
