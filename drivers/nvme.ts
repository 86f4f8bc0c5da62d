/**
 * The driver of an NVMe controller's first namespace (NVMe 1.4). Initialisation, recovery and stopping are a machine of
 * short steps driven by a timer; requests are driven by interrupts or, without any in its environment, by `poll`.
 */
import type { BlockDevice, Completion, Environment } from './environment.ts'
import {
  clearNvmeQueue,
  ENTRY_BYTES,
  makeNvmeQueue,
  NONE,
  type NvmeQueue,
  resultOf,
  ringHead,
  ringTail,
  takeCompletion,
} from './nvme-queue.ts'
import { ADMIN, CNS, FEATURE, NVM, nvme, SHUTDOWN, STATUS } from '../hw/spec/devices/nvme.ts'
import {
  completionEntry,
  createQueueCommand,
  identifyController,
  identifyNamespace,
  readWriteCommand,
  submissionEntry,
} from '../hw/spec/layouts/nvme.ts'
import { fieldOf, withField } from '../hw/spec/registers.ts'

const READY = withField(nvme.CSTS.fields.RDY, 0, 1)
const FATAL = withField(nvme.CSTS.fields.CFS, 0, 1)
/** IOSQES and IOCQES are powers of two: entries of 64 and 16 bytes. MPS 0: pages of 4 KiB. */
const ENABLED =
  withField(nvme.CC.fields.EN, 0, 1) | withField(nvme.CC.fields.IOSQES, 0, 6) | withField(nvme.CC.fields.IOCQES, 0, 4)
const SHUTTING_DOWN = ENABLED | withField(nvme.CC.fields.SHN, 0, 1)
const CID_SHIFT = submissionEntry.CDW0.fields.CID.low
const QSIZE_SHIFT = createQueueCommand.CDW10.fields.QSIZE.low
const CONTIGUOUS = withField(createQueueCommand.CDW11.fields.PC, 0, 1)
const INTERRUPTS = withField(createQueueCommand.CDW11.fields.IEN, 0, 1)
const VECTOR_SHIFT = createQueueCommand.CDW11.fields.IV.low
const CQID_SHIFT = createQueueCommand.CDW11.fields.CQID.low
const FORCE_UNIT_ACCESS = withField(readWriteCommand.CDW12.fields.FUA, 0, 1)
const MEDIA = 2
const STATUS_TYPE_SHIFT = completionEntry.DW3.fields.SCT.low - completionEntry.DW3.fields.SC.low
const LBA_FORMAT_BYTES = identifyNamespace.LBAF0.bytes
const ALL_ONES = 0xffff_ffff

const PAGE = 4096
const SECTOR_BYTES = 512
const SECTOR_SHIFT = 9
const NAMESPACE = 1
const ADMIN_ENTRIES = 8
/** A request has at most so many pages, besides the part of one that it may begin within: its PRP list's entries. */
const MAXIMUM_PAGES = 32
const LIST_BYTES = MAXIMUM_PAGES * 8

const STEP_MICROSECONDS = 100
/** CAP.TO counts in these. */
const TIMEOUT_UNIT = 500_000
const SHUTDOWN_MICROSECONDS = 5_000_000
const ANSWER_MICROSECONDS = 5_000_000
const DEFAULT_TIMEOUT = 1_000_000
/** Half-timeouts that a request may be old before it is aborted, and before the controller is reset. */
const ABORT_AGE = 2
const RESET_AGE = 4
/** Resets in a row, with no request completed between them, before the device is given up. */
const RESETS = 3
const BUDGET = 64

const CREATED = 0
const DISABLING = 1
const ENABLING = 2
const IDENTIFYING_CONTROLLER = 3
const IDENTIFYING_NAMESPACE = 4
const COUNTING_QUEUES = 5
const COALESCING = 6
const CREATING_COMPLETION_QUEUE = 7
const CREATING_SUBMISSION_QUEUE = 8
const RUNNING = 9
const FAILED = 10
const SHUTTING = 11
const STOPPING = 12
const STOPPED = 13
const STUCK = 14

