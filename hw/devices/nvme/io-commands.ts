/** The NVM command set: when each command ends, and what it does then. NVMe 1.4 section 6. */
import type { Clock, Dma, Plain, Saved } from '../../bus/chip.ts'
import { NVM, STATUS } from '../../spec/devices/nvme.ts'
import { datasetRange, readWriteCommand } from '../../spec/layouts/nvme.ts'
import { fieldOf } from '../../spec/registers.ts'
import { SECTOR_BYTES } from '../disk-backing.ts'
import type { Backing } from '../disk-backing.ts'
import type { Command } from './command.ts'
import type { Features } from './features.ts'
import type { Health } from './health.ts'
import { MDTS } from './identify.ts'
import type { Namespace, Namespaces } from './namespaces.ts'
import type { Medium } from './medium.ts'
import { PAGE, gather, scatter, segments } from './prp.ts'
import { WriteCache } from './write-cache.ts'

/** Something wrong with a range of the medium's sectors: plain data, saved with the drive. */
export type NvmeFault = {
  readonly kind: 'media error' | 'slow' | 'lost completion'
  readonly sector: number
  readonly count: number
  /** By how much 'slow' delays a command. */
  readonly nanoseconds?: number
}

export interface IoParts {
  readonly dma: Dma
  readonly backing: Backing
  readonly clock: Clock
  readonly medium: Medium
  readonly namespaces: Namespaces
  readonly features: Features
  readonly health: Health
  faults(): readonly NvmeFault[]
}

const ALL_NAMESPACES = 0xffff_ffff
const ATTRIBUTE_DEALLOCATE = 4
const { NLB, FUA } = readWriteCommand.CDW12.fields

type Outcome = { readonly status: number; readonly result: number }
const ended = (status: number): Outcome => ({ status, result: 0 })

export class IoCommands implements Saved {
  readonly #parts: IoParts
  readonly #cache: WriteCache
  /** Writes on their way from the cache to the medium: the cycle at which each will be there, never falling. */
  #drains: { readonly cycle: number; readonly bytes: number }[] = []
  /** The same, for writes that have not been completed yet, by queue and command. */
  #booked = new Map<number, number>()

  constructor(parts: IoParts) {
    this.#parts = parts
    this.#cache = new WriteCache(parts.backing)
  }

