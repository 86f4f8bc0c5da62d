/**
 * From a device's address to the machine's: both stages by the same walker as the harts', MSI page tables, and a cache
 * of what was found. A cached translation is used until software invalidates it, whatever the tables say by then.
 */
import type { Dma, Plain } from '../../bus/chip.ts'
import { FETCH_ACCESS } from '../../hart/causes.ts'
import { USER } from '../../hart/state.ts'
import { FETCH, STORE, type AccessKind } from '../../memory/access.ts'
import type { Memory } from '../../memory/memory.ts'
import { Regime } from '../../memory/regime.ts'
import { FLAG_D, FLAG_GLOBAL, FLAG_GUEST_R, FLAG_GUEST_W, FLAG_R, FLAG_W } from '../../memory/tlb.ts'
import { Walker } from '../../memory/walk.ts'
import { BARE } from '../../spec/layouts/pte.ts'
import { FAULT, MSI_BASIC } from '../../spec/layouts/iommu.ts'
import type { DeviceContext } from './device-context.ts'

const PAGE = 4096
const ENTRIES = 64
/** Bytes of an entry of an MSI page table. */
const MSI_ENTRY = 16
const PPN = (1n << 44n) - 1n
/** Bits of an MSI entry in basic mode that mean something: V, M, PPN. */
const MSI_DEFINED = (PPN << 10n) | 7n

/** A 4 KiB page as one device context reaches it. */
interface Entry {
  readonly device: number
  /** Of the address that the device gives, and of the guest physical one (-1: no second stage). */
  readonly page: number
  readonly guestPage: number
  readonly physical: number
  readonly reads: boolean
  readonly writes: boolean
  readonly global: boolean
  readonly gscid: number
  readonly pscid: number
  readonly isGuest: boolean
}

/** A fault: its cause, and what goes into iotval2. */
export interface Fault {
  readonly cause: number
  readonly iotval2: number
}

/** Which entries an IOTINVAL means; undefined: any. */
export interface Invalidation {
  readonly guestOnly: boolean
  readonly gscid?: number
  readonly pscid?: number
  readonly page?: number
}

export class Translation {
  readonly #memory: Dma
  readonly #walker: Walker
  readonly #regime = new Regime()
  /** Oldest first. */
  #entries: Entry[] = []
  /** Reads of page tables, ever. */
  reads = 0

  constructor(memory: Memory, dma: Dma) {
    this.#memory = dma
    // The IOMMU's own accesses are checked by no PMP: it stands at the memory's side of it (IOMMU 3.3 leaves it to the platform).
    this.#walker = new Walker(memory, { allows: () => true })
  }

  /** The physical page of `page`, or the fault. */
  find(context: DeviceContext, kind: AccessKind, page: number): number | Fault {
    for (const entry of this.#entries) {
      if (entry.device === context.device && entry.page === page && (kind === STORE ? entry.writes : entry.reads))
        return entry.physical
    }
    if (context.mode === BARE && context.guestMode === BARE) return page
    if (context.mode === BARE && this.#isMessage(context, page)) return this.#message(context, kind, page)
    const walker = this.#walker
    const found = walker.walk(this.#regimeOf(context), kind, (page * PAGE) | 0, Math.floor(page / 2 ** 20) | 0)
    this.reads += walker.reads
    const { guestTarget } = walker
    if (guestTarget >= 0 && this.#isMessage(context, guestTarget)) return this.#message(context, kind, guestTarget)
    if (!found) return this.#fault()
    const { flags, physical } = walker
    this.#keep({
      device: context.device,
      page,
      guestPage: guestTarget,
      physical,
      reads: kind !== STORE || ((flags & FLAG_R) !== 0 && (context.guestMode === BARE || (flags & FLAG_GUEST_R) !== 0)),
      writes: kind === STORE || isWritable(flags, context),
      global: (flags & FLAG_GLOBAL) !== 0,
      gscid: context.gscid,
      pscid: context.pscid,
      isGuest: context.guestMode !== BARE,
    })
    return physical
  }

  /** Forgets what an IOTINVAL.VMA says (IOMMU 4.1.1). */
  invalidate({ guestOnly, gscid, pscid, page }: Invalidation): void {
    this.#walker.cache.clear()
    this.#walker.guestCache.clear()
    this.#entries = this.#entries.filter(
      entry =>
        entry.isGuest !== guestOnly ||
        (gscid !== undefined && entry.gscid !== gscid) ||
        (pscid !== undefined && (entry.pscid !== pscid || entry.global)) ||
        (page !== undefined && entry.page !== page),
    )
  }

