/**
 * The virtio transport over memory-mapped registers, version 2 (virtio 1.2, 4.2), as a driver sees it: initialisation
 * and reset as a machine of short steps. `advance` makes one step and says when to make the next.
 */
import type { Environment } from './environment.ts'
import { enableQueue, type Virtqueue } from './virtqueue.ts'
import { VIRTIO_F, virtioMmio } from '../hw/spec/devices/virtio-mmio.ts'
import { withField } from '../hw/spec/registers.ts'

const { fields: status } = virtioMmio.Status
const ACKNOWLEDGE = withField(status.ACKNOWLEDGE, 0, 1)
const DRIVER = withField(status.DRIVER, 0, 1)
const FEATURES_OK = withField(status.FEATURES_OK, 0, 1)
const DRIVER_OK = withField(status.DRIVER_OK, 0, 1)
const NEEDS_RESET = withField(status.DEVICE_NEEDS_RESET, 0, 1)
const FAILED = withField(status.FAILED, 0, 1)
const EVENT_IDX = 1 << VIRTIO_F.EVENT_IDX
const VERSION_1 = 1 << (VIRTIO_F.VERSION_1 - 32)
const ACCESS_PLATFORM = 1 << (VIRTIO_F.ACCESS_PLATFORM - 32)

export const USED_BUFFER = withField(virtioMmio.InterruptStatus.fields.UsedBuffer, 0, 1)
export const CONFIGURATION_CHANGE = withField(virtioMmio.InterruptStatus.fields.ConfigurationChange, 0, 1)

/** Phases of a transport's life, in their order; a failure leads from any to FAILING. */
const CREATED = 0
const RESETTING = 1
const NEGOTIATING = 2
const QUEUEING = 3
const CONFIGURING = 4
const RUNNING = 5
const FAILING = 6
const STOPPING = 7
const STOPPED = 8
const STUCK = 9

const FAILURES = [
  '',
  'no virtio device of this kind',
  'the device did not reset',
  'the device refused the features',
  'a queue is missing or too short',
  'device lost',
  'the device does not stop',
] as const
const NO_DEVICE = 1
const NO_RESET = 2
const NO_FEATURES = 3
const NO_QUEUE = 4
const LOST = 5
const NO_STOP = 6

const RESET_MICROSECONDS = 100
const RESET_TRIES = 1000

/** From `advance`: nothing more to be called. */
export const OVER = -1
/** From `advance`: the driver reads its configuration space now, then calls `running`. */
export const CONFIGURE = -2
/** From `advance`: the device has let go of all memory, which the driver frees now. */
export const RELEASE = -3

export interface VirtioTransport {
  readonly env: Environment
  readonly id: number
  /** The feature bits of word 0 that the driver understands. */
  readonly wanted: number
  readonly queues: readonly Virtqueue[]
  readonly state: { phase: number; failure: number; tries: number; queue: number; features: number }
}

/** The transport's variables; the device is left alone. `id` is the DeviceID to be found. */
export function makeTransport(
  env: Environment,
  id: number,
  wanted: number,
  queues: readonly Virtqueue[],
): VirtioTransport {
  const state = env.state('transport', { phase: CREATED, failure: 0, tries: 0, queue: 0, features: 0 })
  return { env, id, wanted: wanted | EVENT_IDX, queues, state }
}

/** Checks that the right device is there and begins its reset. `advance` is called next, if this is true. */
export function begin(transport: VirtioTransport): boolean {
  const { env, state } = transport
  const { device } = env
  if (state.phase !== CREATED) return false
  if (
    device.read(virtioMmio.MagicValue) !== virtioMmio.MagicValue.reset ||
    device.read(virtioMmio.Version) !== virtioMmio.Version.reset ||
    device.read(virtioMmio.DeviceID) !== transport.id
  ) {
    state.failure = NO_DEVICE
    state.phase = FAILING
    return false
  }
  device.write(virtioMmio.Status, 0)
  state.phase = RESETTING
  return true
}

/** One step. Returns microseconds until the next (0: as soon as may be), or OVER, CONFIGURE or RELEASE. */
export function advance(transport: VirtioTransport): number {
  const { state } = transport
  if (state.phase === RESETTING) return awaitReset(transport)
  if (state.phase === NEGOTIATING) return negotiate(transport)
  if (state.phase === QUEUEING) return queueUp(transport)
  if (state.phase === STOPPING) return awaitStop(transport)
  return OVER
}

function awaitReset(transport: VirtioTransport): number {
  const { env, state } = transport
  if (env.device.read(virtioMmio.Status) === 0) {
    state.phase = NEGOTIATING
    return 0
  }
  state.tries += 1
  return state.tries < RESET_TRIES ? RESET_MICROSECONDS : fail(transport, NO_RESET)
}

