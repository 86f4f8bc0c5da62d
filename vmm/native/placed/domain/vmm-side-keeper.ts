/**
 * Keeps driver domains alive. One that ends, crashes or hangs is taken off its harts; its device masters nothing any more,
 * is reset and out of the IOMMU; what guests granted is theirs again, and they are told that their rings are to be made
 * anew. Then its memory is as the loader had it, its chips and vCPUs as new, and it begins at its first instruction.
 */
import { initialData, type InitialData, loadData } from '../../../../drivers/initial-data.ts'
import type { HartPort, StateRecord } from '../../../../hw/port.ts'
import { time } from '../../../../hw/spec/csrs/counters.ts'
import { RING_OPEN } from '../../../../hw/spec/layouts/ring.ts'
import type { FreeMemory } from '../../../core/free-memory.ts'
import { LARGE_PAGE } from '../../../core/g-stage.ts'
import type { Host } from '../../../core/host.ts'
import type { PlacedDevice } from '../../../core/placed-device.ts'
import { NOWHERE, RUNNABLE } from '../../../core/vcpu.ts'
import type { VirtualMachine } from '../../../core/virtual-machine.ts'
import { LONGEST_PATIENCE, type RingBack } from '../../../virtual/ring-back.ts'
import type { PlannedGuest } from '../../ground.ts'
import { startGuest } from '../../guest-start.ts'
import type { PassedFunction } from '../../passthrough/passed-function.ts'
import type { Plan } from '../../plan.ts'

/** What a domain is about: at work; dead, and perhaps still on a hart; its memory is cleared, and filled; its device resets; is found again; there will be none. */
const ALIVE = 0
const DYING = 1
const CLEARING = 2
const FILLING = 3
const RESETTING = 4
const STARTING = 5
const GONE = 6

/** Deaths in a row, with nothing answered between them, before there will be none. */
const LIVES = 4
/** Bytes that are moved or cleared in one entry. */
const PIECE = 0x1_0000
/** Ticks: 50 ms between two looks; 100 ms that a function has for its reset (PCIe 6.6.2); 0.1 ms until a hart is looked at again. */
const LOOK = 500_000
const RESET = 1_000_000
const SOON = 1000
/**
 * Looks after which a domain is hung that does nothing of what it has to. Whoever was slow only is given twice as many the
 * next time, so that a device that takes its time gets through in the end; after so many looks without harm, no more.
 */
const PATIENCE = 4
const HARMLESS = 200

/** A domain, as the VMM was planned with it. */
export interface JoinedDomain {
  readonly guest: PlannedGuest
  readonly back: RingBack
}

interface KeptDomain extends JoinedDomain {
  /** Of its first vCPU. */
  readonly index: number
  readonly passed: readonly PassedFunction[]
  readonly chips: InitialData
  /** Its images: pieces on the machine where the loader put them, which are its RAM now, and where they are kept. */
  readonly pieces: readonly number[]
  readonly kept: Float64Array
  readonly record: DomainRecord
}

interface DomainRecord {
  [field: string]: number | boolean
  stage: number
  /** Pieces of its images that are kept. */
  keeping: number
  /** Bytes of its RAM cleared, pieces filled. */
  cleared: number
  filled: number
  /** When it died, and when it is looked at next (ticks). */
  died: number
  look: number
  /** Looks in this life, what the domain had had of harts by the last, and how many it is given. */
  looks: number
  had: number
  patience: number
  lives: number
  /** How often it has begun anew, and what it had told its guests by then. */
  restarts: number
  told: number
}

export interface KeeperParts {
  readonly domains: readonly JoinedDomain[]
  /** State of each guest's virtual chips, by index. */
  readonly chips: readonly Readonly<Record<string, StateRecord>>[]
  readonly passed: readonly PassedFunction[]
  readonly free: FreeMemory
  readonly host: { vmm: Host | undefined }
  readonly plan: Pick<Plan, 'slots' | 'scheduler' | 'owner'>
}

export class DomainKeeper implements PlacedDevice {
  readonly name = 'driver domains'
  readonly state: Readonly<Record<string, StateRecord>>
  readonly #domains: readonly KeptDomain[]
  readonly #parts: KeeperParts

