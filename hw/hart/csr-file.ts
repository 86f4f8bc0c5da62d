/** Reading and writing CSRs that the mode may access: views of each other, and what writing one changes elsewhere. */
import { maskOf } from '../spec/csr.ts'
import { hstatus } from '../spec/csrs/hypervisor.ts'
import { csrByName } from '../spec/csrs/index.ts'
import type { TimeSource } from '../board.ts'
import type { Pmp } from '../memory/pmp.ts'
import type { AiaCsrs } from './aia.ts'
import type { Core } from './core.ts'
import { CSR_RULES, type CsrRules } from './csr-rules.ts'
import type { Interrupts } from './interrupts.ts'
import type { CsrOperation } from './services.ts'
import {
  FCSR,
  HENVCFG,
  HGEIE,
  HIDELEG,
  HSTATUS,
  HTIMEDELTA,
  HVIP,
  MCOUNTINHIBIT,
  MCYCLE,
  MENVCFG,
  MIDELEG,
  MIE,
  MINSTRET,
  MIP,
  MSTATUS,
  PMPADDR0,
  VSSTATUS,
} from './slots.ts'
import { FLOAT, MACHINE, MODE, STALLS, VIRTUAL } from './state.ts'
import { STATUS_FS, STATUS_MPP, STATUS_MPRV, STATUS_MXR, STATUS_SUM } from './status-bits.ts'
import type { Timers } from './timers.ts'

const at = (name: string) => csrByName.get(name)!.number
const N = {
  fflags: at('fflags'),
  frm: at('frm'),
  fcsr: at('fcsr'),
  sstatus: at('sstatus'),
  sie: at('sie'),
  sip: at('sip'),
  stimecmp: at('stimecmp'),
  satp: at('satp'),
  vsstatus: at('vsstatus'),
  vsie: at('vsie'),
  vsip: at('vsip'),
  vstimecmp: at('vstimecmp'),
  vsatp: at('vsatp'),
  mstatus: at('mstatus'),
  mie: at('mie'),
  mip: at('mip'),
  mideleg: at('mideleg'),
  menvcfg: at('menvcfg'),
  mcountinhibit: at('mcountinhibit'),
  mcycle: at('mcycle'),
  minstret: at('minstret'),
  misa: at('misa'),
  hip: at('hip'),
  hie: at('hie'),
  hvip: at('hvip'),
  hideleg: at('hideleg'),
  henvcfg: at('henvcfg'),
  htimedelta: at('htimedelta'),
  hstatus: at('hstatus'),
  hgeie: at('hgeie'),
  hgeip: at('hgeip'),
  hvictl: at('hvictl'),
  hgatp: at('hgatp'),
  cycle: at('cycle'),
  time: at('time'),
  instret: at('instret'),
  pmpcfg0: at('pmpcfg0'),
  pmpcfg2: at('pmpcfg2'),
  pmpaddr0: at('pmpaddr0'),
  pmpaddr15: at('pmpaddr15'),
} as const

const FS_DIRTY = STATUS_FS
const SD = 0x8000_0000 | 0
const SUPERVISOR_BITS = 0x222
const HYPERVISOR_BITS = 0x1444
const VS_BITS = 0x444
const SSIP = 1 << 1
const VSSIP = 1 << 2
const STIP = 1 << 5
const SEIP = 1 << 9
/** sstatus's writable part of mstatus: SIE SPIE SPP FS SUM MXR. */
const SSTATUS_WRITABLE = 0xc_6122
const VGEIN = maskOf(hstatus, 'VGEIN')
const VGEIN_SHIFT = 31 - Math.clz32(VGEIN & -VGEIN)
const CY = 1
const IR = 4

/** What a write asks of the hart beyond the register. */
export const NOTHING = 0
/** Translations in soft TLBs are void. */
export const FLUSH = 1
/** Interrupts may have become pending or enabled. */
export const LOOK = 2
/** Guest page-table entries in the walker's cache are another guest's. */
export const GUEST = 4

