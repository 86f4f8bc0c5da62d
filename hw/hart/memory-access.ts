/**
 * Loads, stores and atomics in full: translation, protection, RAM or device, any alignment. What may be done again
 * without looking is handed to the executor (`fill`).
 */
import type { Bus, BusWindow } from '../bus/bus.ts'
import { FETCH, LOAD, STORE, type AccessKind } from '../memory/access.ts'
import type { Memory } from '../memory/memory.ts'
import type { Mmu } from '../memory/mmu.ts'
import type { Regime } from '../memory/regime.ts'
import type { AmoOperation } from '../spec/isa/semantics.ts'
import { combine, result } from './atomic.ts'
import {
  LOAD_ACCESS,
  LOAD_GUEST_PAGE,
  LOAD_MISALIGNED,
  LOAD_PAGE,
  STORE_ACCESS,
  STORE_GUEST_PAGE,
  STORE_MISALIGNED,
  STORE_PAGE,
} from './causes.ts'
import type { Core } from './core.ts'
import type { Faults } from './faults.ts'
import type { HartCaches } from './caches.ts'
import { DONE, TRAPPED, type CacheBlockOperation, type Executor, type Outcome } from './services.ts'
import { ADDRESS, MACHINE, RESERVATION, VALUE } from './state.ts'

const ADDRESS_WORD = ADDRESS >> 2
const VALUE_WORD = VALUE >> 2
const RESERVATION_WORD = RESERVATION >> 2
const PAGE = 4096
const BLOCK = 64
/** Above bit 49 of an address there is no bus. */
const BEYOND_BUS = 18
const NO_MEMORY = -1

/** What the run loop must know of a device access. */
export interface DeviceListener {
  /** An access took place: DONE, or RELOAD if an interrupt can be taken now. */
  accessed(window: BusWindow, offset: number, bytes: number, low: number, high: number, write: boolean): Outcome
}

export class MemoryAccess {
  /** Physical page that `locate` found, and its host offset, or -1 if no memory is there. */
  page = 0
  host = NO_MEMORY
  readonly #core: Core
  readonly #memory: Memory
  readonly #words: Int32Array
  readonly #mmu: Mmu
  readonly #faults: Faults
  readonly #bus: Bus
  readonly #listener: DeviceListener
  readonly #executor: () => Executor
  readonly #caches: HartCaches | undefined
  /** RAM in pages: where nearly everything lies. */
  readonly #ramPage: number
  readonly #ramPages: number
  readonly #ramHost: number
  #inRam = false

  constructor(
    core: Core,
    mmu: Mmu,
    faults: Faults,
    bus: Bus,
    listener: DeviceListener,
    executor: () => Executor,
    caches: HartCaches | undefined,
  ) {
    this.#core = core
    this.#caches = caches
    this.#memory = core.memory
    const { ram } = core.memory
    this.#ramPage = ram.base / PAGE
    this.#ramPages = Math.floor(ram.bytes / PAGE)
    this.#ramHost = ram.host
    this.#words = core.words
    this.#mmu = mmu
    this.#faults = faults
    this.#bus = bus
    this.#listener = listener
    this.#executor = executor
  }

  /** Translates and checks [address, address + bytes), within a page, into `page` and `host`. False: the trap was taken. */
  locate(regime: Regime, kind: AccessKind, low: number, high: number, bytes: number, offset: number): boolean {
    let page: number
    if (regime.physical) {
      if (high >>> BEYOND_BUS !== 0) {
        this.#faults.access(regime, kind, low, high)
        return false
      }
      page = high * 2 ** 20 + (low >>> 12)
    } else {
      const mmu = this.#mmu
      if (!mmu.translate(regime, kind, low, high)) {
        this.#faults.translation(regime, low, high, offset)
        return false
      }
      page = mmu.page
    }
    const { pmp } = this.#mmu
    const machine = regime.privilege === MACHINE
    const address = page * PAGE + (low & 0xfff)
    // What HLVX reads must be readable and executable (H_pmp).
    if (
      (!pmp.allowsPage(page, kind, machine) && !pmp.allows(address, bytes, kind, machine)) ||
      (regime.executable && !pmp.allows(address, bytes, FETCH, machine))
    ) {
      this.#faults.access(regime, kind, low, high)
      return false
    }
    this.page = page
    const inRam = page - this.#ramPage
    this.#inRam = inRam >= 0 && inRam < this.#ramPages
    if (this.#inRam) {
      this.host = this.#ramHost + inRam * PAGE
      return true
    }
    this.host = this.#memory.toHost(page * PAGE)
    // What lies in read-only memory cannot be stored to.
    if (kind === STORE && this.host >= 0 && !this.#memory.contains(page * PAGE, bytes, true)) {
      this.#faults.access(regime, kind, low, high)
      return false
    }
    return true
  }

