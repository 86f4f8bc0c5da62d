/** The admin command set: NVMe 1.4 section 5. */
import type { Dma, Plain, Saved } from '../../bus/chip.ts'
import { ADMIN, FEATURE, LOG, QUEUE_PAIRS, STATUS, nvme } from '../../spec/devices/nvme.ts'
import { createQueueCommand } from '../../spec/layouts/nvme.ts'
import { fieldOf } from '../../spec/registers.ts'
import type { Command } from './command.ts'
import type { Features } from './features.ts'
import type { Health } from './health.ts'
import { ASYNC_EVENT_LIMIT, identify } from './identify.ts'
import type { Identity } from './identify.ts'
import type { Namespaces } from './namespaces.ts'
import { PAGE, scatter, segments } from './prp.ts'
import type { Completion } from './queues.ts'

/** What the admin commands do to the controller's queues. Each returns a status. */
export interface Queues {
  readonly hasIoQueues: boolean
  readonly entrySizesSet: { readonly submission: boolean; readonly completion: boolean }
  createSubmission(id: number, base: number, size: number, completion: number): number
  createCompletion(id: number, base: number, size: number, vector: number, interrupts: boolean): number
  deleteSubmission(id: number): number
  deleteCompletion(id: number): number
  abort(queue: number, cid: number): boolean
  complete(completion: Completion): void
}

export interface AdminParts {
  readonly dma: Dma
  readonly identity: Identity
  readonly namespaces: Namespaces
  readonly features: Features
  readonly health: Health
  readonly queues: Queues
}

type Outcome = { readonly status: number; readonly result: number }
const ended = (status: number, result = 0): Outcome => ({ status, result })

/** An asynchronous event: type, what happened, and the log page that tells more. NVMe 1.4 5.2.1. */
type AsyncEvent = { readonly type: number; readonly information: number; readonly page: number }
const ERROR_EVENT = 0
const HEALTH_EVENT = 1

export class AdminCommands implements Saved {
  readonly #parts: AdminParts
  /** Async Event Requests that wait for something to happen. */
  #requests: number[] = []
  #events: AsyncEvent[] = []
  /** Types reported whose log page has not been read: they stay silent. */
  #silent: number[] = []

  constructor(parts: AdminParts) {
    this.#parts = parts
  }

  reset(): void {
    this.#requests = []
    this.#events = []
    this.#silent = []
  }