const FAILURES = [
  '',
  'no NVMe controller',
  'the controller did not become ready',
  'the controller refused a command',
  'no namespace with sectors of 512 bytes',
  'device lost',
  'the controller does not stop',
] as const
const NO_CONTROLLER = 1
const NOT_READY = 2
const REFUSED = 3
const NO_NAMESPACE = 4
const LOST = 5
const NO_STOP = 6

const NAMES = ['admin', 'io 1', 'io 2', 'io 3', 'io 4', 'io 5', 'io 6', 'io 7', 'io 8'] as const

export interface NvmeConfig {
  /** Requests at a time, over all queues. */
  readonly queueDepth: number
  /** I/O queue pairs, 1 (unless given) to 8; a request's tag decides its queue. */
  readonly queues?: number
  /** Microseconds after which a request is overdue. */
  readonly timeout?: number
  /**
   * An interrupt masks the wires, completions are handled some at a time until there are no more, and only then are the
   * wires unmasked: not so unless given.
   */
  readonly adaptive?: boolean
  /** Completions handled at an interrupt before others have their turn; 64 unless given. */
  readonly budget?: number
  /** The controller interrupts for so many completions at once, or when the first of them is so old: at once unless given. */
  readonly coalescing?: NvmeCoalescing
}

export interface NvmeCoalescing {
  /** Rounded up to what the controller counts in: {@link COALESCING_MICROSECONDS}. */
  readonly microseconds: number
  /** 1 to 256. */
  readonly completions: number
}

/** Interrupt Coalescing's aggregation time counts in these (NVMe 1.4, 5.21.1.8). */
export const COALESCING_MICROSECONDS = 100

/** Writes a command at the tail. `parameters` is CDW10 and CDW11, a number below 2^53. Nothing tells the device yet. */
function writeCommand(
  queue: NvmeQueue,
  opcodeAndId: number,
  namespace: number,
  prp1: number,
  prp2: number,
  parameters: number,
  cdw12: number,
): void {
  const { submissions, state } = queue
  const at = state.tail * ENTRY_BYTES
  submissions.write32(at + submissionEntry.CDW0.at, opcodeAndId)
  submissions.write32(at + submissionEntry.NSID.at, namespace)
  submissions.write64(at + submissionEntry.PRP1.at, prp1)
  submissions.write64(at + submissionEntry.PRP2.at, prp2)
  submissions.write64(at + readWriteCommand.SLBA.at, parameters)
  submissions.write32(at + submissionEntry.CDW12.at, cdw12)
  const next = state.tail + 1
  state.tail = next === queue.entries ? 0 : next
}