  /** Tells the executor of the page just located, if nothing about it needs another look. */
  fill(regime: Regime, kind: AccessKind, low: number, high: number): void {
    const { page } = this
    const { pmp } = this.#mmu
    const machine = regime.privilege === MACHINE
    if (!pmp.allowsPage(page, kind, machine)) return
    const executor = this.#executor()
    const virtualPage = (high >>> 0) * 2 ** 20 + (low >>> 12)
    if (kind === FETCH) return executor.fill('fetch', virtualPage, this.host)
    const { watched } = this.#memory
    const storable = this.#inRam && pmp.allowsPage(page, STORE, machine) && (watched.size === 0 || !watched.has(page))
    if (kind === STORE && storable) executor.fill('store', virtualPage, this.host)
    // What may be written may be read, by the first stage and the G-stage alike.
    if (kind === LOAD || pmp.allowsPage(page, LOAD, machine)) {
      executor.fill('load', virtualPage, this.host, storable && (regime.physical || this.#mmu.writable))
    }
  }

  load(bytes: number, signed: boolean): Outcome {
    const core = this.#core
    core.regimes()
    return this.#load(core.data, bytes, signed, true)
  }

  store(bytes: number): Outcome {
    const core = this.#core
    core.regimes()
    return this.#store(core.data, bytes, true)
  }

  /** hlv, hlvx: permitted, `core.guest` current. */
  guestLoad(bytes: number, signed: boolean, executable: boolean): Outcome {
    const { guest } = this.#core
    guest.executable = executable
    const outcome = this.#load(guest, bytes, signed, false)
    guest.executable = false
    return outcome
  }

  guestStore(bytes: number): Outcome {
    return this.#store(this.#core.guest, bytes, false)
  }

  amo(bytes: number, operation: AmoOperation): Outcome {
    const words = this.#words
    if (!this.#locateAtomic(STORE, bytes, STORE_MISALIGNED)) return TRAPPED
    const at = (this.host + (words[ADDRESS_WORD] & 0xfff)) >> 2
    this.#caches?.data(at << 2, bytes, true)
    const oldLow = words[at]
    if (bytes === 4) {
      const unsigned = operation === 'minu' || operation === 'maxu'
      const low = words[VALUE_WORD]
      combine(operation, oldLow, unsigned ? 0 : oldLow >> 31, low, unsigned ? 0 : low >> 31)
      words[at] = result.low
      words[VALUE_WORD + 1] = oldLow >> 31
    } else {
      const oldHigh = words[at + 1]
      combine(operation, oldLow, oldHigh, words[VALUE_WORD], words[VALUE_WORD + 1])
      words[at] = result.low
      words[at + 1] = result.high
      words[VALUE_WORD + 1] = oldHigh
    }
    words[VALUE_WORD] = oldLow
    this.#stored(at << 2, bytes)
    return DONE
  }

  loadReserved(bytes: number): Outcome {
    const words = this.#words
    if (!this.#locateAtomic(LOAD, bytes, LOAD_MISALIGNED)) return TRAPPED
    const host = this.host + (words[ADDRESS_WORD] & 0xfff)
    this.#caches?.data(host, bytes, false)
    words[RESERVATION_WORD] = host
    this.#read(host, bytes, true)
    return DONE
  }

  storeConditional(bytes: number): Outcome {
    const words = this.#words
    if (!this.#locateAtomic(STORE, bytes, STORE_MISALIGNED)) return TRAPPED
    const host = this.host + (words[ADDRESS_WORD] & 0xfff)
    this.#caches?.data(host, bytes, true)
    const reserved = words[RESERVATION_WORD] === host
    words[RESERVATION_WORD] = -1
    if (reserved) {
      this.#write(host, bytes)
      this.#stored(host, bytes)
    }
    words[VALUE_WORD] = reserved ? 0 : 1
    words[VALUE_WORD + 1] = 0
    return DONE
  }

  /** Permitted. The block need only be readable for what stores nothing; the faults are those of a store all the same. */
  cacheBlock(operation: CacheBlockOperation): Outcome {
    const core = this.#core
    core.regimes()
    const words = this.#words
    const low = words[ADDRESS_WORD]
    const high = words[ADDRESS_WORD + 1]
    if (operation === 'zero') {
      if (!this.locate(core.data, STORE, low, high, 1, 0)) return TRAPPED
      if (this.host < 0 || !this.#blockAllows(core.data, this.page, STORE, low))
        return this.#faults.access(core.data, STORE, low, high)
      const host = this.host + (low & 0xfff & -BLOCK)
      this.#caches?.data(host, BLOCK, true)
      this.#memory.bytes.fill(0, host, host + BLOCK)
      this.#stored(host, BLOCK)
      return DONE
    }
    if (!core.data.physical && !this.#mmu.translate(core.data, LOAD, low, high)) {
      const { cause } = this.#mmu.walker
      const asStore =
        cause === LOAD_PAGE
          ? STORE_PAGE
          : cause === LOAD_ACCESS
            ? STORE_ACCESS
            : cause === LOAD_GUEST_PAGE
              ? STORE_GUEST_PAGE
              : cause
      return this.#faults.translation(core.data, low, high, 0, asStore)
    }
    const page = core.data.physical ? (high >>> 0) * 2 ** 20 + (low >>> 12) : this.#mmu.page
    const address = page * PAGE + (low & 0xfff)
    const host = this.#memory.toHost(address)
    const there = host >= 0 || this.#bus.find(address) !== undefined
    if (!there || !this.#blockAllows(core.data, page, LOAD, low))
      return this.#faults.access(core.data, STORE, low, high)
    if (host >= 0) this.#caches?.writeBack(host, operation === 'clean')
    return DONE
  }

  /** PMP of a whole cache block (cbm_access, cbz_access). */
  #blockAllows(regime: Regime, page: number, kind: AccessKind, low: number): boolean {
    return this.#mmu.pmp.allows(page * PAGE + (low & 0xfff & -BLOCK), BLOCK, kind, regime.privilege === MACHINE)
  }

  /** A fast path did not do this: predecoded code and watchers must know. The hart's own reservation is not lost by its own store. */
  #stored(host: number, bytes: number): void {
    const memory = this.#memory
    const reservation = this.#words[RESERVATION_WORD]
    memory.written(host, bytes)
    this.#words[RESERVATION_WORD] = reservation
    if (memory.watched.size !== 0) {
      const address = this.page * PAGE + ((host - this.host) & 0xfff)
      memory.watched.get(this.page)?.(address)
    }
  }

  /** Naturally aligned, in memory. */
  #locateAtomic(kind: AccessKind, bytes: number, misaligned: number): boolean {
    const core = this.#core
    core.regimes()
    const low = this.#words[ADDRESS_WORD]
    const high = this.#words[ADDRESS_WORD + 1]
    if ((low & (bytes - 1)) !== 0) {
      this.#faults.misaligned(core.data, misaligned, low, high)
      return false
    }
    if (!this.locate(core.data, kind, low, high, bytes, 0)) return false
    if (this.host < 0) {
      this.#faults.access(core.data, kind, low, high)
      return false
    }
    this.fill(core.data, kind, low, high)
    return true
  }

  #load(regime: Regime, bytes: number, signed: boolean, fills: boolean): Outcome {
    const words = this.#words
    const low = words[ADDRESS_WORD]
    const high = words[ADDRESS_WORD + 1]
    const offset = low & 0xfff
    if (offset + bytes > PAGE) return this.#loadAcross(regime, bytes, signed, low, high)
    if (!this.locate(regime, LOAD, low, high, bytes, 0)) return TRAPPED
    if (this.host < 0) return this.#loadDevice(regime, bytes, signed, low, high)
    if ((low & (bytes - 1)) !== 0) this.#core.stall(this.#core.prices.misaligned)
    if (fills) this.fill(regime, LOAD, low, high)
    this.#caches?.data(this.host + offset, bytes, false)
    this.#read(this.host + offset, bytes, signed)
    return DONE
  }

  #store(regime: Regime, bytes: number, fills: boolean): Outcome {
    const words = this.#words
    const low = words[ADDRESS_WORD]
    const high = words[ADDRESS_WORD + 1]
    const offset = low & 0xfff
    if (offset + bytes > PAGE) return this.#storeAcross(regime, bytes, low, high)
    if (!this.locate(regime, STORE, low, high, bytes, 0)) return TRAPPED
    if (this.host < 0) return this.#storeDevice(regime, bytes, low, high)
    if ((low & (bytes - 1)) !== 0) this.#core.stall(this.#core.prices.misaligned)
    const host = this.host + offset
    this.#caches?.data(host, bytes, true)
    this.#write(host, bytes)
    this.#stored(host, bytes)
    if (fills) this.fill(regime, STORE, low, high)
    return DONE
  }

  /** Across a page boundary: both pages are checked before anything is read. */
  #loadAcross(regime: Regime, bytes: number, signed: boolean, low: number, high: number): Outcome {
    const second = this.#locateBoth(regime, LOAD, bytes, low, high)
    if (second < 0) return TRAPPED
    const { bytes: all, view } = this.#memory
    const words = this.#words
    const first = PAGE - (low & 0xfff)
    this.#across(first, second, bytes, false)
    // Put together in the mailbox, then extended there.
    words[VALUE_WORD] = words[VALUE_WORD + 1] = 0
    for (let n = 0; n < bytes; n++) all[VALUE + n] = all[n < first ? this.host + PAGE - first + n : second + n - first]!
    if (bytes === 2) words[VALUE_WORD] = signed ? view.getInt16(VALUE, true) : words[VALUE_WORD]
    if (bytes < 8) words[VALUE_WORD + 1] = signed ? words[VALUE_WORD] >> 31 : 0
    return DONE
  }

  #storeAcross(regime: Regime, bytes: number, low: number, high: number): Outcome {
    const second = this.#locateBoth(regime, STORE, bytes, low, high)
    if (second < 0) return TRAPPED
    const { bytes: all } = this.#memory
    const first = PAGE - (low & 0xfff)
    const from = this.host + PAGE - first
    this.#across(first, second, bytes, true)
    for (let n = 0; n < bytes; n++) all[n < first ? from + n : second + n - first] = all[VALUE + n]!
    const reservation = this.#words[RESERVATION_WORD]
    this.#memory.written(from, first)
    this.#memory.written(second, bytes - first)
    this.#words[RESERVATION_WORD] = reservation
    return DONE
  }