  constructor(parts: KeeperParts) {
    this.#parts = parts
    this.#domains = parts.domains.map(joined => keptDomain(joined, parts))
    this.state = Object.assign(
      {},
      ...this.#domains.map(({ guest, record, kept }) => ({
        [`domain ${guest.vm.index}`]: record,
        [`domain ${guest.vm.index} kept`]: kept,
      })),
    ) as Record<string, StateRecord>
  }

  source(): number {
    return 0
  }

  start(): void {
    // Its images are kept once memory is scrubbed.
  }

  settled(): boolean {
    for (let index = 0; index < this.#domains.length; index++) {
      const { record, pieces } = this.#domains[index]
      if (record.keeping < pieces.length) return false
    }
    return true
  }

  interrupt(): void {
    // It has none.
  }

  /** True if the machine is a domain that begins anew by and by; it has just ended, or did before. */
  died(port: HartPort, vm: VirtualMachine): boolean {
    for (let index = 0; index < this.#domains.length; index++) {
      const { guest, record, back } = this.#domains[index]
      if (guest.vm !== vm) continue
      if (record.stage !== ALIVE) return record.stage !== GONE
      // A ring that is opened is worth a word; what comes after that are answers.
      if (back.told() > record.told + back.fronts.length) record.lives = LIVES
      record.lives--
      record.stage = DYING
      record.died = port.read(time)
      return record.lives > 0
    }
    return false
  }

  elapsed(port: HartPort): number {
    let next = Infinity
    for (let index = 0; index < this.#domains.length; index++) {
      const due = this.#step(port, this.#domains[index])
      if (due < next) next = due
    }
    return next
  }

  /** The next of what has to be done; when to come back. */
  #step(port: HartPort, domain: KeptDomain): number {
    const { record, guest, pieces, kept } = domain
    const now = port.read(time)
    if (record.keeping < pieces.length) {
      this.#keep(port, domain)
      return now
    }
    if (record.stage === ALIVE) return this.#watch(port, domain, now)
    if (record.stage === DYING) return this.#bury(port, domain, now)
    if (record.stage === CLEARING) {
      const page = guest.vm.ram.pages[Math.floor(record.cleared / LARGE_PAGE)]
      if (page !== 0) port.fill(page + (record.cleared % LARGE_PAGE), 0, PIECE)
      record.cleared += PIECE
      if (record.cleared === guest.vm.ram.bytes) record.stage = FILLING
      return now
    }
    if (record.stage === FILLING) {
      port.copy(pieces[record.filled], kept[record.filled], PIECE)
      record.filled++
      if (record.filled === pieces.length) record.stage = RESETTING
      return now
    }
    if (record.stage === RESETTING) return this.#find(port, domain, now)
    if (record.stage === STARTING) return this.#begin(port, domain, now)
    return Infinity
  }

  /** Puts a piece of its images aside. */
  #keep(port: HartPort, { record, pieces, kept }: KeptDomain): void {
    const index = record.keeping
    const within = (index * PIECE) % LARGE_PAGE
    kept[index] = within === 0 ? this.#parts.free.takePage() : kept[index - 1] + PIECE
    if (kept[index] === 0) throw new Error('no memory for what driver domains begin anew with')
    port.copy(kept[index], pieces[index], PIECE)
    record.keeping++
  }

  #watch(port: HartPort, domain: KeptDomain, now: number): number {
    const { record, guest, back } = domain
    if (now < record.look) return record.look
    const begins = record.look === 0
    record.look = now + LOOK
    if (begins || this.#starves(domain)) return record.look
    record.looks++
    if (record.looks === HARMLESS) record.patience = PATIENCE
    if (!back.look(port, record.patience)) return record.look
    if (record.patience < LONGEST_PATIENCE) record.patience *= 2
    this.#parts.host.vmm!.end(port, guest.vm, guest.vm.vcpus[0], false, 0)
    return now
  }

  /** True if it wants a hart, and has had none since it was looked at last. */
  #starves({ record, index, guest }: KeptDomain): boolean {
    const { scheduler } = this.#parts.plan
    const { status, hart } = guest.vm.vcpus[0].record
    const had = scheduler.had[index]
    const isSame = had === record.had
    record.had = had
    return isSame && status === RUNNABLE && (hart === NOWHERE || !scheduler.isDedicated(hart))
  }

  /** Once it is on no hart, nothing that was granted is in its reach. */
  #bury(port: HartPort, { record, guest, back }: KeptDomain, now: number): number {
    const { vcpus } = guest.vm
    for (let index = 0; index < vcpus.length; index++) if (vcpus[index].record.hart !== NOWHERE) return now + SOON
    back.reset(port, record.lives > 0 ? RING_OPEN.REPLACED : RING_OPEN.GONE)
    record.cleared = 0
    record.filled = 0
    record.stage = record.lives > 0 ? CLEARING : GONE
    return now
  }

  /** Its device has had the time for its reset. */
  #find(port: HartPort, domain: KeptDomain, now: number): number {
    const { record, passed, guest, back } = domain
    if (now < record.died + RESET) return record.died + RESET
    record.stage = STARTING
    for (let index = 0; index < passed.length; index++) {
      if (passed[index].again(port)) continue
      record.stage = GONE
      record.lives = 0
      back.lose(port, RING_OPEN.GONE)
      guest.vm.record.ended = true
    }
    return now
  }

  #begin(port: HartPort, { record, guest, passed, back, chips }: KeptDomain, now: number): number {
    for (let index = 0; index < passed.length; index++) if (!passed[index].settled()) return now
    const { vm } = guest
    loadData(chips)
    for (let index = 0; index < vm.vcpus.length; index++) {
      const vcpu = vm.vcpus[index].record
      vcpu.raised = 0
      vcpu.lowered = 0
      vcpu.fencing = false
      // What the hart has of its instructions and tables is of its last life.
      vcpu.fence = true
    }
    vm.forgetTranslations()
    startGuest(port, guest, this.#parts.plan)
    this.#parts.host.vmm!.kick(port, vm.vcpus[0])
    record.stage = ALIVE
    record.restarts++
    record.told = back.told()
    record.look = now + LOOK
    record.looks = 0
    return record.look
  }
}

function keptDomain({ guest, back }: JoinedDomain, { chips, passed, plan }: KeeperParts): KeptDomain {
  const { kernel, initrd } = guest.node
  const pieces = [...piecesOf(kernel), ...(initrd ? piecesOf(initrd) : [])]
  return {
    guest,
    back,
    index: plan.owner.indexOf(guest.vm.index),
    passed: passed.filter(candidate => candidate.guest === guest),
    chips: initialData(chips[guest.vm.index]),
    pieces,
    kept: new Float64Array(pieces.length),
    record: {
      stage: ALIVE,
      keeping: 0,
      cleared: 0,
      filled: 0,
      died: 0,
      look: 0,
      looks: 0,
      had: 0,
      patience: PATIENCE,
      lives: LIVES,
      restarts: 0,
      told: 0,
    },
  }
}

/** Where the pieces of an image begin. */
function piecesOf({ address, bytes }: { readonly address: number; readonly bytes: number }): readonly number[] {
  return Array.from({ length: Math.ceil(bytes / PIECE) }, (_, index) => address + index * PIECE)
}
