/**
 * The RISC-V IOMMU: no device behind it reaches memory but through it. Registers are in hw/spec/devices/iommu.ts. It
 * acts at once: commands when the tail moves, faults when they happen; so none of its busy bits is ever seen set.
 */
import type { Chip, Dma, Line, Plain, Saved } from '../../bus/chip.ts'
import { LOAD_ACCESS, STORE_ACCESS } from '../../hart/causes.ts'
import { LOAD, STORE, FETCH, type AccessKind } from '../../memory/access.ts'
import type { Memory } from '../../memory/memory.ts'
import { iommu as table, IOMMU_BYTES, IOMMU_INTERRUPTS, IOMMU_MODE } from '../../spec/devices/iommu.ts'
import { command, FAULT, faultRecord, TTYP } from '../../spec/layouts/iommu.ts'
import { fieldOf, withField } from '../../spec/registers.ts'
import { type IommuPrices, iommuPrices } from '../../time/prices-devices.ts'
import { perform } from './command-queue.ts'
import { type DeviceContext, locate } from './device-context.ts'
import { Messages } from './messages.ts'
import { type Fault, Translation } from './translation.ts'

const PAGE = 4096
const TWO_32 = 2 ** 32
const TYPES = { [FETCH]: TTYP.FETCH, [LOAD]: TTYP.READ, [STORE]: TTYP.WRITE } as const
const VERSION = 0x10
const PHYSICAL_BITS = 56
/** Version 1.0; Sv39, Sv48, their x4 forms, Svpbmt, MSI_FLAT, AMO_HWAD; DBG. High word: 56 bits of physical address. */
const HAS = ['Sv39', 'Sv48', 'Svpbmt', 'Sv39x4', 'Sv48x4', 'MSI_FLAT', 'AMO_HWAD', 'DBG'] as const
const CAPABILITIES_LOW = VERSION | bits(...HAS.map(name => table.capabilities.fields[name].low))
const CAPABILITIES_HIGH = PHYSICAL_BITS << (table.capabilities.fields.PAS.low - 32)
/** Queues have at most so many entries, as a power of two: what one register write sets off stays bounded. */
const LARGEST_QUEUE = 12
const CONTEXTS = 16
const { cqcsr, fqcsr, ipsr, ddtp, fctl } = table
const CQ_ERRORS = bits(cqcsr.fields.cqmf.low, cqcsr.fields.cmd_to.low, cqcsr.fields.cmd_ill.low)
const FENCE_PENDING = bits(cqcsr.fields.fence_w_ip.low)
const FQ_ERRORS = bits(fqcsr.fields.fqmf.low, fqcsr.fields.fqof.low)
const ENABLE = 1
const INTERRUPT_ENABLE = 2
const ON = bits(cqcsr.fields.cqon.low)

export interface IommuOptions {
  readonly prices?: IommuPrices
  /** It can interrupt by message as well as by wire. */
  readonly messages?: boolean
}

export class Iommu implements Chip, Saved {
  readonly #dma: Dma
  /** The same memory, where tables are read. */
  readonly #tables: Dma
  readonly #wires: readonly Line[]
  readonly #translation: Translation
  readonly #words = new Uint32Array(IOMMU_BYTES / 4)
  readonly #prices: IommuPrices
  /** It can interrupt by message, if software says so. */
  readonly #messages: Messages | undefined
  /** Pending bits as they were: a message is for one that was not. */
  #announced = 0
  /** Reads of tables, ever. */
  #reads = 0
  /** Device contexts that it remembers, oldest first. */
  #contexts: DeviceContext[] = []

  /** `wires`: its interrupts, by vector; `memory` as it masters it itself is `dma`. */
  constructor(
    memory: Memory,
    dma: Dma,
    wires: readonly Line[],
    { prices = iommuPrices, messages = false }: IommuOptions = {},
  ) {
    this.#dma = dma
    this.#wires = wires
    this.#prices = prices
    this.#tables = {
      read: (address, into) => {
        this.#reads++
        return dma.read(address, into)
      },
      write: (address, from) => dma.write(address, from),
    }
    this.#translation = new Translation(memory, this.#tables)
    this.#messages = messages
      ? new Messages(dma, address => this.#report(0, undefined, address, { cause: FAULT.MSI_WRITE, iotval2: 0 }))
      : undefined
    const interrupts = messages ? IOMMU_INTERRUPTS.BOTH : IOMMU_INTERRUPTS.WIRES
    this.#words[0] = withField(table.capabilities.fields.IGS, CAPABILITIES_LOW, interrupts)
    this.#words[1] = CAPABILITIES_HIGH
    this.#set(fctl.at, bits(fctl.fields.WSI.low))
  }