  /** Does a command; nothing is returned for one that is held. */
  perform(command: Command): Outcome | undefined {
    const { features, queues, identity, namespaces } = this.#parts
    if (command.fused !== 0 || command.psdt !== 0) return ended(STATUS.INVALID_FIELD)
    switch (command.opcode) {
      case ADMIN.DELETE_IO_SQ:
        return ended(
          isIoQueue(command.cdw10 & 0xffff) ? queues.deleteSubmission(command.cdw10 & 0xffff) : STATUS.INVALID_QUEUE_ID,
        )
      case ADMIN.DELETE_IO_CQ:
        return ended(
          isIoQueue(command.cdw10 & 0xffff) ? queues.deleteCompletion(command.cdw10 & 0xffff) : STATUS.INVALID_QUEUE_ID,
        )
      case ADMIN.CREATE_IO_SQ:
        return ended(this.#createSubmission(command))
      case ADMIN.CREATE_IO_CQ:
        return ended(this.#createCompletion(command))
      case ADMIN.IDENTIFY: {
        const data = identify(command.cdw10 & 0xff, command.nsid, namespaces, identity)
        return ended(typeof data === 'number' ? data : this.#send(command, data))
      }
      case ADMIN.GET_LOG_PAGE:
        return ended(this.#logPage(command))
      case ADMIN.ABORT:
        return this.#abort(command.cdw10 & 0xffff, command.cdw10 >>> 16)
      case ADMIN.GET_FEATURES: {
        const { status, result } = features.get(command.cdw10 & 0xff, (command.cdw10 >>> 8) & 7, command.cdw11)
        return ended(status, result)
      }
      case ADMIN.SET_FEATURES: {
        const { status, result } = features.set(
          command.cdw10 & 0xff,
          command.cdw10 >>> 31 === 1,
          command.cdw11,
          queues.hasIoQueues,
        )
        const thermal = [FEATURE.TEMPERATURE_THRESHOLD, FEATURE.ASYNC_EVENT_CONFIGURATION].some(
          id => id === (command.cdw10 & 0xff),
        )
        if (thermal && features.temperatureOut && features.reportsTemperature)
          this.#report({ type: HEALTH_EVENT, information: 1, page: LOG.SMART })
        return ended(status, result)
      }
      case ADMIN.ASYNC_EVENT_REQUEST:
        if (this.#requests.length > ASYNC_EVENT_LIMIT) return ended(STATUS.ASYNC_EVENT_LIMIT)
        this.#requests.push(command.cid)
        this.#tell()
        return undefined
      default:
        return ended(STATUS.INVALID_OPCODE)
    }
  }

  /** A doorbell of a queue that is not there, or a value beyond its size (`value`). */
  doorbellError(value: boolean): void {
    this.#report({ type: ERROR_EVENT, information: value ? 1 : 0, page: LOG.ERROR })
  }

  #createSubmission(command: Command): number {
    const { queues } = this.#parts
    const { QID, QSIZE } = createQueueCommand.CDW10.fields
    const { PC, CQID } = createQueueCommand.CDW11.fields
    const id = fieldOf(QID, command.cdw10)
    const size = fieldOf(QSIZE, command.cdw10)
    const completion = fieldOf(CQID, command.cdw11)
    if (!isIoQueue(id)) return STATUS.INVALID_QUEUE_ID
    if (!isIoQueue(completion)) return STATUS.INVALID_CQ
    if (!goodSize(size) || !queues.entrySizesSet.submission) return STATUS.INVALID_QUEUE_SIZE
    if (!fieldOf(PC, command.cdw11)) return STATUS.INVALID_FIELD
    if (command.prp1 % PAGE !== 0) return STATUS.INVALID_PRP_OFFSET
    return queues.createSubmission(id, command.prp1, size + 1, completion)
  }

  #createCompletion(command: Command): number {
    const { queues } = this.#parts
    const { QID, QSIZE } = createQueueCommand.CDW10.fields
    const { PC, IEN, IV } = createQueueCommand.CDW11.fields
    const id = fieldOf(QID, command.cdw10)
    const size = fieldOf(QSIZE, command.cdw10)
    const vector = fieldOf(IV, command.cdw11)
    if (!isIoQueue(id)) return STATUS.INVALID_QUEUE_ID
    if (!goodSize(size) || !queues.entrySizesSet.completion) return STATUS.INVALID_QUEUE_SIZE
    if (vector >= QUEUE_PAIRS) return STATUS.INVALID_INTERRUPT_VECTOR
    if (!fieldOf(PC, command.cdw11)) return STATUS.INVALID_FIELD
    if (command.prp1 % PAGE !== 0) return STATUS.INVALID_PRP_OFFSET
    return queues.createCompletion(id, command.prp1, size + 1, vector, fieldOf(IEN, command.cdw11) === 1)
  }

  #logPage(command: Command): number {
    const { health, identity, features, namespaces } = this.#parts
    const id = command.cdw10 & 0xff
    const page = health.page(id, identity.firmware, features.temperatureOut)
    if (!page) return STATUS.INVALID_LOG_PAGE
    if (command.nsid !== 0xffff_ffff && command.nsid > namespaces.length) return STATUS.INVALID_NAMESPACE
    const bytes = ((command.cdw11 & 0xffff) * 0x1_0000 + (command.cdw10 >>> 16) + 1) * 4
    const offset = command.cdw13 * 2 ** 32 + command.cdw12
    if (offset > page.length || offset % 4 !== 0) return STATUS.INVALID_FIELD
    if (!((command.cdw10 >>> 15) & 1))
      this.#silent = this.#silent.filter(type => (type === HEALTH_EVENT ? LOG.SMART : LOG.ERROR) !== id)
    this.#tell()
    return this.#send(command, page.subarray(offset, offset + bytes))
  }

  #abort(queue: number, cid: number): Outcome {
    const request = queue === 0 ? this.#requests.indexOf(cid) : -1
    if (request < 0) return ended(STATUS.SUCCESS, this.#parts.queues.abort(queue, cid) ? 0 : 1)
    this.#requests.splice(request, 1)
    this.#parts.queues.complete({ queue, cid, status: STATUS.ABORT_REQUESTED, result: 0 })
    return ended(STATUS.SUCCESS)
  }

  #send(command: Command, data: Uint8Array): number {
    const to = segments(this.#parts.dma, command.prp1, command.prp2, data.length)
    if (typeof to === 'number') return to
    return scatter(this.#parts.dma, to, data) ? STATUS.SUCCESS : STATUS.DATA_TRANSFER_ERROR
  }

  #report(event: AsyncEvent): void {
    this.#events.push(event)
    this.#tell()
  }

  /** Answers a waiting request with the first event whose type is not silent. */
  #tell(): void {
    const index = this.#events.findIndex(({ type }) => !this.#silent.includes(type))
    const cid = this.#requests[0]
    if (index < 0 || cid === undefined) return
    const [event] = this.#events.splice(index, 1)
    const { type, information, page } = event
    // further events of the type are not kept while it is silent
    this.#events = this.#events.filter(other => other.type !== type)
    this.#silent.push(type)
    this.#requests.shift()
    this.#parts.queues.complete({
      queue: 0,
      cid,
      status: STATUS.SUCCESS,
      result: type | (information << 8) | (page << 16),
    })
  }

  save(): Plain {
    return {
      requests: [...this.#requests],
      events: this.#events.map(event => ({ ...event })),
      silent: [...this.#silent],
    }
  }

  restore(state: Plain): void {
    const saved = state as { requests: readonly number[]; events: readonly AsyncEvent[]; silent: readonly number[] }
    this.#requests = [...saved.requests]
    this.#events = [...saved.events]
    this.#silent = [...saved.silent]
  }
}

function isIoQueue(id: number): boolean {
  return id > 0 && id < QUEUE_PAIRS
}

/** Sizes are zero based: at least two entries, at most CAP.MQES. */
function goodSize(size: number): boolean {
  return size > 0 && size <= (nvme.CAP.reset & 0xffff)
}
