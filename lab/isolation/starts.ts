/** Watches that a hart that a guest starts begins as it was asked to (SBI 2.0, 9.1), and that one that has stopped stays so. */
import { MEDELEG, slot } from '../../hw/hart/slots.ts'
import { MODE, PC, VIRTUAL, X } from '../../hw/hart/state.ts'
import { A0, A1, A2, A6, A7, SBI_HSM } from '../../hw/spec/sbi.ts'
import type { Arena } from './arena.ts'
import type { Sighting } from './finding.ts'
import type { Exit, Observer } from './observer.ts'

const ECALL = 10
const START = 0
const STOP = 1
const SIE = 2
const SUPERVISOR = VIRTUAL | 1
const VSATP = slot('vsatp')
const VSSTATUS = slot('vsstatus')
const REGISTER = X >> 2
const PC_WORD = PC >> 2
const MODE_WORD = MODE >> 2
const VCPUS = 64

/** What somebody has asked for: each as its two words. */
interface Asked {
  readonly address: string
  readonly opaque: string
}

export class Starts implements Observer {
  sighting: Sighting | undefined
  #arena!: Arena
  #words!: Int32Array
  /** Who has stopped; and since then, with what somebody has tried to start it. */
  readonly #stopped = new Map<number, Asked[]>()
  /** By who has called: whom it starts. A hart that stops before the call is over may be found stopped by it. */
  readonly #calling = new Map<number, { readonly whom: number; readonly asked: Asked }>()

  begin(arena: Arena): void {
    this.sighting = undefined
    this.#arena = arena
    this.#words = arena.machine.memory.words
    this.#stopped.clear()
    this.#calling.clear()
  }

  left({ code, guest, vcpu }: Exit): void {
    if (code !== ECALL || (this.#words[MEDELEG] & (1 << ECALL)) === 0) return
    if (this.#low(A7) !== SBI_HSM) return
    const key = guest * VCPUS + vcpu
    if (this.#low(A6) === STOP) {
      const calls = [...this.#calling.values()].filter(({ whom }) => whom === key)
      this.#stopped.set(
        key,
        calls.map(({ asked }) => asked),
      )
    }
    if (this.#low(A6) !== START) return
    const whom = guest * VCPUS + this.#low(A0)
    const asked = { address: this.#both(A1), opaque: this.#both(A2) }
    this.#calling.set(key, { whom, asked })
    this.#stopped.get(whom)?.push(asked)
  }

  resumed(hart: number, guest: number, vcpu: number): void {
    const key = guest * VCPUS + vcpu
    this.#calling.delete(key)
    const asked = this.#stopped.get(key)
    if (!asked) return
    this.#stopped.delete(key)
    const words = this.#words
    const see = (what: string) => {
      this.sighting ??= { what: `guest ${guest}, vCPU ${vcpu} ${what}, on hart ${hart}`, where: this.#arena.where() }
    }
    if (asked.length === 0) return see('goes on, though it has stopped and nobody has started it')
    const at = shown(words[PC_WORD], words[PC_WORD + 1])
    const fits = asked.some(({ address, opaque }) => address === at && opaque === this.#both(A1))
    if (!fits) see(`is started at ${at} with ${this.#both(A1)}, which nobody has asked for`)
    if (this.#low(A0) !== vcpu) see(`is started with ${this.#low(A0)} for its number`)
    if (words[VSATP] !== 0 || words[VSATP + 1] !== 0) see('is started with translation on')
    if ((words[VSSTATUS] & SIE) !== 0) see('is started with interrupts enabled')
    if (words[MODE_WORD] !== SUPERVISOR) see(`is started in mode ${words[MODE_WORD]}`)
  }

  #low(register: number): number {
    return this.#words[REGISTER + register * 2] >>> 0
  }

  #both(register: number): string {
    return shown(this.#words[REGISTER + register * 2], this.#words[REGISTER + register * 2 + 1])
  }
}

const shown = (low: number, high: number) => `0x${((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(16)}`
