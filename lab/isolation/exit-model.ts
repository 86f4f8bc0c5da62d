/**
 * The VMM in the abstract: what each exit may change of the vCPU that took it. What a vCPU has when it leaves is kept, and
 * when it is back on a hart, on whichever, it has just that, but for what its exit was about.
 */
import { MEDELEG, MIE, slot } from '../../hw/hart/slots.ts'
import { F, MODE, PC, X } from '../../hw/hart/state.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import type { Arena } from './arena.ts'
import { answerOf } from './call-model.ts'
import { accessOf } from './access-model.ts'
import type { Sighting } from './finding.ts'
import type { Exit, Observer } from './observer.ts'

/** A vCPU's general registers, floating-point registers and CSRs as they lie in a hart's window, and where it was. */
export interface Snapshot {
  readonly exit: Exit
  readonly x: Int32Array
  readonly f: Int32Array
  readonly csrs: Int32Array
  /** vsie: enabled interrupts, as mie has them. */
  readonly enabled: number
  readonly pc: readonly [low: number, high: number]
  /** Of the trap: value, guest physical address, transformed instruction. */
  readonly value: readonly [low: number, high: number]
  readonly address: number
  readonly instruction: number
}

/** CSRs that belong to a vCPU. */
export const OWN = [
  'vsstatus',
  'vstvec',
  'vsscratch',
  'vsepc',
  'vscause',
  'vstval',
  'vsatp',
  'vstimecmp',
  'htimedelta',
  'scounteren',
  'senvcfg',
  'fcsr',
] as const
export type OwnCsr = (typeof OWN)[number]

/** What one is expected to have afterwards: everything else is as it was. */
export interface Expected {
  /** By register: its value's words, or a test of them. */
  readonly x: Map<number, readonly [number, number] | ((low: number, high: number) => boolean)>
  readonly csrs: Map<OwnCsr, readonly [number, number]>
  pc: readonly [number, number]
  /** Why nothing is compared: it begins anew. */
  anew: boolean
}

const X_WORD = X >> 2
const F_WORD = F >> 2
const PC_WORD = PC >> 2
const MODE_WORD = MODE >> 2
const SLOTS = OWN.map(name => slot(name))
const VSSTATUS_AT = OWN.indexOf('vsstatus')
const FCSR_AT = OWN.indexOf('fcsr')
const FS = 0x6000
/** VSSI, VSTI, VSEI. */
const VS_INTERRUPTS = 0x444
/** What no VMM here changes once guests run. */
const FIXED = ['hedeleg', 'hideleg', 'henvcfg', 'hcounteren'].map(name => [name, slot(name)] as const)

const ECALL = 10
const FETCH_GUEST_PAGE = 20
const LOAD_GUEST_PAGE = 21
const VIRTUAL_INSTRUCTION = 22
const STORE_GUEST_PAGE = 23
const WFI = 0x1050_0073
const ILLEGAL = 2
const SPP = 0x100
const SPIE = 0x20
const SIE = 2
const SUPERVISOR = 1

const hex = (low: number, high: number) => `0x${((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(16)}`

export class ExitModel implements Observer {
  sighting: Sighting | undefined
  #arena!: Arena
  #words!: Int32Array
  readonly #kept = new Map<number, Snapshot>()
  /** By CSR in FIXED. */
  #fixed: readonly (readonly [number, number])[] = []

  begin(arena: Arena): void {
    this.sighting = undefined
    this.#arena = arena
    this.#words = arena.machine.memory.words
    this.#kept.clear()
    this.#fixed = []
  }