export class CsrFile {
  /** The value last read. */
  low = 0
  high = 0
  readonly #core: Core
  readonly #words: Int32Array
  readonly #interrupts: Interrupts
  readonly #timers: Timers
  readonly #pmp: Pmp
  readonly #time: TimeSource
  /** On a board that has the Advanced Interrupt Architecture. */
  aia: AiaCsrs | undefined

  constructor(core: Core, interrupts: Interrupts, timers: Timers, pmp: Pmp, time: TimeSource) {
    this.#core = core
    this.#words = core.words
    this.#interrupts = interrupts
    this.#timers = timers
    this.#pmp = pmp
    this.#time = time
  }

  /** All CSRs as after reset (those that have no reset value: zero). */
  reset(): void {
    for (const rules of CSR_RULES) {
      if (!rules || rules.slot < 0) continue
      this.#words[rules.slot] = Number(BigInt.asIntN(32, rules.csr.reset))
      this.#words[rules.slot + 1] = Number(BigInt.asIntN(32, rules.csr.reset >> 32n))
    }
    this.#pmp.reload()
  }

  /** Reads into `low` and `high`. `number` is what is reached: VS CSRs in place of the supervisor's if V=1. */
  read(number: number): void {
    const words = this.#words
    switch (number) {
      case N.mstatus:
        this.#core.foldFloat()
        return this.#status(words[MSTATUS], words[MSTATUS + 1])
      case N.sstatus:
        this.#core.foldFloat()
        // UXL is all of the high word that shows.
        return this.#status(words[MSTATUS] & SSTATUS_WRITABLE, 2)
      case N.vsstatus:
        this.#core.foldFloat()
        return this.#status(words[VSSTATUS], words[VSSTATUS + 1])
      case N.mip:
        return this.#set(this.#interrupts.pending(), 0)
      case N.sip:
        return this.#set(this.#interrupts.pending() & words[MIDELEG] & SUPERVISOR_BITS, 0)
      case N.hip:
        return this.#set(this.#interrupts.pending() & HYPERVISOR_BITS, 0)
      case N.vsip:
        return this.#set((this.#interrupts.pending() & words[HIDELEG] & VS_BITS) >> 1, 0)
      case N.sie:
        return this.#set(words[MIE] & words[MIDELEG] & SUPERVISOR_BITS, 0)
      case N.hie:
        return this.#set(words[MIE] & HYPERVISOR_BITS, 0)
      case N.vsie:
        return this.#set((words[MIE] & words[HIDELEG] & VS_BITS) >> 1, 0)
      case N.fflags:
        return this.#set(words[FCSR] & 0x1f, 0)
      case N.frm:
        return this.#set((words[FCSR] >> 5) & 7, 0)
      case N.cycle:
      case N.mcycle:
        return this.#counter(MCYCLE, CY, this.#core.now())
      case N.instret:
      case N.minstret:
        return this.#counter(MINSTRET, IR, this.#instret())
      case N.time:
        return this.#readTime()
      case N.henvcfg:
        // STCE, PBMTE and ADUE are read-only zero while menvcfg's are clear (menvcfg_pbmte_henvcfg_pbmte_rdonly0).
        return this.#set(words[HENVCFG], words[HENVCFG + 1] & words[MENVCFG + 1])
    }
    if (number === N.hgeip) return this.#set(this.#interrupts.guestFiles, 0)
    const rules = CSR_RULES[number]!
    if (rules.slot < 0 && rules.needsAia) return this.#setLong(this.aia!.read(number))
    if (rules.slot < 0) this.#set(rules.fixedLow, rules.fixedHigh)
    else this.#set(words[rules.slot], words[rules.slot + 1])
  }

