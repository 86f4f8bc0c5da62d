/**
 * The virtual functions of one port: what each shows at its BARs, whose queue is whose, and what a reset of one of them
 * does. Virtual function n has pool n (queues n and n + 8) and three bits of EICR, from the top down: 24 - 3 n and below.
 */
import type { Chip, Dma, Plain, Saved } from '../../bus/chip.ts'
import { PcieFunction } from '../../bus/pcie-function.ts'
import { Sriov, ariAlone } from '../../bus/pcie-sriov.ts'
import { restoreWords, savedWords } from '../../bus/saved-words.ts'
import { NIC_CAUSES, NIC_POOLS, NIC_REVISION, NIC_SUBSYSTEM, NIC_VENDOR, nic } from '../../spec/devices/nic.ts'
import {
  NIC_FUNCTION_BYTES,
  NIC_FUNCTION_DEVICE,
  NIC_FUNCTION_QUEUES,
  NIC_FUNCTION_VECTORS,
  nicFunction,
} from '../../spec/devices/nic-function.ts'
import { fieldOf } from '../../spec/registers.ts'
import type { Register } from '../../spec/registers.ts'
import type { Interrupts, VirtualVectors } from './interrupts.ts'
import { Mailboxes } from './mailboxes.ts'
import type { RegisterFile } from './register-file.ts'
import { ivarRow, lowest, physicalPlace, vectorBit } from './virtual-places.ts'

const NETWORK_CLASS = 0x02_0000
const PENDING_AT = 0x2000
const VECTORS = (1 << NIC_FUNCTION_VECTORS) - 1
/** Of an entry of VTIVAR_MISC. */
const VALID = 0x80
/** Routing ids of virtual functions: 82576 9.6.4. */
const OFFSET = { plain: 0x180, ari: 0x80 }
const STRIDE = 2
const F = nicFunction
const STATUS_SHOWN =
  (1 << F.VTSTATUS.fields.FD.low) |
  (1 << F.VTSTATUS.fields.LU.low) |
  (3 << F.VTSTATUS.fields.LAN_ID.low) |
  (3 << F.VTSTATUS.fields.SPEED.low)
const COUNTERS = [
  F.VFGPRC,
  F.VFGPTC,
  F.VFGORC,
  F.VFGOTC,
  F.VFMPRC,
  F.VFGPRLBC,
  F.VFGPTLBC,
  F.VFGORLBC,
  F.VFGOTLBC,
] as const
/** A counter of a virtual function. */
export type Counter = (typeof COUNTERS)[number]
const counterAt = new Map<number, number>(COUNTERS.map(({ at }, index) => [at, index]))

/** What the port lends to its virtual functions. */
export interface PortParts {
  readonly registers: RegisterFile
  /** Its registers by offset, with all that an access sets off. */
  read(offset: number): number
  write(offset: number, value: number): void
  interrupts(): Interrupts
  physical(): PcieFunction
  /** A mailbox calls the physical function. */
  called(): void
  /** A pool's queues stand still from now on. */
  stopped(pool: number): void
}

/** One of several ports of a card. */
export interface Place {
  /** The virtual functions of the card's first port, if this is another. */
  readonly first?: Sriov
  /** Function number of the next port, 0 if this is the last. */
  readonly next: number
}

export class VirtualFunctions implements VirtualVectors, Saved {
  readonly sriov: Sriov
  readonly mailboxes: Mailboxes
  readonly #functions: readonly PcieFunction[]
  readonly #registers: RegisterFile
  readonly #port: PortParts
  /** By virtual function: VTIVAR and VTIVAR_MISC as they were written, and its counters. */
  readonly #vectors = new Uint32Array(NIC_POOLS * 2)
  readonly #counters = new Uint32Array(NIC_POOLS * COUNTERS.length)

