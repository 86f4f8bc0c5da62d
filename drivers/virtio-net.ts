/** The guest's driver of a virtio network device over virtio-mmio (virtio 1.2, 5.1): one queue pair, no offloads. */
import type { Environment, NetworkDevice } from './environment.ts'
import {
  acknowledge,
  advance,
  begin,
  beginStop,
  CONFIGURATION_CHANGE,
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
  aimDescriptor,
  BROKEN,
  makeVirtqueue,
  NONE,
  offerChain,
  queueSize,
  rearm,
  takeUsed,
  writeDescriptor,
} from './virtqueue.ts'
import { VIRTIO_ID } from '../hw/spec/devices/virtio-mmio.ts'
import {
  VIRTIO_NET_F,
  VIRTIO_NET_RECEIVEQ,
  VIRTIO_NET_TRANSMITQ,
  virtioNetConfig,
  virtioNetHdr,
} from '../hw/spec/layouts/virtio-net.ts'
import { VIRTQ_DESC_F_NEXT, VIRTQ_DESC_F_WRITE } from '../hw/spec/layouts/virtqueue.ts'
import { withField } from '../hw/spec/registers.ts'

const HEADER_BYTES = virtioNetHdr.size
const MAC = 1 << VIRTIO_NET_F.MAC
const STATUS = 1 << VIRTIO_NET_F.STATUS
const LINK_UP = withField(virtioNetConfig.status.fields.LINK_UP, 0, 1)
const MAC_BYTES = 6
/** A station address of one's own choosing, where the device has none: locally administered (virtio 1.2, 5.1.4.2). */
const LOCAL_ADDRESS = 0x02

/** Per tag: descriptors for the header and the frame. */
const CHAIN = 2
/** Headers lie at this distance; that of all frames sent, always zero, comes before those of the buffers provided. */
const HEADER_SLOT = 16
const BUDGET = 64

export interface VirtioNetConfig {
  /** Buffers at a time, each way. */
  readonly queueDepth: number
}

/** Without interrupts in its environment the driver tells the device to send none, and relies on `poll`. */
export function virtioNet(env: Environment, config: VirtioNetConfig): NetworkDevice {
  const { device, dma, time } = env
  const depth = config.queueDepth
  const size = queueSize(depth * CHAIN)
  const receiveq = makeVirtqueue(env, 'receiveq', VIRTIO_NET_RECEIVEQ, size)
  const transmitq = makeVirtqueue(env, 'transmitq', VIRTIO_NET_TRANSMITQ, size)
  const headers = dma.allocate((depth + 1) * HEADER_SLOT)
  const transport = makeTransport(env, VIRTIO_ID.network, MAC | STATUS, [receiveq, transmitq])
  const state = env.state<{ linkUp: boolean }>('station', { linkUp: false })
  const address = env.state('address', new Int32Array(MAC_BYTES))
  /** Per tag: whether the device has the frame to be sent, and the room in the buffer provided (0: it has none). */
  const sending = env.state('sending', new Int32Array(depth))
  const room = env.state('room', new Int32Array(depth))
  const unheardTransmitted: (tag: number) => void = () => {}
  const unheardReceived: (tag: number, bytes: number) => void = () => {}
  let transmitted = unheardTransmitted
  let received = unheardReceived

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
    if ((transport.state.features & MAC) === 0) address[0] = LOCAL_ADDRESS
    else for (let i = 0; i < MAC_BYTES; i++) address[i] = device.read(virtioNetConfig.mac, i)
    readLink()
    prepare()
    running(transport)
  }

  function readLink(): void {
    state.linkUp = (transport.state.features & STATUS) === 0 || (device.read(virtioNetConfig.status) & LINK_UP) !== 0
  }

  /** What is the same in every frame of a tag is written once. */
  function prepare(): void {
    for (let tag = 0; tag < depth; tag++) {
      const head = tag * CHAIN
      writeDescriptor(transmitq, head, headers.device, HEADER_BYTES, VIRTQ_DESC_F_NEXT, head + 1)
      writeDescriptor(transmitq, head + 1, 0, 0, 0, 0)
      writeDescriptor(
        receiveq,
        head,
        headers.device + (tag + 1) * HEADER_SLOT,
        HEADER_BYTES,
        VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE,
        head + 1,
      )
      writeDescriptor(receiveq, head + 1, 0, 0, VIRTQ_DESC_F_WRITE, 0)
    }
  }

  function transmit(tag: number, frame: number, bytes: number): boolean {
    if (!isRunning(transport) || tag < 0 || tag >= depth || sending[tag] !== 0 || bytes < 1) return false
    sending[tag] = 1
    aimDescriptor(transmitq, tag * CHAIN + 1, frame, bytes)
    offerChain(env, transmitq, tag * CHAIN)
    return true
  }

  function provide(tag: number, buffer: number, bytes: number): boolean {
    if (!isRunning(transport) || tag < 0 || tag >= depth || room[tag] !== 0 || bytes < 1) return false
    room[tag] = bytes
    aimDescriptor(receiveq, tag * CHAIN + 1, buffer, bytes)
    offerChain(env, receiveq, tag * CHAIN)
    return true
  }

  function poll(budget: number): number {
    let done = 0
    while (done < budget && isRunning(transport)) {
      const head = takeUsed(env, receiveq)
      if (head === NONE) break
      if (head === BROKEN || !takeReceived(head)) lose(transport)
      else done += 1
    }
    while (done < budget && isRunning(transport)) {
      const head = takeUsed(env, transmitq)
      if (head === NONE) break
      if (head === BROKEN || !takeTransmitted(head)) lose(transport)
      else done += 1
    }
    return done
  }

  /** Handles one used chain. False if the device cannot mean it. */
  function takeReceived(head: number): boolean {
    const tag = (head / CHAIN) | 0
    if (tag * CHAIN !== head || tag >= depth) return false
    const bytes = receiveq.state.length - HEADER_BYTES
    if (room[tag] === 0 || bytes < 0 || bytes > room[tag]) return false
    room[tag] = 0
    received(tag, bytes)
    return true
  }

  function takeTransmitted(head: number): boolean {
    const tag = (head / CHAIN) | 0
    if (tag * CHAIN !== head || tag >= depth || sending[tag] === 0) return false
    sending[tag] = 0
    transmitted(tag)
    return true
  }

  function onInterrupt(): void {
    if (!isRunning(transport)) return
    const cause = acknowledge(transport)
    if ((cause & CONFIGURATION_CHANGE) !== 0) readLink()
    if ((cause & USED_BUFFER) !== 0) drain()
  }

  function drain(): void {
    if (poll(BUDGET) === BUDGET) time.defer(drain)
    else if (isRunning(transport)) {
      const receivedMore = rearm(env, receiveq)
      if (rearm(env, transmitq) || receivedMore) time.defer(drain)
    }
  }

  function stop(): void {
    if (beginStop(transport)) time.defer(step)
  }

  function release(): void {
    dma.free(headers)
    dma.free(transmitq.memory)
    dma.free(receiveq.memory)
  }

  time.entry('step', step)
  time.entry('drain', drain)
  if (env.interrupts.length > 0) env.interrupts[0].subscribe(onInterrupt)

  return {
    depth,
    start,
    ready: () => isRunning(transport),
    failure: () => failureOf(transport),
    stop,
    stopped: () => isStopped(transport),
    mac: () => [address[0], address[1], address[2], address[3], address[4], address[5]],
    linkUp: () => isRunning(transport) && state.linkUp,
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