  /** Applies an operation to what `read` left in `low` and `high`, and writes that. Returns NOTHING, or FLUSH, LOOK and GUEST. */
  write(number: number, operation: CsrOperation, low: number, high: number): number {
    // Setting and clearing bits of mip changes what software wrote, not what the wire adds (mip_seip_rdcsr); VSSIP is hvip's.
    if (number === N.mip) this.#set(this.#words[MIP] | (this.#words[HVIP] & VSSIP), 0)
    if (operation === 'set') {
      low |= this.low
      high |= this.high
    } else if (operation === 'clear') {
      low = this.low & ~low
      high = this.high & ~high
    }
    const words = this.#words
    switch (number) {
      case N.mstatus:
        return this.#writeMstatus(low, high)
      case N.sstatus:
        return this.#writeMstatus((words[MSTATUS] & ~SSTATUS_WRITABLE) | (low & SSTATUS_WRITABLE), words[MSTATUS + 1])
      case N.vsstatus:
        return this.#writeVsstatus(low, high)
      case N.mie:
      case N.mideleg:
      case N.hideleg:
      case N.hvip:
        this.#store(CSR_RULES[number]!, low, high)
        return LOOK
      case N.mip:
        return this.#writeMip(low, SSIP | SEIP | VSSIP | (words[MENVCFG + 1] < 0 ? 0 : STIP))
      case N.sip:
        return this.#writeMip(low, SSIP & words[MIDELEG])
      case N.hip:
        return this.#writeMip(low, VSSIP)
      case N.vsip:
        return this.#writeMip(low << 1, VSSIP & words[HIDELEG])
      case N.sie:
        return this.#writeMie(low, SUPERVISOR_BITS & words[MIDELEG])
      case N.hie:
        return this.#writeMie(low, HYPERVISOR_BITS)
      case N.vsie:
        return this.#writeMie(low << 1, VS_BITS & words[HIDELEG])
      case N.fflags:
        return this.#writeFloat((words[FCSR] & 0xe0) | (low & 0x1f))
      case N.frm:
        return this.#writeFloat((words[FCSR] & 0x1f) | ((low & 7) << 5))
      case N.fcsr:
        return this.#writeFloat(low & 0xff)
      case N.satp:
      case N.vsatp:
        if (!legal(CSR_RULES[number]!, low, high)) return NOTHING
        this.#store(CSR_RULES[number]!, low, high)
        this.#core.invalidate()
        return FLUSH | LOOK
      case N.hgatp:
        this.#store(CSR_RULES[number]!, low, high)
        this.#core.invalidate()
        return FLUSH | LOOK | GUEST
      case N.stimecmp:
      case N.vstimecmp:
      case N.htimedelta:
        this.#store(CSR_RULES[number]!, low, high)
        this.#timers.update()
        return LOOK
      case N.menvcfg:
        this.#store(CSR_RULES[number]!, low, high)
        return this.#environmentChanged()
      case N.henvcfg: {
        const writable = words[MENVCFG + 1]
        this.#store(CSR_RULES[number]!, low, (high & writable) | (words[HENVCFG + 1] & ~writable))
        return this.#environmentChanged()
      }
      case N.hstatus:
        // SPVP is the privilege of hlv and hsv.
        this.#store(CSR_RULES[number]!, this.#withGuestFile(low), high)
        this.#core.invalidate()
        return LOOK
      case N.hgeie:
        words[HGEIE] = low & this.#guestFilesMask()
        return LOOK
      case N.hvictl:
        this.#store(CSR_RULES[number]!, low, high)
        return LOOK
      case N.mcountinhibit:
        return this.#writeInhibit(low)
      case N.mcycle:
        return this.#writeCounter(MCYCLE, CY, low, high, this.#core.now())
      // The write itself retires, and must not count (minstret_wr).
      case N.minstret:
        return this.#writeCounter(MINSTRET, IR, low, high, this.#instret() + 1)
      case N.misa:
        return NOTHING
      case N.pmpcfg0:
        return this.#writePmpConfiguration(number, 0, low, high)
      case N.pmpcfg2:
        return this.#writePmpConfiguration(number, 8, low, high)
    }
    if (number >= N.pmpaddr0 && number <= N.pmpaddr15) return this.#writePmpAddress(number - N.pmpaddr0, low, high)
    const rules = CSR_RULES[number]!
    if (rules.slot >= 0) this.#store(rules, low, high)
    else if (rules.needsAia) {
      this.aia!.write(number, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0))
      return LOOK
    }
    return NOTHING
  }

  /** hstatus with VGEIN as it was, if the new one is more than GEILEN. */
  #withGuestFile(low: number): number {
    const asked = (low & VGEIN) >>> VGEIN_SHIFT
    if (asked <= (this.aia?.files?.guests ?? 0)) return low
    return (low & ~VGEIN) | (this.#words[HSTATUS] & VGEIN)
  }

  #guestFilesMask(): number {
    return 2 ** ((this.aia?.files?.guests ?? 0) + 1) - 2
  }

  #setLong(value: bigint): void {
    this.#set(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))
  }

  #set(low: number, high: number): void {
    this.low = low
    this.high = high
  }

  #status(low: number, high: number): void {
    this.#set(low, (low & STATUS_FS) === FS_DIRTY ? high | SD : high)
  }

  #store(rules: CsrRules, low: number, high: number): void {
    const words = this.#words
    const { slot } = rules
    for (const choice of rules.choices) {
      if (isLegal(choice, low, high)) continue
      const mask = choice.mask << choice.shift
      if (choice.high) high = (high & ~mask) | (words[slot + 1] & mask)
      else low = (low & ~mask) | (words[slot] & mask)
    }
    words[slot] = (words[slot] & ~rules.low) | (low & rules.low)
    words[slot + 1] = (words[slot + 1] & ~rules.high) | (high & rules.high)
  }

  #writeMstatus(low: number, high: number): number {
    const core = this.#core
    const words = this.#words
    core.foldFloat()
    const before = words[MSTATUS]
    const beforeHigh = words[MSTATUS + 1]
    this.#store(CSR_RULES[N.mstatus]!, low, high)
    const after = words[MSTATUS]
    const changed = before ^ after
    core.invalidate()
    core.updateFloat()
    const redirected =
      ((before | after) & STATUS_MPRV) !== 0 &&
      ((changed & (STATUS_MPRV | STATUS_MPP | STATUS_SUM)) !== 0 || beforeHigh !== words[MSTATUS + 1])
    return (changed & STATUS_MXR) !== 0 || redirected ? FLUSH | LOOK : changed !== 0 ? LOOK : NOTHING
  }

  #writeVsstatus(low: number, high: number): number {
    const core = this.#core
    const words = this.#words
    core.foldFloat()
    const before = words[VSSTATUS]
    this.#store(CSR_RULES[N.vsstatus]!, low, high)
    const changed = before ^ words[VSSTATUS]
    core.invalidate()
    core.updateFloat()
    const redirected =
      words[MODE >> 2] === MACHINE && (words[MSTATUS] & STATUS_MPRV) !== 0 && (changed & STATUS_SUM) !== 0
    return (changed & STATUS_MXR) !== 0 || redirected ? FLUSH | LOOK : changed !== 0 ? LOOK : NOTHING
  }

  #environmentChanged(): number {
    this.#timers.update()
    this.#core.invalidate()
    return FLUSH | LOOK
  }

  /** The bits in `mask` of mip; VSSIP is hvip's (mip_mie_alias). */
  #writeMip(low: number, mask: number): number {
    const words = this.#words
    words[MIP] = (words[MIP] & ~(mask & ~VSSIP)) | (low & mask & ~VSSIP)
    if ((mask & VSSIP) !== 0) words[HVIP] = (words[HVIP] & ~VSSIP) | (low & VSSIP)
    return LOOK
  }

  #writeMie(low: number, mask: number): number {
    const words = this.#words
    words[MIE] = (words[MIE] & ~mask) | (low & mask)
    return LOOK
  }

  #writeFloat(value: number): number {
    const words = this.#words
    words[FCSR] = value
    words[FLOAT >> 2] = 2
    return NOTHING
  }

  #instret(): number {
    return this.#core.now() - this.#core.doubles[STALLS >> 3]
  }

  /** A counter is stored as its distance from what it counts, or as it stands while inhibited. */
  #counter(slot: number, inhibit: number, count: number): void {
    const words = this.#words
    if ((words[MCOUNTINHIBIT] & inhibit) !== 0) return this.#set(words[slot], words[slot + 1])
    const low = (words[slot] >>> 0) + (count >>> 0)
    this.#set(low | 0, (words[slot + 1] + Math.floor(count / 2 ** 32) + (low >= 2 ** 32 ? 1 : 0)) | 0)
  }

  #writeCounter(slot: number, inhibit: number, low: number, high: number, count: number): number {
    const words = this.#words
    if ((words[MCOUNTINHIBIT] & inhibit) !== 0) {
      words[slot] = low
      words[slot + 1] = high
      return NOTHING
    }
    const difference = (low >>> 0) - (count >>> 0)
    words[slot] = difference
    words[slot + 1] = high - Math.floor(count / 2 ** 32) - (difference < 0 ? 1 : 0)
    return NOTHING
  }

  #writeInhibit(low: number): number {
    const words = this.#words
    this.#counter(MCYCLE, CY, this.#core.now())
    const { low: cycleLow, high: cycleHigh } = this
    this.#counter(MINSTRET, IR, this.#instret())
    const { low: retiredLow, high: retiredHigh } = this
    words[MCOUNTINHIBIT] = low & (CY | IR)
    this.#writeCounter(MCYCLE, CY, cycleLow, cycleHigh, this.#core.now())
    return this.#writeCounter(MINSTRET, IR, retiredLow, retiredHigh, this.#instret())
  }

  #readTime(): void {
    const words = this.#words
    const virtual = (words[MODE >> 2] & VIRTUAL) !== 0
    const ticks = this.#time.ticks()
    if (ticks >= 0) {
      const low = (ticks >>> 0) + (virtual ? words[HTIMEDELTA] >>> 0 : 0)
      const high = Math.floor(ticks / 2 ** 32) + (virtual ? words[HTIMEDELTA + 1] : 0)
      return this.#set(low | 0, (high + (low >= 2 ** 32 ? 1 : 0)) | 0)
    }
    const time = this.#time.mtime() + (virtual ? this.#core.longs[HTIMEDELTA >> 1] : 0n)
    this.#set(Number(BigInt.asIntN(32, time)), Number(BigInt.asIntN(32, time >> 32n)))
  }

  /** Locked entries keep their byte; W without R is reserved and stays away (pmp_l_bit_write_protection). */
  #writePmpConfiguration(number: number, first: number, low: number, high: number): number {
    const { slot } = CSR_RULES[number]!
    this.#words[slot] = this.#pmpBytes(first, low, this.#words[slot])
    this.#words[slot + 1] = this.#pmpBytes(first + 4, high, this.#words[slot + 1])
    return this.#pmpChanged()
  }

  #pmpBytes(first: number, written: number, old: number): number {
    let result = 0
    for (let n = 0; n < 4; n++) {
      let byte = (written >>> (n * 8)) & 0x9f
      if ((byte & 3) === 2) byte &= ~2
      if (this.#pmp.isLocked(first + n)) byte = (old >>> (n * 8)) & 0xff
      result |= byte << (n * 8)
    }
    return result
  }

  #writePmpAddress(n: number, low: number, high: number): number {
    const pmp = this.#pmp
    if (pmp.isLocked(n) || (pmp.isLocked(n + 1) && pmp.isTopOfRange(n + 1))) return NOTHING
    this.#words[PMPADDR0 + n * 2] = low
    this.#words[PMPADDR0 + n * 2 + 1] = high & 0x3f_ffff
    return this.#pmpChanged()
  }

  #pmpChanged(): number {
    this.#pmp.reload()
    return FLUSH | LOOK
  }
}

function isLegal(choice: CsrRules['choices'][number], low: number, high: number): boolean {
  const value = ((choice.high ? high : low) >>> choice.shift) & choice.mask
  return value < 32 && (choice.legal & (1 << value)) !== 0
}

function legal(rules: CsrRules, low: number, high: number): boolean {
  for (const choice of rules.choices) if (!isLegal(choice, low, high)) return false
  return true
}