  constructor(count: number, place: Place, port: PortParts) {
    if (!Number.isInteger(count) || count < 0 || count > NIC_POOLS)
      throw new RangeError(`${count} virtual functions: a port of the 82576 has 0 to ${NIC_POOLS}`)
    this.#registers = port.registers
    this.#port = port
    this.mailboxes = new Mailboxes(port.registers, { toPhysical: port.called, toVirtual: index => this.#call(index) })
    const functions = Array.from({ length: count }, (_, index) => this.#make(index))
    this.#functions = functions.map(made => made.function)
    this.sriov = new Sriov(
      {
        device: NIC_FUNCTION_DEVICE,
        bars: [
          { index: 0, bytes: NIC_FUNCTION_BYTES },
          { index: 3, bytes: NIC_FUNCTION_BYTES },
        ],
        functions,
        stride: STRIDE,
        offset: OFFSET,
        ...place,
        changed: affected => {
          for (let index = 0; index < affected; index++) {
            this.#functions[index].reset()
            this.#clear(index)
          }
        },
      },
      port.physical,
    )
  }

  /** The port is reset: its registers have been already. */
  reset(): void {
    this.#vectors.fill(0)
    this.mailboxes.reset()
  }

  /** Whose memory a queue's descriptors and buffers are in. */
  dma(queue: number): Dma {
    const pool = queue % NIC_POOLS
    return pool < this.sriov.active ? this.#functions[pool].dma : this.#port.physical().dma
  }

  /** Counts for a pool, if that is a virtual function's. */
  count(queue: number, counter: Counter, by = 1): void {
    const pool = queue % NIC_POOLS
    if (pool < this.sriov.active) this.#counters[pool * COUNTERS.length + counterAt.get(counter.at)!] += by
  }

  get bits(): number {
    const vectors = this.sriov.active * NIC_FUNCTION_VECTORS
    return vectors === 0 ? 0 : ((1 << vectors) - 1) << (NIC_CAUSES - vectors)
  }

  raise(vector: number): void {
    const index = Math.floor((NIC_CAUSES - 1 - vector) / NIC_FUNCTION_VECTORS)
    this.#functions[index].msix!.raise(vector - lowest(index))
  }

  #make(index: number): { readonly function: PcieFunction; readonly windows: readonly Chip[] } {
    const made: PcieFunction = new PcieFunction(
      {
        // software knows these from the physical function
        vendor: 0xffff,
        device: 0xffff,
        class: NETWORK_CLASS,
        revision: NIC_REVISION,
        subsystemVendor: NIC_VENDOR,
        subsystem: NIC_SUBSYSTEM,
        pin: 0,
        virtual: true,
      },
      {
        bars: [],
        msix: { vectors: NIC_FUNCTION_VECTORS, bar: 3, table: 0, pending: PENDING_AT },
        extended: ariAlone,
        reset: () => this.#reset(index),
      },
    )
    const part = (offset: number) => (offset < PENDING_AT ? made.msix!.table : made.msix!.pendingBits)
    return {
      function: made,
      windows: [
        {
          read: (offset, bytes) => {
            const word = this.#read(index, offset & ~3) >>> 0
            return bytes === 4 ? word : (word >>> ((offset & 3) * 8)) & (bytes === 2 ? 0xffff : 0xff)
          },
          write: (offset, bytes, value) => {
            if (bytes === 4) this.#write(index, offset, value)
          },
        },
        {
          read: (offset, bytes) => part(offset).read(offset % PENDING_AT, bytes),
          write: (offset, bytes, value) => part(offset).write(offset % PENDING_AT, bytes, value),
        },
      ],
    }
  }

  #call(index: number): void {
    const entry = this.#vectors[index * 2 + 1]
    if (entry & VALID && index < this.sriov.active) this.#port.interrupts().virtual(vectorBit(index, entry & 3))
  }

  /** The virtual function resets itself, by VTCTRL or as a PCI Express function. */
  #reset(index: number): void {
    this.#clear(index)
    const registers = this.#registers
    registers.set(nic.VFRE, registers.get(nic.VFRE) & ~(1 << index))
    registers.set(nic.VFTE, registers.get(nic.VFTE) & ~(1 << index))
    this.mailboxes.virtualReset(index)
  }