  left(exit: Exit): void {
    const words = this.#words
    const { detail } = this.#arena.machine.harts[exit.hart].traps
    const csrs = new Int32Array(SLOTS.length * 2)
    SLOTS.forEach((at, index) => {
      csrs[index * 2] = words[at]
      csrs[index * 2 + 1] = words[at + 1]
    })
    this.#kept.set(exit.guest * 64 + exit.vcpu, {
      exit,
      x: words.slice(X_WORD, X_WORD + 64),
      f: words.slice(F_WORD, F_WORD + 64),
      csrs,
      enabled: words[MIE] & VS_INTERRUPTS,
      pc: [words[PC_WORD], words[PC_WORD + 1]],
      value: [detail.valueLow, detail.valueHigh],
      address: ((detail.guestHigh >>> 0) * 2 ** 32 + (detail.guestLow >>> 0)) * 4 + (detail.valueLow & 3),
      instruction: detail.instruction,
    })
  }

  resumed(hart: number, guest: number, vcpu: number): void {
    this.#machineWide(hart)
    const key = guest * 64 + vcpu
    const snapshot = this.#kept.get(key)
    if (!snapshot) return
    this.#kept.delete(key)
    const expected = this.#expect(snapshot)
    if (expected && !expected.anew) this.#compare(hart, snapshot, expected)
  }

  #machineWide(hart: number): void {
    const words = this.#words
    if (this.#fixed.length === 0) this.#fixed = FIXED.map(([, at]) => [words[at], words[at + 1]] as const)
    FIXED.forEach(([name, at], index) => {
      const [low, high] = this.#fixed[index]
      if (words[at] !== low || words[at + 1] !== high)
        this.#see(
          `${name} is ${hex(words[at], words[at + 1])} on hart ${hart}, and was ${hex(low, high)} in a guest before`,
        )
    })
  }

  /** What the vCPU has when it comes back; undefined: it should not have come back. */
  #expect(snapshot: Snapshot): Expected | undefined {
    const { exit, pc, x } = snapshot
    const expected: Expected = { x: new Map(), csrs: new Map(), pc, anew: false }
    // What the firmware has dealt with is nothing to the guest, nor is an interrupt of the machine's.
    const words = this.#words
    const bit = 1 << Math.abs(exit.code)
    if (exit.code < 0 || (words[MEDELEG] & bit) === 0) return expected
    switch (exit.code) {
      case ECALL: {
        expected.pc = after(pc, 4)
        answerOf(this.#arena, snapshot, expected)
        return expected
      }
      case LOAD_GUEST_PAGE:
      case STORE_GUEST_PAGE:
      case FETCH_GUEST_PAGE: {
        const ram = this.#arena.system.guests[exit.guest].ram.bytes
        if (snapshot.address >= GUEST_RAM && snapshot.address < GUEST_RAM + ram) return expected
        const access = accessOf(this.#arena, snapshot)
        if (!access) {
          injected(snapshot, expected, exit.code === FETCH_GUEST_PAGE ? 1 : exit.code === LOAD_GUEST_PAGE ? 5 : 7)
          return expected
        }
        expected.pc = after(pc, access.length)
        if (!access.write && access.register !== 0) expected.x.set(access.register, access.fits)
        return expected
      }
      case VIRTUAL_INSTRUCTION:
        if (snapshot.value[0] === WFI) expected.pc = after(pc, 4)
        else injected(snapshot, expected, ILLEGAL)
        return expected
      default:
        this.#see(
          `guest ${exit.guest} goes on after cause ${exit.code}, pc ${hex(pc[0], pc[1])}, a0 ${hex(x[20], x[21])}`,
        )
        return undefined
    }
  }

  #compare(hart: number, { exit, x, f, csrs, enabled }: Snapshot, expected: Expected): void {
    const words = this.#words
    const who = `guest ${exit.guest}, vCPU ${exit.vcpu}`
    const told = (name: string, low: number, high: number, was: string) =>
      this.#see(`${name} of ${who} is ${hex(low, high)} when it goes on on hart ${hart}, and should be ${was}`)
    const at = (index: number): readonly [number, number] => [words[index], words[index + 1]]
    for (let register = 1; register < 32; register++) {
      const [low, high] = at(X_WORD + register * 2)
      const wanted = expected.x.get(register)
      if (wanted === undefined) {
        if (low !== x[register * 2] || high !== x[register * 2 + 1])
          told(`x${register}`, low, high, hex(x[register * 2], x[register * 2 + 1]))
      } else if (typeof wanted === 'function') {
        if (!wanted(low, high)) told(`x${register}`, low, high, 'something else')
      } else if (low !== wanted[0] || high !== wanted[1]) told(`x${register}`, low, high, hex(wanted[0], wanted[1]))
    }
    const dirty = (csrs[VSSTATUS_AT * 2] & FS) === FS
    if (dirty) {
      for (let word = 0; word < 64; word += 2) {
        const [low, high] = at(F_WORD + word)
        if (low !== f[word] || high !== f[word + 1]) told(`f${word / 2}`, low, high, hex(f[word], f[word + 1]))
      }
    }
    for (let index = 0; index < OWN.length; index++) {
      if (index === FCSR_AT && !dirty) continue
      const [low, high] = at(SLOTS[index])
      const [wantedLow, wantedHigh] = expected.csrs.get(OWN[index]) ?? [csrs[index * 2], csrs[index * 2 + 1]]
      if (low !== wantedLow || high !== wantedHigh) told(OWN[index], low, high, hex(wantedLow, wantedHigh))
    }
    const now = words[MIE] & VS_INTERRUPTS
    if (now !== enabled) told('vsie', now >> 1, 0, hex(enabled >> 1, 0))
    const [low, high] = at(PC_WORD)
    if (low !== expected.pc[0] || high !== expected.pc[1]) told('pc', low, high, hex(expected.pc[0], expected.pc[1]))
    const mode = words[MODE_WORD]
    const wanted = expected.csrs.has('vscause') ? 4 | SUPERVISOR : exit.from
    if (mode !== wanted) told('the mode', mode, 0, hex(wanted, 0))
  }

  #see(what: string): void {
    this.sighting ??= { what, where: this.#arena.where() }
  }
}

/** An address so many bytes on. */
function after([low, high]: readonly [number, number], bytes: number): readonly [number, number] {
  const next = (low + bytes) | 0
  return [next, next >>> 0 < low >>> 0 ? (high + 1) | 0 : high]
}

/** The guest has taken an exception at its own vector. */
function injected(snapshot: Snapshot, expected: Expected, cause: number): void {
  const { csrs, exit, pc, value } = snapshot
  const own = (name: OwnCsr): readonly [number, number] => {
    const at = OWN.indexOf(name) * 2
    return [csrs[at], csrs[at + 1]]
  }
  const [status, high] = own('vsstatus')
  let next = status & ~(SPP | SPIE | SIE)
  if ((status & SIE) !== 0) next |= SPIE
  if ((exit.from & 3) === SUPERVISOR) next |= SPP
  expected.csrs.set('vsstatus', [next, high])
  expected.csrs.set('vscause', [cause, 0])
  expected.csrs.set('vstval', value)
  expected.csrs.set('vsepc', [pc[0] & ~1, pc[1]])
  const [vector, top] = own('vstvec')
  expected.pc = [vector & ~3, top]
}
