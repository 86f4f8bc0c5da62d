/** The privileged instructions: environment calls, returns from traps, waiting, fences. */
import type { Mmu } from '../memory/mmu.ts'
import type { Action } from '../spec/isa/semantics.ts'
import { BREAKPOINT, ECALL_U } from './causes.ts'
import type { Core } from './core.ts'
import type { Interrupts } from './interrupts.ts'
import {
  fenceException,
  guestFenceException,
  invalidationFenceException,
  sretException,
  wfiException,
} from './permission.ts'
import { DONE, RELOAD, TRAPPED, type Outcome } from './services.ts'
import { MACHINE, MODE, OPERANDS, PC, SUPERVISOR, VIRTUAL } from './state.ts'
import type { Traps } from './traps.ts'

const MODE_WORD = MODE >> 2
const PC_WORD = PC >> 2
const OPERANDS_WORD = OPERANDS >> 2
const ASIDS = 0xffff
const VMIDS = 0x3fff

export class Actions {
  /** In wfi: nothing retires until an enabled interrupt is pending. */
  asleep = false
  readonly #core: Core
  readonly #words: Int32Array
  readonly #mmu: Mmu
  readonly #traps: Traps
  readonly #interrupts: Interrupts

  constructor(core: Core, mmu: Mmu, traps: Traps, interrupts: Interrupts) {
    this.#core = core
    this.#words = core.words
    this.#mmu = mmu
    this.#traps = traps
    this.#interrupts = interrupts
  }

  /** All but those that concern an executor or the machine (fence.i, entry, mark). */
  perform(action: Action, instruction: number): Outcome {
    const words = this.#words
    switch (action) {
      case 'ecall':
        return this.#environmentCall()
      case 'ebreak':
        this.#traps.exception(BREAKPOINT, words[PC_WORD], words[PC_WORD + 1], (words[MODE_WORD] & VIRTUAL) !== 0)
        return TRAPPED
      case 'mret':
        if (words[MODE_WORD] !== MACHINE) return this.#traps.illegal(instruction)
        this.#traps.returnFromMachine()
        return RELOAD
      case 'sret':
        return this.#supervisorReturn(instruction)
      case 'wfi':
        return this.#wait(instruction)
      case 'fence':
        return DONE
      default:
        return this.#fence(action, instruction)
    }
  }

  /** What emptied the pipeline is done. */
  flushed(): Outcome {
    this.#core.stall(this.#core.prices.pipelineFlush)
    return RELOAD
  }

  #environmentCall(): Outcome {
    const mode = this.#words[MODE_WORD]
    // U and VU share a code; HS, VS and M have their own (H_cause_ecall).
    const privilege = mode & 3
    const code = ECALL_U + (privilege === SUPERVISOR && (mode & VIRTUAL) !== 0 ? 2 : privilege)
    this.#traps.exception(code, 0, 0, false)
    return TRAPPED
  }

  #supervisorReturn(instruction: number): Outcome {
    const words = this.#words
    const exception = sretException(words)
    if (exception !== 0) return this.#traps.refuse(exception, instruction)
    if ((words[MODE_WORD] & VIRTUAL) !== 0) this.#traps.returnFromVirtual()
    else this.#traps.returnFromSupervisor()
    return RELOAD
  }

  #wait(instruction: number): Outcome {
    const exception = wfiException(this.#words)
    if (exception !== 0) return this.#traps.refuse(exception, instruction)
    this.asleep = !this.#interrupts.wakes()
    return this.flushed()
  }

  #fence(action: Action, instruction: number): Outcome {
    const words = this.#words
    const ofGuest = action === 'hfence.gvma' || action === 'hinval.gvma'
    const exception =
      action === 'sfence.vma' || action === 'sinval.vma'
        ? fenceException(words)
        : action === 'sfence.w.inval' || action === 'sfence.inval.ir'
          ? invalidationFenceException(words)
          : guestFenceException(words, ofGuest)
    if (exception !== 0) return this.#traps.refuse(exception, instruction)
    const low = words[OPERANDS_WORD]
    const high = words[OPERANDS_WORD + 1]
    // x0 as an operand means all, whatever the value zero means.
    const one = ((instruction >>> 15) & 31) !== 0
    const space = ((instruction >>> 20) & 31) === 0 ? -1 : words[OPERANDS_WORD + 2] & (ofGuest ? VMIDS : ASIDS)
    const mmu = this.#mmu
    switch (action) {
      case 'sfence.vma':
      case 'sinval.vma':
        if ((words[MODE_WORD] & VIRTUAL) !== 0) mmu.fenceVirtual(one, low, high, space)
        else mmu.fenceSupervisor(one, low, high, space)
        break
      case 'hfence.vvma':
      case 'hinval.vvma':
        mmu.fenceVirtual(one, low, high, space)
        break
      case 'hfence.gvma':
      case 'hinval.gvma':
        mmu.fenceGuest(space)
        break
    }
    return this.flushed()
  }
}
