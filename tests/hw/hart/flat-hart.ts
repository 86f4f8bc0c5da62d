import { DONE, TRAPPED, type HartServices, type Outcome } from '../../../hw/hart/services.ts'
import { ADDRESS, BUDGET, FLOAT, PC, VALUE } from '../../../hw/hart/state.ts'
import { Memory } from '../../../hw/memory/memory.ts'
import { assemble } from '../../../hw/spec/isa/assembler.ts'
import type { AmoOperation } from '../../../hw/spec/isa/semantics.ts'

export const RAM_BASE = 0x8000_0000
const RAM_BYTES = 0x10_000

/** The least hart that an executor can run on: flat memory, no privilege; every trap is noted and empties the budget. */
export class FlatHart implements HartServices {
  readonly memory = new Memory([{ base: RAM_BASE, bytes: RAM_BYTES, writable: true }], 1)
  readonly traps: string[] = []
  readonly calls: unknown[][] = []
  fetchedPage = 0
  fetchedHost = -1
  #reserved = -1

  /** Assembles `source`, puts it at the start of RAM and sets PC and BUDGET. */
  loadProgram(source: string, budget: number): ReadonlyMap<string, number> {
    const program = assemble(source, { origin: RAM_BASE })
    this.memory.write(RAM_BASE, program.bytes)
    this.memory.longs[PC >> 3] = BigInt(RAM_BASE)
    this.memory.words[BUDGET >> 2] = budget
    this.memory.words[FLOAT >> 2] = 1
    return program.symbols
  }

  #trap(what: string): typeof TRAPPED {
    this.traps.push(what)
    this.memory.words[BUDGET >> 2] = 0
    return TRAPPED
  }

  #host(): number {
    return this.memory.toHost(Number(BigInt.asUintN(64, this.memory.longs[ADDRESS >> 3])))
  }

  fetch(): Outcome {
    const pc = Number(this.memory.longs[PC >> 3])
    const host = this.memory.toHost(pc)
    if (host < 0) return this.#trap('instruction access fault')
    this.fetchedHost = host - (pc & 0xfff)
    this.fetchedPage = Math.floor(pc / 4096)
    return DONE
  }

  fetchSecondHalf(): Outcome {
    const host = this.memory.toHost(Number(this.memory.longs[PC >> 3]) + 2)
    this.memory.longs[VALUE >> 3] = BigInt(this.memory.view.getUint16(host, true))
    return DONE
  }

  load(bytes: number, signed: boolean): Outcome {
    const host = this.#host()
    if (host < 0) return this.#trap('load access fault')
    let value = 0n
    for (let index = 0; index < bytes; index++) value |= BigInt(this.memory.bytes[host + index]) << BigInt(8 * index)
    this.memory.longs[VALUE >> 3] = signed ? BigInt.asIntN(8 * bytes, value) : value
    return DONE
  }

  store(bytes: number): Outcome {
    const host = this.#host()
    if (host < 0) return this.#trap('store access fault')
    const value = this.memory.longs[VALUE >> 3]
    for (let index = 0; index < bytes; index++) {
      this.memory.bytes[host + index] = Number((value >> BigInt(8 * index)) & 0xffn)
    }
    return DONE
  }

  amo(bytes: number, operation: AmoOperation): Outcome {
    const operand = this.memory.longs[VALUE >> 3]
    if (this.load(bytes, true) === TRAPPED) return TRAPPED
    const old = this.memory.longs[VALUE >> 3]
    if (operation !== 'add' && operation !== 'swap') throw new Error(`FlatHart has no amo ${operation}`)
    this.memory.longs[VALUE >> 3] = operation === 'add' ? old + operand : operand
    this.store(bytes)
    this.memory.longs[VALUE >> 3] = old
    return DONE
  }

  loadReserved(bytes: number): Outcome {
    this.#reserved = this.#host()
    return this.load(bytes, true)
  }

  storeConditional(bytes: number): Outcome {
    const succeeds = this.#reserved === this.#host()
    this.#reserved = -1
    if (succeeds && this.store(bytes) === TRAPPED) return TRAPPED
    this.memory.longs[VALUE >> 3] = succeeds ? 0n : 1n
    return DONE
  }

  guestLoad(): Outcome {
    return this.#trap('guest load')
  }

  guestStore(): Outcome {
    return this.#trap('guest store')
  }

  cacheBlock(operation: string): Outcome {
    this.calls.push(['cacheBlock', operation])
    return DONE
  }

  csr(number: number, operation: string, reads: boolean, writes: boolean): Outcome {
    this.calls.push(['csr', number, operation, reads, writes])
    this.memory.longs[VALUE >> 3] = 0x1234n
    return DONE
  }

  perform(action: string): Outcome {
    return action === 'fence' || action === 'fence.i' ? DONE : this.#trap(action)
  }

  float(): Outcome {
    return this.#trap('float')
  }

  illegal(instruction: number): typeof TRAPPED {
    return this.#trap(`illegal ${instruction.toString(16)}`)
  }
}