  #across(first: number, second: number, bytes: number, write: boolean): void {
    this.#caches?.data(this.host + PAGE - first, first, write)
    this.#caches?.data(second, bytes - first, write)
  }

  /** Host offset of the second page, with the first in `host`; -1 if the trap was taken. Devices take no such access. */
  #locateBoth(regime: Regime, kind: AccessKind, bytes: number, low: number, high: number): number {
    this.#core.stall(this.#core.prices.misaligned)
    const first = PAGE - (low & 0xfff)
    if (!this.locate(regime, kind, low, high, first, 0)) return -1
    const firstHost = this.host
    const nextLow = (low + first) | 0
    const nextHigh = nextLow === 0 ? (high + 1) | 0 : high
    if (!this.locate(regime, kind, nextLow, nextHigh, bytes - first, first)) return -1
    const second = this.host
    if (firstHost < 0 || second < 0) {
      this.#faults.access(regime, kind, low, high)
      return -1
    }
    this.host = firstHost
    return second
  }

  #loadDevice(regime: Regime, bytes: number, signed: boolean, low: number, high: number): Outcome {
    const address = this.page * PAGE + (low & 0xfff)
    const bus = this.#bus
    const core = this.#core
    const window = bus.read(address, bytes as 1 | 2 | 4 | 8)
    if (!window) return this.#faults.access(regime, LOAD, low, high)
    const words = this.#words
    const value = bus.low | 0
    words[VALUE_WORD] = !signed || bytes >= 4 ? value : bytes === 2 ? (value << 16) >> 16 : (value << 24) >> 24
    words[VALUE_WORD + 1] = bytes === 8 ? bus.high : signed ? words[VALUE_WORD] >> 31 : 0
    core.stall(core.prices.deviceRead[window.distance])
    return this.#listener.accessed(window, address - window.base, bytes, bus.low, bus.high, false)
  }

  #storeDevice(regime: Regime, bytes: number, low: number, high: number): Outcome {
    const address = this.page * PAGE + (low & 0xfff)
    const words = this.#words
    const core = this.#core
    const value = words[VALUE_WORD] >>> 0
    const upper = words[VALUE_WORD + 1] >>> 0
    const window = this.#bus.write(address, bytes as 1 | 2 | 4 | 8, value, upper)
    if (!window) return this.#faults.access(regime, STORE, low, high)
    core.stall(core.prices.deviceWrite[window.distance])
    return this.#listener.accessed(window, address - window.base, bytes, value, upper, true)
  }

  #read(host: number, bytes: number, signed: boolean): void {
    const words = this.#words
    const { view } = this.#memory
    if (bytes === 8) {
      words[VALUE_WORD] = view.getInt32(host, true)
      words[VALUE_WORD + 1] = view.getInt32(host + 4, true)
      return
    }
    const value =
      bytes === 4
        ? view.getInt32(host, true)
        : bytes === 2
          ? signed
            ? view.getInt16(host, true)
            : view.getUint16(host, true)
          : signed
            ? view.getInt8(host)
            : view.getUint8(host)
    words[VALUE_WORD] = value
    words[VALUE_WORD + 1] = signed ? value >> 31 : 0
  }

  #write(host: number, bytes: number): void {
    const low = this.#words[VALUE_WORD]
    const { view } = this.#memory
    if (bytes === 8) {
      view.setInt32(host, low, true)
      view.setInt32(host + 4, this.#words[VALUE_WORD + 1], true)
    } else if (bytes === 4) {
      view.setInt32(host, low, true)
    } else if (bytes === 2) {
      view.setInt16(host, low, true)
    } else {
      view.setInt8(host, low)
    }
  }
}
