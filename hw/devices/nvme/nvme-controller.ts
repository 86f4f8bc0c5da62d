/**
 * An NVMe 1.4 controller: registers, queues, fetching and completing. What commands mean is in
 * ./admin-commands.ts and ./io-commands.ts; how long they take, in ./medium.ts.
 *
 *   doorbell ──fetch──▶ command ──medium, link──▶ 'done' event ──▶ data moved, completion posted ──▶ MSI-X or INTx
 */
import { PcieFunction } from '../../bus/pcie-function.ts'
import type { Chip, Clock, Dma, Plain, Saved, Timed } from '../../bus/chip.ts'
import { NVME_CLASS, NVME_DEVICE, NVME_VENDOR, QUEUE_PAIRS, SHUTDOWN, STATUS, nvme } from '../../spec/devices/nvme.ts'
import { completionEntry, submissionEntry } from '../../spec/layouts/nvme.ts'
import { fieldOf } from '../../spec/registers.ts'
import { p3700 } from '../../time/prices-devices.ts'
import type { DrivePrices } from '../../time/prices-devices.ts'
import type { Backing } from '../disk-backing.ts'
import { AdminCommands } from './admin-commands.ts'
import { decode } from './command.ts'
import type { Command } from './command.ts'
import { Features } from './features.ts'
import { Health } from './health.ts'
import { IoCommands } from './io-commands.ts'
import type { NvmeFault } from './io-commands.ts'
import { Medium } from './medium.ts'
import { namespacesOf } from './namespaces.ts'
import { completionQueue, full, submissionQueue } from './queues.ts'
import type { Completion, CompletionQueue, SubmissionQueue } from './queues.ts'

export interface NvmeOptions {
  readonly drive?: DrivePrices
  /** Twenty characters at most; the chip's name unless given. */
  readonly serial?: string
  /** Sectors of each namespace, one behind the other on the medium; one of all unless given. */
  readonly namespaces?: readonly number[]
}

const BAR_BYTES = 0x4000
const TABLE_AT = 0x2000
const PENDING_AT = 0x3000
const { CC, CSTS, AQA } = nvme
const WRITABLE_CC = 0x00ff_fff1
/** In place of an event's number. */
const NONE = -1

/** An outstanding command, and the event that will end it. */
type Outstanding = { readonly command: Command; readonly event: number }

export class NvmeController implements Timed, Saved {
  readonly name: string
  readonly function: PcieFunction
  /** Faults of the medium, to be changed at will by whoever owns the machine. */
  faults: NvmeFault[] = []
  readonly #clock: Clock
  readonly #medium: Medium
  readonly #features = new Features()
  readonly #health = new Health()
  readonly #admin: AdminCommands
  readonly #io: IoCommands
  readonly #dma: Dma
  #submission: (SubmissionQueue | undefined)[] = []
  #completion: (CompletionQueue | undefined)[] = []
  #outstanding = new Map<number, Outstanding>()
  #interruptMask = 0
  #cc = 0
  #csts = 0
  #aqa = 0
  readonly #bases = new Uint32Array(4)
  #turn = 0
  #taken = 0
  #fetching = NONE
  /** Resets so far: what was under way before one is forgotten. */
  #epoch = 0
  #changing = NONE