  /** Forgets what an IOTINVAL.GVMA says: of one guest, or all; those that lead to one guest page, or all. */
  invalidateGuest(gscid: number | undefined, guestPage: number | undefined): void {
    this.#walker.cache.clear()
    this.#walker.guestCache.clear()
    this.#entries = this.#entries.filter(
      entry =>
        !entry.isGuest ||
        (gscid !== undefined && entry.gscid !== gscid) ||
        (guestPage !== undefined && entry.guestPage !== guestPage),
    )
  }

  save(): Plain {
    return {
      entries: this.#entries.map(entry => ({ ...entry })),
      cache: this.#walker.cache.save() as unknown as Plain,
      guestCache: this.#walker.guestCache.save() as unknown as Plain,
    }
  }

  restore(state: Plain): void {
    const saved = state as unknown as {
      entries: Entry[]
      cache: ReturnType<Walker['cache']['save']>
      guestCache: ReturnType<Walker['cache']['save']>
    }
    this.#entries = saved.entries.map(entry => ({ ...entry }))
    this.#walker.cache.restore(saved.cache)
    this.#walker.guestCache.restore(saved.guestCache)
  }

  #keep(entry: Entry): void {
    if (this.#entries.length === ENTRIES) this.#entries.shift()
    this.#entries.push(entry)
  }

  /** Requests without a process number come from user mode (IOMMU 3.3). */
  #regimeOf(context: DeviceContext): Regime {
    const regime = this.#regime
    regime.privilege = USER
    regime.physical = false
    regime.virtual = context.guestMode !== BARE
    regime.mode = context.mode
    regime.root = context.root
    regime.guestMode = context.guestMode
    regime.guestRoot = context.guestRoot
    regime.memoryTypes = true
    regime.guestMemoryTypes = true
    regime.updates = context.updates
    regime.guestUpdates = context.guestUpdates
    return regime
  }

  #fault(): Fault {
    const { cause, guestPage, guestOffset, implicit, implicitWrite } = this.#walker
    const address = guestPage * PAGE + guestOffset - (guestOffset % 4)
    return { cause, iotval2: address + (implicit ? 1 : 0) + (implicit && implicitWrite ? 2 : 0) }
  }

  /** True if a guest physical page is a virtual interrupt file's (msi_addr_mask, msi_addr_pattern). */
  #isMessage({ msiRoot, msiMask, msiPattern }: DeviceContext, guestPage: number): boolean {
    return msiRoot >= 0 && (BigInt(guestPage) & ~msiMask) === (msiPattern & ~msiMask)
  }

  /** The interrupt file's page by the MSI page table. */
  #message({ msiRoot, msiMask }: DeviceContext, kind: AccessKind, guestPage: number): number | Fault {
    const at = msiRoot * PAGE + extract(BigInt(guestPage), msiMask) * MSI_ENTRY
    const entry = new Uint8Array(MSI_ENTRY)
    const fault = (cause: number): Fault => ({ cause, iotval2: 0 })
    if (!this.#memory.read(at, entry)) return fault(FAULT.MSI_ACCESS)
    const view = new DataView(entry.buffer)
    const [low, high] = [view.getBigUint64(0, true), view.getBigUint64(8, true)]
    if ((low & 1n) === 0n) return fault(FAULT.MSI_NOT_VALID)
    const isBasic = ((low >> 1n) & 3n) === BigInt(MSI_BASIC)
    if (!isBasic || (low & ~MSI_DEFINED) !== 0n || high !== 0n) return fault(FAULT.MSI_MISCONFIGURED)
    return kind === FETCH ? fault(FETCH_ACCESS) : Number((low >> 10n) & PPN)
  }
}

function isWritable(flags: number, context: DeviceContext): boolean {
  const first = (flags & FLAG_W) !== 0 && (context.mode === BARE || (flags & FLAG_D) !== 0)
  return first && (context.guestMode === BARE || (flags & FLAG_GUEST_W) !== 0)
}

/** The bits of `value` where `mask` has ones, packed (IOMMU 3.3.3). */
function extract(value: bigint, mask: bigint): number {
  let result = 0
  let place = 1
  for (let bit = 0n; mask >> bit !== 0n; bit++) {
    if (((mask >> bit) & 1n) === 0n) continue
    if (((value >> bit) & 1n) === 1n) result += place
    place *= 2
  }
  return result
}
