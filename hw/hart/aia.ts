/** The Advanced Interrupt Architecture's CSRs: windows into the IMSIC's files, and what interrupt is on top. */
import { csrByName } from '../spec/csrs/index.ts'
import { maskOf } from '../spec/csr.ts'
import { hvictl } from '../spec/csrs/aia.ts'
import { hstatus } from '../spec/csrs/hypervisor.ts'
import { sip } from '../spec/csrs/supervisor.ts'
import { ILLEGAL, VIRTUAL_INSTRUCTION } from './causes.ts'
import { type InterruptFiles, MACHINE_FILE, SUPERVISOR_FILE } from './interrupt-files.ts'
import type { Interrupts } from './interrupts.ts'
import { HSTATUS, HVICTL, MIP, MISELECT, SISELECT, VSISELECT } from './slots.ts'
import { MODE, VIRTUAL } from './state.ts'

const at = (name: string) => csrByName.get(name)!.number
const N = {
  mireg: at('mireg'),
  mtopei: at('mtopei'),
  mtopi: at('mtopi'),
  mvip: at('mvip'),
  sireg: at('sireg'),
  stopei: at('stopei'),
  stopi: at('stopi'),
  vsireg: at('vsireg'),
  vstopei: at('vstopei'),
  vstopi: at('vstopi'),
  sie: at('sie'),
  sip: at('sip'),
  stimecmp: at('stimecmp'),
} as const

const FIRST_PRIORITY = 0x30
const LAST_PRIORITY = 0x3f
const FIRST_EXTERNAL = 0x70
const FIRST_ARRAY = 0x80
const LAST_EXTERNAL = 0xff
const VTI = maskOf(hvictl, 'VTI')
const VGEIN = maskOf(hstatus, 'VGEIN')
const VGEIN_SHIFT = 31 - Math.clz32(VGEIN & -VGEIN)
/** SSIP and SEIP as software writes them. */
const SOFTWARE = maskOf(sip, 'SSIP', 'SEIP')
const ALLOWED = 0

/** hstatus.VGEIN: the guest file of the current virtual hart; 0 for none. */
export function guestFile(words: Int32Array): number {
  return (words[HSTATUS] & VGEIN) >>> VGEIN_SHIFT
}

export class AiaCsrs {
  readonly files: InterruptFiles | undefined
  readonly #words: Int32Array
  readonly #interrupts: Interrupts

  constructor(words: Int32Array, interrupts: Interrupts, files: InterruptFiles | undefined) {
    this.#words = words
    this.#interrupts = interrupts
    this.files = files
  }

  /** The exception, or 0, of an access to `number` that reaches `reached`, beyond what privilege says. */
  exception(number: number, reached: number, writes: boolean): number {
    const words = this.#words
    const virtual = (words[MODE >> 2] & VIRTUAL) !== 0
    const refused = virtual ? VIRTUAL_INSTRUCTION : ILLEGAL
    switch (reached) {
      case N.mireg:
        return this.#isThere(words[MISELECT]) ? ALLOWED : ILLEGAL
      case N.sireg:
        return this.#isThere(words[SISELECT]) ? ALLOWED : ILLEGAL
      case N.vsireg: {
        const select = words[VSISELECT]
        return select >= FIRST_EXTERNAL && this.#isThere(select) && guestFile(words) !== 0 ? ALLOWED : refused
      }
      case N.mtopei:
      case N.stopei:
        return this.files ? ALLOWED : ILLEGAL
      case N.vstopei:
        return guestFile(words) !== 0 ? ALLOWED : refused
    }
    // What could make an interrupt of the guest's go away without its hypervisor (AIA 6.3.2).
    const hidden = number === N.sip || number === N.sie || (number === N.stimecmp && writes)
    return virtual && hidden && (words[HVICTL] & VTI) !== 0 ? VIRTUAL_INSTRUCTION : ALLOWED
  }

  read(number: number): bigint {
    const words = this.#words
    const interrupts = this.#interrupts
    switch (number) {
      case N.mireg:
        return this.#window(MACHINE_FILE, words[MISELECT])
      case N.sireg:
        return this.#window(SUPERVISOR_FILE, words[SISELECT])
      case N.vsireg:
        return this.#window(guestFile(words), words[VSISELECT])
      case N.mtopei:
        return this.#top(MACHINE_FILE)
      case N.stopei:
        return this.#top(SUPERVISOR_FILE)
      case N.vstopei:
        return this.#top(guestFile(words))
      case N.mtopi:
        return BigInt(interrupts.machineTop())
      case N.stopi:
        return BigInt(interrupts.supervisorTop())
      case N.vstopi:
        return BigInt(interrupts.guestTop())
      case N.mvip:
        return BigInt(words[MIP] & SOFTWARE)
    }
    return 0n
  }

  write(number: number, value: bigint): void {
    const words = this.#words
    switch (number) {
      case N.mireg:
        return this.#setWindow(MACHINE_FILE, words[MISELECT], value)
      case N.sireg:
        return this.#setWindow(SUPERVISOR_FILE, words[SISELECT], value)
      case N.vsireg:
        return this.#setWindow(guestFile(words), words[VSISELECT], value)
      case N.mtopei:
        return this.files?.claim(MACHINE_FILE)
      case N.stopei:
        return this.files?.claim(SUPERVISOR_FILE)
      case N.vstopei:
        return this.files?.claim(guestFile(words))
      case N.mvip:
        words[MIP] = (words[MIP] & ~SOFTWARE) | (Number(value & 0xffffn) & SOFTWARE)
    }
  }

  /** Odd numbers of arrays do not exist for XLEN 64 (AIA 2.1, 3.8). */
  #isThere(select: number): boolean {
    if (select >= FIRST_PRIORITY && select <= LAST_PRIORITY) return select % 2 === 0
    if (!this.files || select < FIRST_EXTERNAL || select > LAST_EXTERNAL) return false
    return select < FIRST_ARRAY || select % 2 === 0
  }

  #window(file: number, select: number): bigint {
    return select < FIRST_EXTERNAL ? 0n : this.files!.read(file, select)
  }

  #setWindow(file: number, select: number, value: bigint): void {
    if (select >= FIRST_EXTERNAL) this.files!.write(file, select, value)
  }

  #top(file: number): bigint {
    const identity = this.files!.top(file)
    return BigInt(identity * 0x1_0001)
  }
}