  constructor(name: string, backing: Backing, clock: Clock, options: NvmeOptions = {}) {
    this.name = name
    this.#clock = clock
    const drive = options.drive ?? p3700
    const registers: Chip = {
      read: (offset, bytes) => this.#readBar(offset, bytes),
      write: (offset, bytes, value) => this.#writeBar(offset, bytes, value),
    }
    this.function = new PcieFunction(
      {
        vendor: NVME_VENDOR,
        device: NVME_DEVICE,
        class: NVME_CLASS,
        revision: 1,
        subsystemVendor: NVME_VENDOR,
        subsystem: 1,
        pin: 1,
      },
      {
        bars: [{ index: 0, bytes: BAR_BYTES, wide: true, chip: registers }],
        msix: { vectors: QUEUE_PAIRS, bar: 0, table: TABLE_AT, pending: PENDING_AT },
        reset: () => this.#reset(),
      },
    )
    this.#dma = this.function.dma
    const namespaces = namespacesOf(backing.sectors, options.namespaces)
    this.#medium = new Medium(drive, clock)
    const identity = {
      vendor: NVME_VENDOR,
      subsystemVendor: NVME_VENDOR,
      serial: options.serial ?? name,
      model: `barehart ${drive.name}`,
      firmware: '1.0',
    }
    this.#admin = new AdminCommands({
      dma: this.#dma,
      identity,
      namespaces,
      features: this.#features,
      health: this.#health,
      queues: this,
    })
    this.#io = new IoCommands({
      dma: this.#dma,
      backing,
      clock,
      medium: this.#medium,
      namespaces,
      features: this.#features,
      health: this.#health,
      faults: () => this.faults,
    })
  }

  // registers

  #readBar(offset: number, bytes: 1 | 2 | 4): number {
    const { msix } = this.function
    if (offset >= PENDING_AT) return msix!.pendingBits.read(offset - PENDING_AT, bytes)
    if (offset >= TABLE_AT) return msix!.table.read(offset - TABLE_AT, bytes)
    const word = this.#readRegister(offset & ~3)
    return bytes === 4 ? word : (word >>> ((offset & 3) * 8)) & (bytes === 2 ? 0xffff : 0xff)
  }

  #readRegister(at: number): number {
    switch (at) {
      case nvme.CAP.at:
        return nvme.CAP.reset >>> 0
      case nvme.CAP.at + 4:
        return Math.floor(nvme.CAP.reset / 2 ** 32)
      case nvme.VS.at:
        return nvme.VS.reset
      case nvme.INTMS.at:
      case nvme.INTMC.at:
        return this.#interruptMask >>> 0
      case CC.at:
        return this.#cc
      case CSTS.at:
        return this.#csts
      case AQA.at:
        return this.#aqa
      case nvme.ASQ.at:
      case nvme.ASQ.at + 4:
      case nvme.ACQ.at:
      case nvme.ACQ.at + 4:
        return this.#bases[(at - nvme.ASQ.at) / 4]
      default:
        return 0
    }
  }

  #writeBar(offset: number, bytes: 1 | 2 | 4, value: number): void {
    if (offset >= TABLE_AT) {
      if (offset < PENDING_AT) this.function.msix!.table.write(offset - TABLE_AT, bytes, value)
      return
    }
    // registers are written whole; doorbells by the 16 bits that count as well
    if (bytes !== 4 && offset < nvme.SQTDBL.at) return
    if (offset >= nvme.SQTDBL.at) this.#ring((offset - nvme.SQTDBL.at) / 4, value & 0xffff)
    else this.#writeRegister(offset, value)
  }

  #writeRegister(at: number, value: number): void {
    switch (at) {
      case nvme.INTMS.at:
        this.#interruptMask |= value
        this.#updatePin()
        return
      case nvme.INTMC.at:
        this.#interruptMask &= ~value
        this.#updatePin()
        return
      case CC.at:
        this.#configure(value & WRITABLE_CC)
        return
    }
    // the admin queues' place is fixed while the controller is enabled
    if (fieldOf(CC.fields.EN, this.#cc)) return
    if (at === AQA.at) this.#aqa = value & 0x0fff_0fff
    else if (at >= nvme.ASQ.at && at < nvme.ACQ.at + 8) {
      const word = (at - nvme.ASQ.at) / 4
      this.#bases[word] = word % 2 === 0 ? value & ~0xfff : value
    }
  }

  #configure(value: number): void {
    const was = fieldOf(CC.fields.EN, this.#cc)
    const enable = fieldOf(CC.fields.EN, value)
    const shutdown = fieldOf(CC.fields.SHN, value)
    const wasShutdown = fieldOf(CC.fields.SHN, this.#cc)
    if (was && !enable) {
      this.#reset()
      return
    }
    this.#cc = value
    if (!was && enable) {
      this.#csts = 0
      this.#changing = this.#later(this.#medium.prices.enable, 'ready')
    }
    if (shutdown !== 0 && wasShutdown === 0) {
      this.#csts = (this.#csts & ~(3 << CSTS.fields.SHST.low)) | (SHUTDOWN.occurring << CSTS.fields.SHST.low)
      this.#changing = this.#clock.at(this.#io.flushedAt(), 'shut down')
    }
  }

  /** Controller reset (3.1.5, 7.3.2): queues and what is outstanding are gone; the cache keeps its data. */
  #reset(): void {
    for (const { event } of this.#outstanding.values()) if (event !== NONE) this.#clock.cancel(event)
    this.#outstanding.clear()
    this.#epoch++
    if (this.#fetching !== NONE) this.#clock.cancel(this.#fetching)
    if (this.#changing !== NONE) this.#clock.cancel(this.#changing)
    this.#fetching = NONE
    this.#changing = NONE
    this.#submission = []
    this.#completion = []
    this.#cc = 0
    this.#csts = 0
    this.#interruptMask = 0
    this.#admin.reset()
    this.#features.reset()
    this.function.line.set(false)
  }

  /** Loses the volatile cache and everything under way, and starts again as at power on. */
  powerCut(): void {
    this.#health.powerLost()
    this.#io.powerCut()
    this.#reset()
    this.#aqa = 0
    this.#bases.fill(0)
    this.function.reset()
  }

  // queues

  #ring(doorbell: number, value: number): void {
    if (!fieldOf(CSTS.fields.RDY, this.#csts)) return
    const id = doorbell >>> 1
    if (doorbell % 2 === 0) {
      const queue = this.#submission[id]
      if (!queue) return this.#admin.doorbellError(false)
      if (value >= queue.size) return this.#admin.doorbellError(true)
      queue.tail = value
      this.#fetchSoon(this.#medium.prices.fetch)
      return
    }
    const queue = this.#completion[id]
    if (!queue) return this.#admin.doorbellError(false)
    if (value >= queue.size) return this.#admin.doorbellError(true)
    queue.head = value
    if (queue.head === queue.tail) queue.signalled = false
    while (queue.waiting.length > 0 && !full(queue)) this.#post(queue, queue.waiting.shift()!)
    this.#updatePin()
    if (queue.waiting.length === 0) this.#fetchSoon(this.#medium.prices.fetch)
  }

  /** Create I/O Submission Queue, after its fields were checked; a status. */
  createSubmission(id: number, base: number, size: number, completion: number): number {
    if (this.#submission[id]) return STATUS.INVALID_QUEUE_ID
    if (!this.#completion[completion]) return STATUS.INVALID_CQ
    this.#submission[id] = submissionQueue(id, base, size, completion)
    return STATUS.SUCCESS
  }

  createCompletion(id: number, base: number, size: number, vector: number, interrupts: boolean): number {
    if (this.#completion[id]) return STATUS.INVALID_QUEUE_ID
    this.#completion[id] = completionQueue(id, base, size, vector, interrupts)
    return STATUS.SUCCESS
  }

  /** Deletes a queue; commands still under way end without a completion. */
  deleteSubmission(id: number): number {
    if (!this.#submission[id]) return STATUS.INVALID_QUEUE_ID
    this.#submission[id] = undefined
    for (const [key, { command, event }] of this.#outstanding) {
      if (command.queue !== id) continue
      if (event !== NONE) this.#clock.cancel(event)
      this.#outstanding.delete(key)
    }
    return STATUS.SUCCESS
  }

  deleteCompletion(id: number): number {
    if (!this.#completion[id]) return STATUS.INVALID_QUEUE_ID
    if (this.#submission.some(queue => queue?.completion === id)) return STATUS.INVALID_QUEUE_DELETION
    this.#completion[id] = undefined
    this.#updatePin()
    return STATUS.SUCCESS
  }

  /** Ends an outstanding command with "abort requested"; false if there is none such. */
  abort(queue: number, cid: number): boolean {
    const found = this.#outstanding.get(keyOf(queue, cid))
    if (!found) return false
    if (found.event !== NONE) this.#clock.cancel(found.event)
    this.#outstanding.delete(keyOf(queue, cid))
    this.complete({ queue, cid, status: STATUS.ABORT_REQUESTED, result: 0 })
    return true
  }

  get hasIoQueues(): boolean {
    return (
      this.#submission.some((queue, id) => id > 0 && queue) || this.#completion.some((queue, id) => id > 0 && queue)
    )
  }

  /** Sizes of I/O queue entries, as the host set them: the only ones we have, or queues cannot be created. */
  get entrySizesSet(): { readonly submission: boolean; readonly completion: boolean } {
    return {
      submission: fieldOf(CC.fields.IOSQES, this.#cc) === 6,
      completion: fieldOf(CC.fields.IOCQES, this.#cc) === 4,
    }
  }

  /** Posts a completion, at once or when the queue has room. */
  complete(completion: Completion): void {
    const submission = this.#submission[completion.queue]
    const queue = submission && this.#completion[submission.completion]
    if (!queue) return
    if (full(queue) || queue.waiting.length > 0) queue.waiting.push(completion)
    else this.#post(queue, completion)
  }

  #post(queue: CompletionQueue, { queue: source, cid, status, result }: Completion): void {
    const entry = new Uint8Array(completionEntry.size)
    const view = new DataView(entry.buffer)
    const { SC, P } = completionEntry.DW3.fields
    // an error that would come again is marked "do not retry"; an abort is not one
    const permanent = status !== STATUS.SUCCESS && status !== STATUS.ABORT_REQUESTED ? 1 : 0
    const head = this.#submission[source]?.head ?? 0
    view.setUint32(completionEntry.DW0.at, result, true)
    view.setUint32(completionEntry.DW2.at, head | (source << 16), true)
    const dw3 = cid | (queue.phase << P.low) | (status << SC.low) | (permanent << completionEntry.DW3.fields.DNR.low)
    view.setUint32(completionEntry.DW3.at, dw3, true)
    if (!this.#dma.write(queue.base + queue.tail * completionEntry.size, entry)) return this.#fatal()
    queue.tail = (queue.tail + 1) % queue.size
    if (queue.tail === 0) queue.phase ^= 1
    this.#signal(queue)
  }

  // interrupts

  #signal(queue: CompletionQueue): void {
    if (!queue.interrupts) return
    const { threshold, time } = this.#features.coalescing(queue.vector)
    queue.unsignalled++
    if (queue.id === 0 || time === 0 || queue.unsignalled > threshold) this.#interrupt(queue)
    else if (queue.unsignalled === 1) this.#later(time * 100_000, 'coalesced', queue.id)
  }

  #interrupt(queue: CompletionQueue): void {
    queue.unsignalled = 0
    queue.signalled = true
    this.function.msix?.raise(queue.vector)
    this.#updatePin()
  }

  /** Without MSI-X: the pin is up while a completion of an unmasked vector has not been consumed (7.5.1). */
  #updatePin(): void {
    const level = this.#completion.some(
      queue => queue?.signalled && queue.head !== queue.tail && !((this.#interruptMask >>> queue.vector) & 1),
    )
    this.function.line.set(level)
  }

  // commands

  #later(nanoseconds: number, kind: string, payload: Plain = null): number {
    return this.#clock.at(this.#clock.now() + this.#medium.cycles(nanoseconds), kind, payload)
  }

  #fetchSoon(nanoseconds: number): void {
    if (this.#fetching === NONE) this.#fetching = this.#later(nanoseconds, 'fetch')
  }

  /** Takes the next command, round robin over the queues in bursts (4.13.1). */
  #fetch(): void {
    const queue = this.#nextQueue()
    if (!queue) return
    const entry = new Uint8Array(submissionEntry.size)
    // nobody waits for what was posted before
    this.#dma.waited?.()
    if (!this.#dma.read(queue.base + queue.head * entry.length, entry)) return this.#fatal()
    queue.head = (queue.head + 1) % queue.size
    this.#start(decode(queue.id, entry))
    this.#fetchSoon(this.#medium.prices.command)
  }

  #nextQueue(): SubmissionQueue | undefined {
    // nothing more is taken from a queue whose completions have no room
    const waiting = (id: number) => {
      const queue = this.#submission[id]
      const blocked = queue && this.#completion[queue.completion]!.waiting.length > 0
      return queue && !blocked && queue.head !== queue.tail ? queue : undefined
    }
    const current = waiting(this.#turn)
    if (current && this.#taken < this.#features.burst) {
      this.#taken++
      return current
    }
    for (let step = 1; step <= QUEUE_PAIRS; step++) {
      const id = (this.#turn + step) % QUEUE_PAIRS
      const queue = waiting(id)
      if (!queue) continue
      this.#turn = id
      this.#taken = 1
      return queue
    }
    return undefined
  }

  #start(command: Command): void {
    const { queue, cid } = command
    const key = keyOf(queue, cid)
    if (this.#outstanding.has(key)) return this.complete({ queue, cid, status: STATUS.COMMAND_ID_CONFLICT, result: 0 })
    const waited = this.#medium.cycles(this.#dma.waited?.() ?? 0)
    const begun =
      queue === 0 ? this.#clock.now() + this.#medium.cycles(this.#medium.prices.adminCommand) : this.#io.start(command)
    this.#outstanding.set(key, {
      command,
      event: begun === Infinity ? NONE : this.#clock.at(begun + waited, 'done', key),
    })
  }

  #done(key: number): void {
    const found = this.#outstanding.get(key)
    if (!found) return
    this.#outstanding.delete(key)
    const { command } = found
    const { queue, cid } = command
    this.#dma.waited?.()
    const ended = queue === 0 ? this.#admin.perform(command) : this.#io.finish(command)
    if (!ended) return
    if (ended.status !== STATUS.SUCCESS && ended.status !== STATUS.ABORT_REQUESTED) {
      this.#health.error(
        queue,
        cid,
        ended.status,
        queue === 0 ? 0 : command.cdw10 + command.cdw11 * 2 ** 32,
        command.nsid,
      )
    }
    const waited = this.#dma.waited?.() ?? 0
    const completion = { queue, cid, ...ended }
    if (waited === 0) this.complete(completion)
    else this.#later(waited, 'moved', { ...completion, epoch: this.#epoch })
  }

  due(kind: string, payload: Plain): void {
    switch (kind) {
      case 'fetch':
        this.#fetching = NONE
        return this.#fetch()
      case 'done':
        return this.#done(payload as number)
      case 'moved': {
        const { epoch, ...completion } = payload as Completion & { epoch: number }
        if (epoch === this.#epoch) this.complete(completion)
        return
      }
      case 'ready':
        return this.#ready()
      case 'shut down':
        this.#changing = NONE
        this.#io.flush()
        this.#csts = (this.#csts & ~(3 << CSTS.fields.SHST.low)) | (SHUTDOWN.complete << CSTS.fields.SHST.low)
        return
      case 'coalesced': {
        const queue = this.#completion[payload as number]
        if (queue && queue.unsignalled > 0) this.#interrupt(queue)
        return
      }
      case 'programmed':
        return this.#io.programmed(payload as number)
      default:
        throw new Error(`${this.name}: no event '${kind}'`)
    }
  }

  #ready(): void {
    this.#changing = NONE
    const supported = fieldOf(CC.fields.MPS, this.#cc) === 0 && fieldOf(CC.fields.CSS, this.#cc) === 0
    const { ASQS, ACQS } = AQA.fields
    const base = (word: number) => this.#bases[word + 1] * 2 ** 32 + this.#bases[word]
    if (!supported || fieldOf(ASQS, this.#aqa) === 0 || fieldOf(ACQS, this.#aqa) === 0) return this.#fatal()
    this.#completion[0] = completionQueue(0, base(2), fieldOf(ACQS, this.#aqa) + 1, 0, true)
    this.#submission[0] = submissionQueue(0, base(0), fieldOf(ASQS, this.#aqa) + 1, 0)
    this.#csts |= 1 << CSTS.fields.RDY.low
  }

  /** Controller Fatal Status: queues in memory cannot be reached, or make no sense. Only a reset helps. */
  #fatal(): void {
    this.#csts |= 1 << CSTS.fields.CFS.low
  }

  save(): Plain {
    return {
      function: this.function.save(),
      medium: this.#medium.save(),
      features: this.#features.save(),
      health: this.#health.save(),
      admin: this.#admin.save(),
      io: this.#io.save(),
      faults: this.faults.map(fault => ({ ...fault })),
      submission: [...this.#submission.values()].flatMap(queue => (queue ? [{ ...queue }] : [])),
      completion: [...this.#completion.values()].flatMap(queue =>
        queue ? [{ ...queue, waiting: queue.waiting.map(each => ({ ...each })) }] : [],
      ),
      outstanding: [...this.#outstanding.values()].map(({ command, event }) => ({ command: { ...command }, event })),
      words: [
        this.#interruptMask,
        this.#cc,
        this.#csts,
        this.#aqa,
        ...this.#bases,
        this.#turn,
        this.#taken,
        this.#fetching,
        this.#changing,
        this.#epoch,
      ],
    }
  }

  restore(state: Plain): void {
    const saved = state as {
      function: Plain
      medium: Plain
      features: Plain
      health: Plain
      admin: Plain
      io: Plain
      faults: readonly NvmeFault[]
      submission: readonly SubmissionQueue[]
      completion: readonly CompletionQueue[]
      outstanding: readonly Outstanding[]
      words: readonly number[]
    }
    this.#medium.restore(saved.medium)
    this.#features.restore(saved.features)
    this.#health.restore(saved.health)
    this.#admin.restore(saved.admin)
    this.#io.restore(saved.io)
    this.faults = saved.faults.map(fault => ({ ...fault }))
    this.#submission = []
    for (const queue of saved.submission) this.#submission[queue.id] = { ...queue }
    this.#completion = []
    for (const queue of saved.completion) this.#completion[queue.id] = { ...queue, waiting: [...queue.waiting] }
    this.#outstanding = new Map(saved.outstanding.map(each => [keyOf(each.command.queue, each.command.cid), each]))
    const [mask, cc, csts, aqa, b0, b1, b2, b3, turn, taken, fetching, changing, epoch] = saved.words as readonly [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    this.#epoch = epoch
    this.#interruptMask = mask
    this.#cc = cc
    this.#csts = csts
    this.#aqa = aqa
    this.#bases.set([b0, b1, b2, b3])
    this.#turn = turn
    this.#taken = taken
    this.#fetching = fetching
    this.#changing = changing
    this.function.restore(saved.function)
  }
}

function keyOf(queue: number, cid: number): number {
  return queue * 0x1_0000 + cid
}