/** Interrupt 0 serves the admin queues, and the I/O queues that have none of their own. */
export function nvmeDriver(env: Environment, config: NvmeConfig): BlockDevice {
  const { device, dma, time, interrupts } = env
  const depth = config.queueDepth
  const pairs = config.queues === undefined ? 1 : config.queues
  const budget = config.budget === undefined ? BUDGET : config.budget
  const adaptive = config.adaptive === true && interrupts.length > 0
  const aggregation = config.coalescing === undefined || interrupts.length === 0 ? 0 : aggregationOf(config.coalescing)
  const watchMicroseconds = (config.timeout === undefined ? DEFAULT_TIMEOUT : config.timeout) / ABORT_AGE
  /** The admin pair, then the I/O pairs. An I/O queue is never full: it has an entry more than tags. */
  const queues: NvmeQueue[] = []
  for (let id = 0; id <= pairs; id++) {
    queues.push(makeNvmeQueue(env, NAMES[id], id, id === 0 ? ADMIN_ENTRIES : Math.ceil(depth / pairs) + 1))
  }
  const admin = queues[0]
  const identity = dma.allocate(PAGE)
  const lists = dma.allocate(depth * LIST_BYTES)
  const state = env.state('nvme', {
    phase: CREATED,
    failure: 0,
    queue: 1,
    deadline: 0,
    asked: 0,
    answered: 0,
    sectors: 0,
    maximum: 0,
    outstanding: 0,
    watching: 0,
    age: 0,
    resets: 0,
    aborting: 0,
    readyMicroseconds: 0,
  })
  /** Per tag: the age (plus one) at which it was submitted, 0 if it is free. */
  const since = env.state('since', new Int32Array(depth))
  const unheard: (tag: number, how: Completion) => void = () => {}
  let completed = unheard

  function start(): void {
    if (state.phase !== CREATED) return
    const low = device.read(nvme.CAP)
    const high = device.readHigh(nvme.CAP)
    const largest = fieldOf(nvme.CAP.fields.MQES, low) + 1
    // Doorbells at a wider stride than the table's, pages that are not 4 KiB, or queues too short: not a controller for this driver.
    if (
      low === ALL_ONES ||
      fieldOf(nvme.CAP.fields.DSTRD, high) !== 0 ||
      fieldOf(nvme.CAP.fields.MPSMIN, high) !== 0 ||
      largest < queues[1].entries
    ) {
      fail(NO_CONTROLLER)
      return
    }
    const unit = fieldOf(nvme.CAP.fields.TO, low)
    state.readyMicroseconds = (unit === 0 ? 1 : unit) * TIMEOUT_UNIT
    maskInterrupts()
    disable(DISABLING)
  }

  function disable(phase: number): void {
    state.phase = phase
    state.deadline = time.now() + (state.readyMicroseconds === 0 ? TIMEOUT_UNIT : state.readyMicroseconds)
    device.write(nvme.CC, 0)
    time.after(STEP_MICROSECONDS, step)
  }

  function maskInterrupts(): void {
    for (let i = 0; i < interrupts.length; i++) interrupts[i].mask()
  }

  function step(): void {
    const { phase } = state
    if (phase === DISABLING) awaitDisabled()
    else if (phase === ENABLING) awaitEnabled()
    else if (phase > ENABLING && phase < RUNNING) awaitAnswer()
    else if (phase === SHUTTING) awaitShutdown()
    else if (phase === STOPPING) awaitStopped()
  }

  /** Waits another step, unless the deadline is over: then false. */
  function again(): boolean {
    if (time.now() > state.deadline) return false
    time.after(STEP_MICROSECONDS, step)
    return true
  }

  function awaitDisabled(): void {
    const csts = device.read(nvme.CSTS)
    if (csts === ALL_ONES || (csts & READY) !== 0) {
      if (!again()) fail(NOT_READY)
      return
    }
    // After a reset: the device has forgotten these, and has no more access to their memory.
    giveBack(depth)
    for (let id = 0; id <= pairs; id++) clearNvmeQueue(queues[id])
    const entries = ADMIN_ENTRIES - 1
    device.write(nvme.AQA, withField(nvme.AQA.fields.ASQS, withField(nvme.AQA.fields.ACQS, 0, entries), entries))
    device.write(nvme.ASQ, admin.submissions.device)
    device.write(nvme.ACQ, admin.completions.device)
    dma.fence()
    device.write(nvme.CC, ENABLED)
    state.asked = 0
    state.aborting = 0
    state.phase = ENABLING
    state.deadline = time.now() + state.readyMicroseconds
    time.after(STEP_MICROSECONDS, step)
  }

  function awaitEnabled(): void {
    const csts = device.read(nvme.CSTS)
    if (csts === ALL_ONES || (csts & FATAL) !== 0) fail(NOT_READY)
    else if ((csts & READY) === 0) {
      if (!again()) fail(NOT_READY)
    } else proceed(IDENTIFYING_CONTROLLER)
  }

  /** Asks the question of a phase of initialisation. */
  function proceed(phase: number): void {
    state.phase = phase
    const id = state.queue
    if (phase === IDENTIFYING_CONTROLLER) ask(ADMIN.IDENTIFY, 0, identity.device, CNS.CONTROLLER, 0)
    else if (phase === IDENTIFYING_NAMESPACE) ask(ADMIN.IDENTIFY, NAMESPACE, identity.device, CNS.NAMESPACE, 0)
    else if (phase === COUNTING_QUEUES)
      ask(ADMIN.SET_FEATURES, 0, 0, FEATURE.NUMBER_OF_QUEUES, (pairs - 1) | ((pairs - 1) << 16))
    else if (phase === COALESCING) ask(ADMIN.SET_FEATURES, 0, 0, FEATURE.INTERRUPT_COALESCING, aggregation)
    else {
      const sizeAndId = (id | ((queues[id].entries - 1) << QSIZE_SHIFT)) >>> 0
      if (phase === CREATING_COMPLETION_QUEUE) {
        const vector = id < interrupts.length ? id : interrupts.length - 1
        const interrupting = interrupts.length === 0 ? 0 : INTERRUPTS | (vector << VECTOR_SHIFT)
        ask(ADMIN.CREATE_IO_CQ, 0, queues[id].completions.device, sizeAndId, CONTIGUOUS | interrupting)
      } else ask(ADMIN.CREATE_IO_SQ, 0, queues[id].submissions.device, sizeAndId, CONTIGUOUS | (id << CQID_SHIFT))
    }
    time.after(STEP_MICROSECONDS, step)
  }

  function ask(opcode: number, namespace: number, prp1: number, cdw10: number, cdw11: number): void {
    const id = (state.asked + 1) & 0xffff
    state.asked = id
    state.deadline = time.now() + ANSWER_MICROSECONDS
    writeCommand(admin, (opcode | (id << CID_SHIFT)) >>> 0, namespace, prp1, 0, cdw10 + cdw11 * 0x1_0000_0000, 0)
    ringTail(env, admin)
  }

  /** True if the question asked last has been answered; anything else in the admin queue is not to be believed. */
  function answered(): boolean {
    const id = takeCompletion(env, admin)
    if (id === NONE) return false
    ringHead(env, admin)
    if (id === state.asked) return true
    lose()
    return false
  }

  function awaitAnswer(): void {
    const { phase } = state
    if (!answered()) {
      if (state.phase === phase && !again()) fail(NOT_READY)
      return
    }
    if (admin.state.status !== STATUS.SUCCESS) fail(phase === IDENTIFYING_NAMESPACE ? NO_NAMESPACE : REFUSED)
    else if (phase === IDENTIFYING_CONTROLLER) {
      readController()
      proceed(IDENTIFYING_NAMESPACE)
    } else if (phase === IDENTIFYING_NAMESPACE) {
      if (readNamespace()) proceed(COUNTING_QUEUES)
      else fail(NO_NAMESPACE)
    } else if (phase === COUNTING_QUEUES) {
      const granted = resultOf(admin)
      if ((granted & 0xffff) < pairs - 1 || granted >>> 16 < pairs - 1) fail(REFUSED)
      else {
        state.queue = 1
        proceed(aggregation === 0 ? CREATING_COMPLETION_QUEUE : COALESCING)
      }
    } else if (phase === COALESCING) proceed(CREATING_COMPLETION_QUEUE)
    else if (phase === CREATING_COMPLETION_QUEUE) proceed(CREATING_SUBMISSION_QUEUE)
    else if (state.queue < pairs) {
      state.queue += 1
      proceed(CREATING_COMPLETION_QUEUE)
    } else run()
  }

  function readController(): void {
    const shift = identity.read8(identifyController.MDTS.at)
    const pages = shift === 0 || shift > 5 ? MAXIMUM_PAGES : 1 << shift
    state.maximum = (pages * PAGE) >>> SECTOR_SHIFT
  }

  function readNamespace(): boolean {
    const index = fieldOf(identifyNamespace.FLBAS.fields.FORMAT, identity.read8(identifyNamespace.FLBAS.at))
    const format = identity.read32(identifyNamespace.LBAF0.at + index * LBA_FORMAT_BYTES)
    const { LBADS, MS } = identifyNamespace.LBAF0.fields
    state.sectors = identity.read64(identifyNamespace.NSZE.at)
    return state.sectors > 0 && fieldOf(LBADS, format) === SECTOR_SHIFT && fieldOf(MS, format) === 0
  }

  function run(): void {
    state.phase = RUNNING
    unmaskInterrupts()
  }

  function unmaskInterrupts(): void {
    for (let i = 0; i < interrupts.length; i++) interrupts[i].unmask()
  }

  function submit(
    tag: number,
    operation: 'read' | 'write' | 'flush',
    sector: number,
    count: number,
    address: number,
    forceUnitAccess: boolean,
  ): boolean {
    if (state.phase !== RUNNING || tag < 0 || tag >= depth || since[tag] !== 0) return false
    const queue = queues[1 + (tag % pairs)]
    if (operation === 'flush') writeCommand(queue, (NVM.FLUSH | (tag << CID_SHIFT)) >>> 0, NAMESPACE, 0, 0, 0, 0)
    else {
      if (count < 1 || count > state.maximum) return false
      const opcode = operation === 'read' ? NVM.READ : NVM.WRITE
      const prp2 = secondPointer(tag, address, count * SECTOR_BYTES)
      writeCommand(
        queue,
        (opcode | (tag << CID_SHIFT)) >>> 0,
        NAMESPACE,
        address,
        prp2,
        sector,
        forceUnitAccess ? FORCE_UNIT_ACCESS | (count - 1) : count - 1,
      )
    }
    since[tag] = state.age + 1
    state.outstanding += 1
    ringTail(env, queue)
    if (state.watching === 0) {
      state.watching = 1
      time.after(watchMicroseconds, watch)
    }
    return true
  }

  /** PRP2 of a request's data (NVMe 1.4, 4.3): nothing, the second page, or the list of all pages but the first. */
  function secondPointer(tag: number, address: number, bytes: number): number {
    const offset = address & (PAGE - 1)
    let left = bytes - (PAGE - offset)
    if (left <= 0) return 0
    let page = address - offset + PAGE
    if (left <= PAGE) return page
    const list = tag * LIST_BYTES
    for (let at = list; left > 0; at += 8) {
      lists.write64(at, page)
      page += PAGE
      left -= PAGE
    }
    return lists.device + list
  }

  function poll(budget: number): number {
    const { phase } = state
    if (phase === FAILED || phase === STUCK) return giveBack(budget)
    if (phase !== RUNNING) return 0
    let done = 0
    for (let id = 1; id <= pairs && done < budget; id++) done += pollQueue(queues[id], budget - done)
    return done
  }

  function pollQueue(queue: NvmeQueue, budget: number): number {
    let done = 0
    while (done < budget) {
      const tag = takeCompletion(env, queue)
      if (tag === NONE) break
      if (tag >= depth || since[tag] === 0 || 1 + (tag % pairs) !== queue.id) {
        lose()
        return done
      }
      done += 1
      state.resets = 0
      finish(tag, meaning(queue.state.status))
      if (state.phase !== RUNNING) return done
    }
    if (done > 0) ringHead(env, queue)
    return done
  }

  function finish(tag: number, how: Completion): void {
    since[tag] = 0
    state.outstanding -= 1
    completed(tag, how)
  }

  /** Nobody will answer these any more. */
  function giveBack(budget: number): number {
    let done = 0
    for (let tag = 0; tag < depth && done < budget && state.outstanding > 0; tag++) {
      if (since[tag] === 0) continue
      done += 1
      finish(tag, 'device lost')
    }
    return done
  }

  function onInterrupt(): void {
    if (state.phase !== RUNNING) return
    if (state.aborting === 1) awaitAbort()
    if (adaptive) {
      maskInterrupts()
      round()
    } else drain()
  }

  function drain(): void {
    if (poll(budget) === budget || (state.phase === FAILED && state.outstanding > 0)) time.defer(drain)
  }

  /** While the wires are masked: the next completions, or the wires again. What comes in between raises them. */
  function round(): void {
    const done = poll(budget)
    if (state.phase !== RUNNING) return
    if (done === budget) time.defer(round)
    else unmaskInterrupts()
  }

  /** Twice a timeout while requests are outstanding: finds those whose interrupt was lost, and those that are overdue. */
  function watch(): void {
    state.watching = 0
    if (state.phase !== RUNNING) return
    state.age += 1
    if (state.aborting === 1) awaitAbort()
    drain()
    if (state.phase !== RUNNING || state.outstanding === 0) return
    const csts = device.read(nvme.CSTS)
    if (csts === ALL_ONES) {
      lose()
      return
    }
    state.watching = 1
    time.after(watchMicroseconds, watch)
    if ((csts & (FATAL | READY)) !== READY) reset()
    else chase()
  }

  /** Aborts one overdue request at a time; one that is still there after that costs the controller a reset. */
  function chase(): void {
    for (let tag = 0; tag < depth; tag++) {
      if (since[tag] === 0) continue
      const age = state.age - (since[tag] - 1)
      if (age > RESET_AGE) {
        reset()
        return
      }
      if (age > ABORT_AGE && state.aborting === 0) {
        state.aborting = 1
        ask(ADMIN.ABORT, 0, 0, ((1 + (tag % pairs)) | (tag << CID_SHIFT)) >>> 0, 0)
      }
    }
  }

  function awaitAbort(): void {
    if (answered()) state.aborting = 0
  }

  function reset(): void {
    maskInterrupts()
    state.resets += 1
    if (state.resets > RESETS) lose()
    else disable(DISABLING)
  }

  function fail(why: number): void {
    state.failure = why
    state.phase = FAILED
    time.defer(drain)
  }

  /** The device said or did what cannot be believed: it is disabled, and stays so. */
  function lose(): void {
    maskInterrupts()
    device.write(nvme.CC, 0)
    fail(LOST)
  }

  function stop(): void {
    const { phase } = state
    if (phase >= SHUTTING) return
    maskInterrupts()
    if (phase === RUNNING) {
      state.phase = SHUTTING
      state.deadline = time.now() + SHUTDOWN_MICROSECONDS
      device.write(nvme.CC, SHUTTING_DOWN)
      time.after(STEP_MICROSECONDS, step)
    } else disable(STOPPING)
  }

  function awaitShutdown(): void {
    const csts = device.read(nvme.CSTS)
    if (fieldOf(nvme.CSTS.fields.SHST, csts) !== SHUTDOWN.complete && again()) return
    disable(STOPPING)
  }

  function awaitStopped(): void {
    const csts = device.read(nvme.CSTS)
    if (csts === ALL_ONES || (csts & READY) !== 0) {
      if (again()) return
      state.failure = NO_STOP
      state.phase = STUCK
      time.defer(drain)
      return
    }
    state.phase = STOPPED
    giveBack(depth)
    dma.free(lists)
    dma.free(identity)
    for (let id = pairs; id >= 0; id--) {
      dma.free(queues[id].completions)
      dma.free(queues[id].submissions)
    }
  }

  time.entry('step', step)
  time.entry('drain', drain)
  time.entry('watch', watch)
  if (adaptive) time.entry('round', round)
  // A handler is one and the same, however many lines there are: each completion queue is looked at.
  for (let i = 0; i < interrupts.length; i++) interrupts[i].subscribe(onInterrupt)

  return {
    depth,
    sectorBytes: SECTOR_BYTES,
    start,
    ready: () => state.phase === RUNNING,
    failure: () => FAILURES[state.failure],
    stop,
    stopped: () => state.phase === STOPPED,
    sectors: () => state.sectors,
    maximumSectors: () => state.maximum,
    submit,
    poll,
    onCompleted(heard) {
      completed = heard
    },
  }
}

/** The feature's value: time, and completions beyond the first (NVMe 1.4, 5.21.1.8). */
function aggregationOf({ microseconds, completions }: NvmeCoalescing): number {
  return (Math.ceil(microseconds / COALESCING_MICROSECONDS) << 8) | (completions - 1)
}

/** What a status (SCT:SC) means to who asked. */
function meaning(status: number): Completion {
  if (status === STATUS.SUCCESS) return 'ok'
  if (status === STATUS.LBA_OUT_OF_RANGE) return 'out of range'
  if (status >>> STATUS_TYPE_SHIFT === MEDIA) return 'media error'
  if (status === STATUS.INVALID_OPCODE || status === STATUS.INVALID_FIELD) return 'unsupported'
  return status === STATUS.ABORT_REQUESTED || status === STATUS.ABORTED_SQ_DELETION ? 'device lost' : 'media error'
}