  /** Its queues stand still and its interrupts are gone. */
  #clear(index: number): void {
    const registers = this.#registers
    for (let queue = index; queue < index + NIC_FUNCTION_QUEUES * NIC_POOLS; queue += NIC_POOLS) {
      for (const register of [nic.RXDCTL, nic.TXDCTL, nic.RDH, nic.RDT, nic.TDH, nic.TDT])
        registers.set(register, 0, queue)
    }
    const bits = VECTORS << lowest(index)
    for (const register of [nic.EICR, nic.EIMS, nic.EIAC, nic.EIAM])
      registers.set(register, registers.get(register) & ~bits)
    for (let vector = 0; vector < NIC_FUNCTION_VECTORS; vector++) registers.set(nic.EITR, 0, lowest(index) + vector)
    registers.set(nic.IVAR, 0, index)
    this.#vectors.fill(0, index * 2, index * 2 + 2)
    this.#port.stopped(index)
  }

  #read(index: number, at: number): number {
    const shift = lowest(index)
    const mine = (register: Register) => (this.#registers.get(register) >>> shift) & VECTORS
    switch (at) {
      case F.VTSTATUS.at:
        return this.#port.read(nic.STATUS.at) & STATUS_SHOWN
      case F.VTFRTIMER.at:
        return this.#port.read(nic.FRTIMER.at)
      case F.V2PMAILBOX.at:
        return this.mailboxes.readVirtual(index)
      case F.VTEICR.at:
        return (this.#port.interrupts().readEicr(VECTORS << shift) >>> shift) & VECTORS
      case F.VTEIMS.at:
      case F.VTEIMC.at:
        return mine(nic.EIMS)
      case F.VTEIAC.at:
        return mine(nic.EIAC)
      case F.VTEIAM.at:
        return mine(nic.EIAM)
      case F.VTIVAR.at:
        return this.#vectors[index * 2]
      case F.VTIVAR_MISC.at:
        return this.#vectors[index * 2 + 1]
    }
    const counter = counterAt.get(at)
    if (counter !== undefined) return this.#counters[index * COUNTERS.length + counter]
    const physical = physicalPlace(index, at)
    return physical === undefined ? 0 : this.#port.read(physical)
  }

  #write(index: number, at: number, value: number): void {
    const shift = lowest(index)
    const bits = VECTORS << shift
    const mine = (value << shift) & bits
    const registers = this.#registers
    switch (at) {
      case F.VTCTRL.at:
        if (fieldOf(F.VTCTRL.fields.RST, value)) this.#reset(index)
        return
      case F.V2PMAILBOX.at:
        return this.mailboxes.writeVirtual(index, value)
      case F.VTEICS.at:
        return this.#port.write(nic.EICS.at, mine)
      case F.VTEIMS.at:
        return this.#port.write(nic.EIMS.at, mine)
      case F.VTEIMC.at:
        return this.#port.write(nic.EIMC.at, mine)
      case F.VTEICR.at:
        return this.#port.write(nic.EICR.at, mine)
      case F.VTEIAC.at:
        return registers.set(nic.EIAC, (registers.get(nic.EIAC) & ~bits) | mine)
      case F.VTEIAM.at:
        return registers.set(nic.EIAM, (registers.get(nic.EIAM) & ~bits) | mine)
      case F.VTIVAR.at:
        this.#vectors[index * 2] = value
        return registers.set(nic.IVAR, ivarRow(index, value), index)
      case F.VTIVAR_MISC.at:
        this.#vectors[index * 2 + 1] = value
        return
    }
    const physical = physicalPlace(index, at)
    if (physical !== undefined) this.#port.write(physical, value)
  }

  save(): Plain {
    return {
      sriov: this.sriov.save(),
      mailboxes: this.mailboxes.save(),
      vectors: savedWords(this.#vectors),
      counters: savedWords(this.#counters),
    }
  }

  restore(state: Plain): void {
    const saved = state as { sriov: Plain; mailboxes: Plain; vectors: Uint8Array; counters: Uint8Array }
    this.sriov.restore(saved.sriov)
    this.mailboxes.restore(saved.mailboxes)
    restoreWords(this.#vectors, saved.vectors)
    restoreWords(this.#counters, saved.counters)
  }
}