  /** Takes a command up: the cycle at which it ends, or Infinity if it never will. */
  start(command: Command): number {
    const { clock, medium } = this.#parts
    const now = clock.now()
    const sector = this.#sectorOf(command)
    const sectors = fieldOf(NLB, command.cdw12) + 1
    const bytes = sectors * SECTOR_BYTES
    const fault = this.#faultAt(command)
    if (fault?.kind === 'lost completion') return Infinity
    const delay = fault?.kind === 'slow' ? medium.cycles(fault.nanoseconds ?? 0) : 0
    const soon = now + medium.cycles(medium.prices.command) + delay
    if (this.#check(command) !== STATUS.SUCCESS) return soon
    switch (command.opcode) {
      case NVM.READ:
        return this.#cache.covers(sector, sectors) ? soon : medium.read(now, sector * SECTOR_BYTES, bytes) + delay
      case NVM.WRITE: {
        const accepted = medium.accept(now, bytes) + delay
        if (this.#writesThrough(command)) return medium.program(accepted, sector * SECTOR_BYTES, bytes)
        const cached = Math.max(accepted, this.#roomAt(now, bytes)) + medium.cycles(medium.prices.cacheWrite)
        const cycle = Math.max(this.#drainedAt(), medium.program(cached, sector * SECTOR_BYTES, bytes))
        this.#drains.push({ cycle, bytes })
        this.#booked.set(keyOf(command), cycle)
        return cached
      }
      case NVM.FLUSH:
      case NVM.WRITE_ZEROES:
      case NVM.DATASET_MANAGEMENT:
        return Math.max(soon, this.flushedAt())
      default:
        return soon
    }
  }

  /** The command's time has come: moves its data. */
  finish(command: Command): Outcome {
    const status = this.#check(command)
    if (status !== STATUS.SUCCESS) return ended(status)
    const sector = this.#sectorOf(command)
    const sectors = fieldOf(NLB, command.cdw12) + 1
    switch (command.opcode) {
      case NVM.READ:
        return ended(this.#read(command, sector, sectors))
      case NVM.WRITE:
        return ended(this.#write(command, sector, sectors))
      case NVM.FLUSH:
        this.#cache.flush()
        return ended(STATUS.SUCCESS)
      case NVM.WRITE_ZEROES:
        this.#zero(sector, sectors)
        return ended(STATUS.SUCCESS)
      default:
        return ended(this.#manage(command))
    }
  }

  /** The cycle by which all that is cached now will be on the medium. */
  flushedAt(): number {
    return Math.max(this.#parts.clock.now(), this.#drainedAt())
  }

  flush(): void {
    this.#cache.flush()
  }

  powerCut(): void {
    this.#cache.lose()
    this.#drains = []
    this.#booked.clear()
  }

  /** A cached write has been programmed, and with it all that came before it. */
  programmed(sequence: number): void {
    this.#cache.evictThrough(sequence)
  }

  #check(command: Command): number {
    const namespace = this.#namespaceOf(command)
    if (!Object.values<number>(NVM).includes(command.opcode)) return STATUS.INVALID_OPCODE
    if (command.fused !== 0 || command.psdt !== 0) return STATUS.INVALID_FIELD
    if (command.opcode === NVM.FLUSH) {
      return namespace || command.nsid === ALL_NAMESPACES ? STATUS.SUCCESS : STATUS.INVALID_NAMESPACE
    }
    if (!namespace) return STATUS.INVALID_NAMESPACE
    if (command.opcode === NVM.DATASET_MANAGEMENT) return STATUS.SUCCESS
    const sectors = fieldOf(NLB, command.cdw12) + 1
    if (command.opcode !== NVM.WRITE_ZEROES && sectors * SECTOR_BYTES > PAGE << MDTS) return STATUS.INVALID_FIELD
    if (startOf(command) + sectors > namespace.sectors) return STATUS.LBA_OUT_OF_RANGE
    if (this.#faultAt(command)?.kind !== 'media error') return STATUS.SUCCESS
    return command.opcode === NVM.READ ? STATUS.UNRECOVERED_READ_ERROR : STATUS.WRITE_FAULT
  }

  #faultAt(command: Command): NvmeFault | undefined {
    const faults = this.#parts.faults()
    if (faults.length === 0 || command.opcode === NVM.FLUSH || command.opcode === NVM.DATASET_MANAGEMENT)
      return undefined
    const first = this.#sectorOf(command)
    const end = first + fieldOf(NLB, command.cdw12) + 1
    return faults.find(({ sector, count }) => sector < end && first < sector + count)
  }

  #read(command: Command, sector: number, sectors: number): number {
    const to = segments(this.#parts.dma, command.prp1, command.prp2, sectors * SECTOR_BYTES)
    if (typeof to === 'number') return to
    const data = new Uint8Array(sectors * SECTOR_BYTES)
    this.#cache.read(sector, data)
    if (!scatter(this.#parts.dma, to, data)) return STATUS.DATA_TRANSFER_ERROR
    this.#parts.health.read(sectors)
    return STATUS.SUCCESS
  }

  #write(command: Command, sector: number, sectors: number): number {
    const { dma, backing, clock, health } = this.#parts
    const from = segments(dma, command.prp1, command.prp2, sectors * SECTOR_BYTES)
    if (typeof from === 'number') return from
    const data = new Uint8Array(sectors * SECTOR_BYTES)
    if (!gather(dma, from, data)) return STATUS.DATA_TRANSFER_ERROR
    health.wrote(sectors)
    const drain = this.#booked.get(keyOf(command))
    this.#booked.delete(keyOf(command))
    if (drain === undefined) {
      // what is cached is older, and must not overwrite this later
      this.#cache.flush()
      backing.write(sector, data)
      backing.flush()
    } else {
      clock.at(drain, 'programmed', this.#cache.write(sector, data))
    }
    return STATUS.SUCCESS
  }

  #manage(command: Command): number {
    const count = (command.cdw10 & 0xff) + 1
    const from = segments(this.#parts.dma, command.prp1, command.prp2, count * datasetRange.size)
    if (typeof from === 'number') return from
    const data = new Uint8Array(count * datasetRange.size)
    if (!gather(this.#parts.dma, from, data)) return STATUS.DATA_TRANSFER_ERROR
    if (!(command.cdw11 & ATTRIBUTE_DEALLOCATE)) return STATUS.SUCCESS
    const view = new DataView(data.buffer)
    const ranges = Array.from({ length: count }, (_, i) => {
      const at = i * datasetRange.size
      const low = view.getUint32(at + datasetRange.SLBA.at, true)
      const high = view.getUint32(at + datasetRange.SLBA.at + 4, true)
      return { sector: high * 2 ** 32 + low, sectors: view.getUint32(at + datasetRange.NLB.at, true) }
    })
    const { first, sectors: most } = this.#namespaceOf(command)!
    if (ranges.some(({ sector, sectors }) => sector + sectors > most)) return STATUS.LBA_OUT_OF_RANGE
    for (const { sector, sectors } of ranges) this.#zero(first + sector, sectors)
    return STATUS.SUCCESS
  }

  #zero(sector: number, sectors: number): void {
    this.#cache.flush()
    this.#parts.backing.zero(sector, sectors)
    this.#parts.backing.flush()
  }

  #namespaceOf(command: Command): Namespace | undefined {
    return this.#parts.namespaces[command.nsid - 1]
  }

  /** Where a command begins on the medium. */
  #sectorOf(command: Command): number {
    return (this.#namespaceOf(command)?.first ?? 0) + startOf(command)
  }

  #writesThrough(command: Command): boolean {
    return !this.#parts.features.writeCache || fieldOf(FUA, command.cdw12) === 1
  }

  #drainedAt(): number {
    return this.#drains.at(-1)?.cycle ?? 0
  }

  /** The cycle at which the cache has room for so many bytes more. */
  #roomAt(now: number, bytes: number): number {
    this.#drains = this.#drains.filter(({ cycle }) => cycle > now)
    let held = this.#drains.reduce((sum, drain) => sum + drain.bytes, bytes)
    let at = now
    for (const drain of this.#drains) {
      if (held <= this.#parts.medium.prices.cacheBytes) break
      held -= drain.bytes
      at = drain.cycle
    }
    return at
  }

  save(): Plain {
    return {
      cache: this.#cache.save(),
      drains: this.#drains.map(drain => ({ ...drain })),
      booked: [...this.#booked].map(pair => [...pair]),
    }
  }

  restore(state: Plain): void {
    const saved = state as {
      cache: Plain
      drains: readonly { cycle: number; bytes: number }[]
      booked: readonly (readonly [number, number])[]
    }
    this.#cache.restore(saved.cache)
    this.#drains = [...saved.drains]
    this.#booked = new Map(saved.booked)
  }
}

/** SLBA: words 10 and 11. */
function startOf(command: Command): number {
  return command.cdw11 * 2 ** 32 + command.cdw10
}

function keyOf(command: Command): number {
  return command.queue * 0x1_0000 + command.cid
}