  /** Memory as the function with this requester number reaches it. */
  behind(device: number): Dma {
    let owed = 0
    /** Does it, and remembers what the reads of tables on the way took. */
    const timed = (transfer: () => boolean): boolean => {
      const before = this.#reads + this.#translation.reads
      const done = transfer()
      owed += (this.#reads + this.#translation.reads - before) * this.#prices.tableRead
      return done
    }
    return {
      read: (address, into) =>
        timed(() =>
          this.#pieces(device, LOAD, address, into.length, (physical, from, to) =>
            this.#dma.read(physical, into.subarray(from, to)),
          ),
        ),
      write: (address, from) =>
        timed(() =>
          this.#pieces(device, STORE, address, from.length, (physical, first, last) =>
            this.#dma.write(physical, from.subarray(first, last)),
          ),
        ),
      waited: () => {
        const nanoseconds = owed
        owed = 0
        return nanoseconds
      },
    }
  }

  read(offset: number, bytes: 1 | 2 | 4): number {
    if (bytes !== 4) return 0
    return this.#messages?.has(offset) ? this.#messages.read(offset) : (this.#words[offset >> 2] ?? 0)
  }

  write(offset: number, bytes: 1 | 2 | 4, value: number): void {
    if (bytes !== 4) return
    switch (offset) {
      case ddtp.at: {
        const mode = value & 15
        if (mode <= IOMMU_MODE.LVL3) this.#set(offset, value & ~0x3f0)
        return
      }
      case table.cqb.at:
      case table.fqb.at:
        return this.#setBase(offset, value)
      case ddtp.at + 4:
      case table.cqb.at + 4:
      case table.fqb.at + 4:
        return this.#set(offset, value & 0x3f_ffff)
      case table.cqt.at:
        this.#set(offset, value & this.#indices(table.cqb.at))
        return this.#runCommands()
      case table.fqh.at:
        return this.#set(offset, value & this.#indices(table.fqb.at))
      case cqcsr.at:
        return this.#controlCommands(value)
      case fqcsr.at:
        return this.#controlFaults(value)
      case ipsr.at:
        this.#set(offset, this.#get(offset) & ~value)
        return this.#drive(true)
      case fctl.at:
        return this.#messages && this.#set(offset, value & bits(fctl.fields.WSI.low))
      case table.icvec.at:
        // Two bits a cause: there are four wires.
        this.#set(offset, value & 0x3333)
        return this.#drive(false)
      case table.tr_req_iova.at:
      case table.tr_req_iova.at + 4:
      case table.tr_req_ctl.at + 4:
        return this.#set(offset, value)
      case table.tr_req_ctl.at:
        this.#set(offset, value & ~0xff1)
        if ((value & 1) !== 0) this.#request()
        return
    }
    if (this.#messages?.has(offset)) this.#messages.write(offset, value)
  }

  save(): Plain {
    return {
      words: new Uint8Array(this.#words.buffer).slice(),
      announced: this.#announced,
      messages: this.#messages?.save() ?? null,
      translation: this.#translation.save(),
      contexts: this.#contexts.map(({ msiMask, msiPattern, ...plain }) => ({
        ...plain,
        msiMask: msiMask.toString(),
        msiPattern: msiPattern.toString(),
      })),
    }
  }

  restore(state: Plain): void {
    const saved = state as unknown as {
      words: Uint8Array
      announced: number
      messages: Plain
      translation: Plain
      contexts: (Omit<DeviceContext, 'msiMask' | 'msiPattern'> & { msiMask: string; msiPattern: string })[]
    }
    new Uint8Array(this.#words.buffer).set(saved.words)
    this.#announced = saved.announced
    this.#messages?.restore(saved.messages)
    this.#translation.restore(saved.translation)
    this.#contexts = saved.contexts.map(({ msiMask, msiPattern, ...plain }) => ({
      ...plain,
      msiMask: BigInt(msiMask),
      msiPattern: BigInt(msiPattern),
    }))
  }

  /** Translates page by page before anything is moved: a transfer of which a part is refused does not happen. */
  #pieces(
    device: number,
    kind: AccessKind,
    address: number,
    bytes: number,
    move: (physical: number, from: number, to: number) => boolean,
  ): boolean {
    const pieces: { readonly physical: number; readonly from: number; readonly to: number }[] = []
    for (let done = 0; done < bytes; ) {
      const offset = (address + done) % PAGE
      const physical = this.#translate(device, kind, address + done)
      if (physical < 0) return false
      const to = Math.min(bytes, done + PAGE - offset)
      pieces.push({ physical, from: done, to })
      done = to
    }
    for (const { physical, from, to } of pieces) {
      if (move(physical, from, to)) continue
      this.#report(device, kind, address + from, { cause: kind === STORE ? STORE_ACCESS : LOAD_ACCESS, iotval2: 0 })
      return false
    }
    return true
  }

  /** The physical address, or -1; the fault is in the queue then. */
  #translate(device: number, kind: AccessKind, address: number): number {
    const found = this.#find(device, kind, Math.floor(address / PAGE))
    if (typeof found === 'number') return found * PAGE + (address % PAGE)
    if (!found.silent) this.#report(device, kind, address, found)
    return -1
  }

  /** IOMMU 3.3: the physical page, or the fault. */
  #find(device: number, kind: AccessKind, page: number): number | (Fault & { readonly silent: boolean }) {
    const mode = fieldOf(ddtp.fields.iommu_mode, this.#get(ddtp.at))
    if (mode === IOMMU_MODE.BARE) return page
    if (mode === IOMMU_MODE.OFF) return { cause: FAULT.ALL_DISALLOWED, iotval2: 0, silent: false }
    const context = this.#contextOf(device, mode)
    if (typeof context === 'number') return { cause: context, iotval2: 0, silent: false }
    const found = this.#translation.find(context, kind, page)
    return typeof found === 'number' ? found : { ...found, silent: context.silent }
  }

  #contextOf(device: number, mode: number): DeviceContext | number {
    const known = this.#contexts.find(context => context.device === device)
    if (known) return known
    const found = locate(this.#tables, mode, this.#pageIn(ddtp.at), device)
    if (typeof found === 'number') return found
    if (this.#contexts.length === CONTEXTS) this.#contexts.shift()
    this.#contexts.push(found)
    return found
  }

  /** Bits 53:10 of a register: a page's number. */
  #pageIn(at: number): number {
    return this.#get(at + 4) * 2 ** 22 + (this.#get(at) >>> 10)
  }

  #setBase(at: number, value: number): void {
    const size = Math.min(value & 31, LARGEST_QUEUE - 1)
    this.#set(at, ((value & ~0x3ff) | size) >>> 0)
    const index = at === table.cqb.at ? table.cqt.at : table.fqh.at
    this.#set(index, this.#get(index) & this.#indices(at))
  }

  /** The mask of a queue's indices. */
  #indices(base: number): number {
    return 2 ** ((this.#get(base) & 31) + 1) - 1
  }

  #controlCommands(value: number): void {
    const old = this.#get(cqcsr.at)
    let next = (old & ~(ENABLE | INTERRUPT_ENABLE)) | (value & (ENABLE | INTERRUPT_ENABLE))
    next &= ~(value & (CQ_ERRORS | FENCE_PENDING))
    if ((value & ENABLE) !== 0 && (old & ENABLE) === 0) {
      next &= ~(CQ_ERRORS | FENCE_PENDING)
      this.#set(table.cqh.at, 0)
    }
    this.#set(cqcsr.at, (value & ENABLE) !== 0 ? next | ON : next & ~ON)
    this.#runCommands()
    this.#drive(true)
  }

  #controlFaults(value: number): void {
    const old = this.#get(fqcsr.at)
    let next = (old & ~(ENABLE | INTERRUPT_ENABLE)) | (value & (ENABLE | INTERRUPT_ENABLE))
    next &= ~(value & FQ_ERRORS)
    if ((value & ENABLE) !== 0 && (old & ENABLE) === 0) {
      next &= ~FQ_ERRORS
      this.#set(table.fqt.at, 0)
    }
    this.#set(fqcsr.at, (value & ENABLE) !== 0 ? next | ON : next & ~ON)
    this.#drive(true)
  }

  /** Takes commands until there is none, or one cannot be done: cqh stays at it then. */
  #runCommands(): void {
    const context = {
      memory: this.#dma,
      translation: this.#translation,
      wired: (this.#get(fctl.at) & bits(fctl.fields.WSI.low)) !== 0,
      forget: (device: number | undefined) => {
        this.#contexts = this.#contexts.filter(known => device !== undefined && known.device !== device)
      },
    }
    const bytes = new Uint8Array(command.size)
    const view = new DataView(bytes.buffer)
    while (this.#get(table.cqh.at) !== this.#get(table.cqt.at)) {
      const control = this.#get(cqcsr.at)
      if ((control & ON) === 0 || (control & CQ_ERRORS) !== 0) return
      const head = this.#get(table.cqh.at)
      const outcome = this.#dma.read(this.#pageIn(table.cqb.at) * PAGE + head * command.size, bytes)
        ? perform(view.getBigUint64(0, true), view.getBigUint64(8, true), context)
        : 'memory fault'
      if (outcome === 'illegal') this.#flagCommands(bits(cqcsr.fields.cmd_ill.low))
      else if (outcome === 'memory fault') this.#flagCommands(bits(cqcsr.fields.cqmf.low))
      else {
        this.#set(table.cqh.at, (head + 1) & this.#indices(table.cqb.at))
        if (outcome === 'fence interrupt') this.#flagCommands(FENCE_PENDING)
      }
    }
  }

  #flagCommands(flag: number): void {
    this.#set(cqcsr.at, this.#get(cqcsr.at) | flag)
    this.#drive(true)
  }

  /** Puts a fault into the queue, if there is room and it is on. */
  #report(device: number, kind: AccessKind | undefined, address: number, { cause, iotval2 }: Fault): void {
    const control = this.#get(fqcsr.at)
    if ((control & ON) === 0 || (control & FQ_ERRORS) !== 0) return
    const tail = this.#get(table.fqt.at)
    const next = (tail + 1) & this.#indices(table.fqb.at)
    if (next === this.#get(table.fqh.at)) return this.#flagFaults(bits(fqcsr.fields.fqof.low))
    const bytes = new Uint8Array(faultRecord.size)
    const view = new DataView(bytes.buffer)
    const { TTYP: type, DID } = faultRecord.first.fields
    view.setUint32(0, cause, true)
    view.setUint32(4, ((kind === undefined ? 0 : TYPES[kind]) << (type.low - 32)) | (device << (DID.low - 32)), true)
    put(view, faultRecord.iotval.at, address)
    put(view, faultRecord.iotval2.at, iotval2)
    if (!this.#dma.write(this.#pageIn(table.fqb.at) * PAGE + tail * faultRecord.size, bytes))
      return this.#flagFaults(bits(fqcsr.fields.fqmf.low))
    this.#set(table.fqt.at, next)
    if ((control & INTERRUPT_ENABLE) !== 0) this.#set(ipsr.at, this.#get(ipsr.at) | bits(ipsr.fields.fip.low))
    this.#drive(false)
  }

  #flagFaults(flag: number): void {
    this.#set(fqcsr.at, this.#get(fqcsr.at) | flag)
    this.#drive(true)
  }

  /** The debug interface: what would become of a request (tr_req_ctl). */
  #request(): void {
    const { Exe, NW } = table.tr_req_ctl.fields
    const control = this.#get(table.tr_req_ctl.at)
    const device = this.#get(table.tr_req_ctl.at + 4) >>> 8
    const address = this.#get(table.tr_req_iova.at + 4) * TWO_32 + this.#get(table.tr_req_iova.at)
    const kind = fieldOf(Exe, control) === 1 ? FETCH : fieldOf(NW, control) === 1 ? LOAD : STORE
    const physical = this.#translate(device, kind, address)
    const page = Math.floor(physical / PAGE)
    this.#set(table.tr_response.at, physical < 0 ? 1 : (page % 2 ** 22) * 1024)
    this.#set(table.tr_response.at + 4, physical < 0 ? 0 : Math.floor(page / 2 ** 22))
  }

  /** Pending bits and wires follow what is the matter; `anew`: conditions that hold still set their bits again. */
  #drive(anew: boolean): void {
    if (anew) {
      const commands = this.#get(cqcsr.at)
      const faults = this.#get(fqcsr.at)
      let pending = this.#get(ipsr.at)
      if ((commands & INTERRUPT_ENABLE) !== 0 && (commands & (CQ_ERRORS | FENCE_PENDING)) !== 0)
        pending |= bits(ipsr.fields.cip.low)
      if ((faults & INTERRUPT_ENABLE) !== 0 && (faults & FQ_ERRORS) !== 0) pending |= bits(ipsr.fields.fip.low)
      this.#set(ipsr.at, pending)
    }
    const pending = this.#get(ipsr.at)
    const vectors = this.#get(table.icvec.at)
    const { civ, fiv } = table.icvec.fields
    const wired = (this.#get(fctl.at) & bits(fctl.fields.WSI.low)) !== 0
    const fresh = wired ? 0 : pending & ~this.#announced
    this.#announced = pending
    if ((fresh & bits(ipsr.fields.cip.low)) !== 0) this.#messages?.signal(fieldOf(civ, vectors))
    if ((fresh & bits(ipsr.fields.fip.low)) !== 0) this.#messages?.signal(fieldOf(fiv, vectors))
    this.#wires.forEach((wire, vector) => {
      const commands = (pending & bits(ipsr.fields.cip.low)) !== 0 && fieldOf(civ, vectors) === vector
      const faults = (pending & bits(ipsr.fields.fip.low)) !== 0 && fieldOf(fiv, vectors) === vector
      wire.set(wired && (commands || faults))
    })
  }

  #get(at: number): number {
    return this.#words[at >> 2]
  }

  #set(at: number, value: number): void {
    this.#words[at >> 2] = value
  }
}

function bits(...positions: readonly number[]): number {
  return positions.reduce((mask, position) => (mask | (1 << position)) >>> 0, 0)
}

function put(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_32, true)
  view.setUint32(at + 4, Math.floor(value / TWO_32), true)
}
