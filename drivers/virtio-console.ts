/** The guest's driver of a virtio console over virtio-mmio (virtio 1.2, 5.3): port 0, a character a buffer. */
import type { ConsoleDevice, Environment } from './environment.ts'
import {
  acknowledge,
  advance,
  begin,
  beginStop,
  CONFIGURE,
  failureOf,
  isRunning,
  isStopped,
  lose,
  makeTransport,
  OVER,
  RELEASE,
  running,
  USED_BUFFER,
} from './virtio-mmio.ts'
import {
  addChain,
  BROKEN,
  makeVirtqueue,
  NONE,
  notifyQueue,
  offerChain,
  rearm,
  takeUsed,
  writeDescriptor,
} from './virtqueue.ts'
import { VIRTIO_ID } from '../hw/spec/devices/virtio-mmio.ts'
import { VIRTIO_CONSOLE_RECEIVEQ, VIRTIO_CONSOLE_TRANSMITQ } from '../hw/spec/layouts/virtio-console.ts'
import { VIRTQ_DESC_F_WRITE } from '../hw/spec/layouts/virtqueue.ts'

/** Characters each way that the queues hold: one a descriptor. */
const SIZE = 64

/** Without interrupts in its environment the driver tells the device to send none; `get` and `put` look for themselves. */
export function virtioConsole(env: Environment): ConsoleDevice {
  const { dma, time } = env
  const receiveq = makeVirtqueue(env, 'receiveq', VIRTIO_CONSOLE_RECEIVEQ, SIZE)
  const transmitq = makeVirtqueue(env, 'transmitq', VIRTIO_CONSOLE_TRANSMITQ, SIZE, true)
  /** SIZE characters received, then SIZE to be sent. */
  const characters = dma.allocate(2 * SIZE)
  const transport = makeTransport(env, VIRTIO_ID.console, 0, [receiveq, transmitq])
  /** Per descriptor: 1 while the device has it. It always has all of the receive queue. */
  const sending = env.state('sending', new Int32Array(SIZE))
  const state = env.state('console', { next: 0 })
  const unheard: () => void = () => {}
  let input = unheard

  function start(): void {
    if (begin(transport)) time.defer(step)
  }

  function step(): void {
    const wait = advance(transport)
    if (wait === CONFIGURE) configure()
    else if (wait === RELEASE) release()
    else if (wait > 0) time.after(wait, step)
    else if (wait !== OVER) time.defer(step)
  }

  function configure(): void {
    for (let i = 0; i < SIZE; i++) {
      writeDescriptor(receiveq, i, characters.device + i, 1, VIRTQ_DESC_F_WRITE, 0)
      writeDescriptor(transmitq, i, characters.device + SIZE + i, 1, 0, 0)
      addChain(env, receiveq, i)
    }
    running(transport)
    dma.fence()
    notifyQueue(env, receiveq)
  }

  function put(byte: number): boolean {
    if (!isRunning(transport)) return false
    reclaim()
    const at = state.next
    if (!isRunning(transport) || sending[at] === 1) return false
    sending[at] = 1
    state.next = (at + 1) & (SIZE - 1)
    characters.write8(SIZE + at, byte)
    offerChain(env, transmitq, at)
    return true
  }

  /** Takes back descriptors that have been sent: two a character at most, so that a flood of them cannot hold the caller up. */
  function reclaim(): void {
    for (let i = 0; i < 2; i++) {
      const at = takeUsed(env, transmitq)
      if (at === NONE) return
      if (at === BROKEN || sending[at] === 0) {
        lose(transport)
        return
      }
      sending[at] = 0
    }
  }

  function get(): number {
    if (!isRunning(transport)) return -1
    const at = takeUsed(env, receiveq)
    if (at === NONE) return -1
    if (at === BROKEN || receiveq.state.length !== 1) {
      lose(transport)
      return -1
    }
    const byte = characters.read8(at)
    offerChain(env, receiveq, at)
    return byte
  }

  function onInterrupt(): void {
    if (isRunning(transport) && (acknowledge(transport) & USED_BUFFER) !== 0) announce()
  }

  function announce(): void {
    input()
    if (isRunning(transport) && rearm(env, receiveq)) time.defer(announce)
  }

  function stop(): void {
    if (beginStop(transport)) time.defer(step)
  }

  function release(): void {
    dma.free(characters)
    dma.free(transmitq.memory)
    dma.free(receiveq.memory)
  }

  time.entry('step', step)
  time.entry('announce', announce)
  if (env.interrupts.length > 0) env.interrupts[0].subscribe(onInterrupt)

  return {
    start,
    ready: () => isRunning(transport),
    failure: () => failureOf(transport),
    stop,
    stopped: () => isStopped(transport),
    put,
    get,
    onInput(heard) {
      input = heard
    },
  }
}