/** Steps 2 to 6 of virtio 1.2, 3.1.1. */
function negotiate(transport: VirtioTransport): number {
  const { env, state } = transport
  const { device } = env
  device.write(virtioMmio.Status, ACKNOWLEDGE)
  device.write(virtioMmio.Status, ACKNOWLEDGE | DRIVER)
  device.write(virtioMmio.DeviceFeaturesSel, 0)
  const low = device.read(virtioMmio.DeviceFeatures) & transport.wanted
  device.write(virtioMmio.DeviceFeaturesSel, 1)
  const high = device.read(virtioMmio.DeviceFeatures) & (VERSION_1 | ACCESS_PLATFORM)
  if ((high & VERSION_1) === 0) return fail(transport, NO_FEATURES)
  device.write(virtioMmio.DriverFeaturesSel, 0)
  device.write(virtioMmio.DriverFeatures, low >>> 0)
  device.write(virtioMmio.DriverFeaturesSel, 1)
  device.write(virtioMmio.DriverFeatures, high)
  device.write(virtioMmio.Status, ACKNOWLEDGE | DRIVER | FEATURES_OK)
  if ((device.read(virtioMmio.Status) & FEATURES_OK) === 0) return fail(transport, NO_FEATURES)
  state.features = low
  state.phase = QUEUEING
  return 0
}

function queueUp(transport: VirtioTransport): number {
  const { env, state, queues } = transport
  const queue = queues[state.queue]
  if (queue === undefined) {
    state.phase = CONFIGURING
    return CONFIGURE
  }
  if (!enableQueue(env, queue, (state.features & EVENT_IDX) !== 0)) return fail(transport, NO_QUEUE)
  state.queue += 1
  return 0
}

/** The driver has read its configuration: the device may begin. */
export function running(transport: VirtioTransport): void {
  const { env, state } = transport
  env.device.write(virtioMmio.Status, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)
  state.phase = RUNNING
}

function awaitStop(transport: VirtioTransport): number {
  const { env, state } = transport
  if (env.device.read(virtioMmio.Status) === 0) {
    state.phase = STOPPED
    return RELEASE
  }
  state.tries += 1
  if (state.tries < RESET_TRIES) return RESET_MICROSECONDS
  state.phase = STUCK
  state.failure = NO_STOP
  return OVER
}

function fail(transport: VirtioTransport, why: number): number {
  const { env, state } = transport
  state.failure = why
  state.phase = FAILING
  env.device.write(virtioMmio.Status, FAILED)
  maskInterrupts(env)
  return OVER
}

/** A device that is not listened to any more must not be able to keep the hart busy. */
function maskInterrupts(env: Environment): void {
  const { interrupts } = env
  for (let i = 0; i < interrupts.length; i++) interrupts[i].mask()
}

/** The device said or did what cannot be believed: it is reset, and stays so. */
export function lose(transport: VirtioTransport): void {
  const { env, state } = transport
  if (state.phase >= FAILING) return
  state.failure = LOST
  state.phase = FAILING
  env.device.write(virtioMmio.Status, 0)
  maskInterrupts(env)
}

/** Begins to stop. `advance` is called next, if this is true. */
export function beginStop(transport: VirtioTransport): boolean {
  const { env, state } = transport
  if (state.phase >= STOPPING) return false
  maskInterrupts(env)
  env.device.write(virtioMmio.Status, 0)
  state.phase = STOPPING
  state.tries = 0
  return true
}

export function isRunning(transport: VirtioTransport): boolean {
  return transport.state.phase === RUNNING
}

/** True when outstanding requests will never be answered: the device has failed, or has been stopped. */
export function isOver(transport: VirtioTransport): boolean {
  const { phase } = transport.state
  return phase === FAILING || phase >= STOPPED
}

export function isStopped(transport: VirtioTransport): boolean {
  return transport.state.phase === STOPPED
}

export function failureOf(transport: VirtioTransport): string {
  return FAILURES[transport.state.failure] ?? ''
}

/**
 * Acknowledges an interrupt and says what it was for (USED_BUFFER, CONFIGURATION_CHANGE, both, or 0 if it was not ours).
 * A device that asks to be reset is lost.
 */
export function acknowledge(transport: VirtioTransport): number {
  const { device } = transport.env
  const cause = device.read(virtioMmio.InterruptStatus) & (USED_BUFFER | CONFIGURATION_CHANGE)
  if (cause === 0) return 0
  device.write(virtioMmio.InterruptACK, cause)
  if ((cause & CONFIGURATION_CHANGE) !== 0 && (device.read(virtioMmio.Status) & NEEDS_RESET) !== 0) {
    lose(transport)
    return 0
  }
  return cause
}
