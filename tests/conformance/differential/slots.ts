/** A program's instructions, in slots. Control only goes forward. */
import { analyse, decode } from '../../../hw/spec/isa/index.ts'
import { MOST_SLOTS, OWN_TABLE, SLOT_BYTES, TEMPLATE_COUNT, TEMPLATES } from './arena.ts'
import type { Choices } from './choices.ts'
import { csrAccess } from './csr-access.ts'
import { encode, named } from './encode.ts'
import { pools, type Pools } from './pools.ts'
import type { Mode } from './program.ts'
import type { Random } from './random.ts'

/** Registers that hold addresses to begin with. */
export const POINTERS = [8, 9, 10, 11, 12, 13, 14, 15]
/** A and D of a page-table entry. */
const ACCESSED_DIRTY = 0xc0
const NOP = 0x13
/** Every so many slots, the first instruction is one of 32 bits that may be overwritten. */
const PATCHED = 3

export class SlotGenerator {
  readonly #random: Random
  readonly #choices: Choices
  readonly #pools: Pools
  readonly #mode: Mode
  readonly #changesTables: boolean
  /** Fences must not trap, as each change of a table is to be followed by one. */
  readonly keepTvm: boolean

  constructor(random: Random, choices: Choices, mode: Mode) {
    this.#random = random
    this.#choices = choices
    this.#mode = mode
    this.#pools = pools(choices.without)
    this.#changesTables = !choices.fenced || (mode !== 'U' && mode !== 'VU' && random.chance(1, 2))
    this.keepTvm = choices.fenced && this.#changesTables
  }

  /** The slots, the last one an ecall. */
  slots(): number[][] {
    const random = this.#random
    const count = 12 + random.below(MOST_SLOTS - 14)
    const slots: number[][] = []
    for (let slot = 0; slot < count; slot++) {
      const words: number[] = slot % PATCHED === 0 ? [NOP] : []
      let at = words.length * 4
      const length = 6 * 4 + random.below(3) * 4
      while (at < length) {
        if (SLOT_BYTES - at < 8 && random.chance(1, 2)) break
        for (const word of this.#next(slot * SLOT_BYTES + at, SLOT_BYTES - at, slot, count)) {
          words.push(word)
          at += (word & 3) === 3 ? 4 : 2
        }
      }
      slots.push(words)
    }
    return [...slots, [0x73]]
  }

  /** Instructions that may be copied over others. */
  templates(): number[] {
    return Array.from({ length: TEMPLATE_COUNT }, () => encode(this.#random, this.#random.pick(this.#pools.alu)))
  }

  /** Words for the rest of a slot from `position` (bytes from where code begins), at most `room` bytes. */
  #next(position: number, room: number, slot: number, last: number): number[] {
    const random = this.#random
    const pools = this.#pools
    const choice = random.below(100)
    if (room < 4 || choice < 12) return [this.#compressed()]
    if (choice < 38) return [encode(random, random.pick(pools.alu))]
    if (choice < 60) {
      const instruction = random.pick(pools.memory)
      const imm = random.chance(1, 4) ? undefined : random.below(64) * (random.chance(1, 6) ? 1 : 8)
      const rs1 = random.pick(POINTERS)
      const word = encode(random, instruction, { rs1, ...(imm === undefined ? {} : { imm }) })
      return instruction.extension === 'a' ? this.#aligned(rs1, word, room) : [word]
    }
    if (choice < 73)
      return [encode(random, random.pick(pools.float), random.chance(1, 2) ? { rs1: random.pick(POINTERS) } : {})]
    if (choice < 78) return [this.#jump(position, slot, last)]
    if (choice < 88) return [csrAccess(random, this.#choices, pools.csr, this.keepTvm)]
    if (choice < 91) return [encode(random, random.pick(pools.fences), random.chance(1, 2) ? { rs1: 0, rs2: 0 } : {})]
    if (choice < 94 && pools.guest.length > 0) {
      const rs1 = random.pick(POINTERS)
      return this.#aligned(rs1, encode(random, random.pick(pools.guest), { rs1 }), room)
    }
    if (choice < 95 && pools.blocks.length > 0) {
      const rs1 = random.pick(POINTERS)
      return this.#aligned(rs1, encode(random, random.pick(pools.blocks), { rs1 }), room)
    }
    if (choice < 97) return room >= 28 && this.#changesTables ? this.#changeTable() : []
    if (choice < 98) return room >= 16 ? this.#changeCode(position, slot, last) : []
    if (choice < 99) {
      const unprivileged = this.#mode === 'U' || this.#mode === 'VU'
      if (!unprivileged && random.chance(1, 2)) return room >= 16 ? this.#trapReturn(position, slot, last) : []
      return [random.pick([0x73, 0x0010_0073, ...(unprivileged ? [0x1020_0073, 0x3020_0073] : [])])]
    }
    return [this.#illegal()]
  }

  /** Return from a trap handler, to a later slot: three words, so that nothing is executed twice. */
  #trapReturn(position: number, slot: number, last: number): number[] {
    const random = this.#random
    const name = this.#mode === 'M' ? random.pick(['mret', 'sret']) : 'sret'
    const target = Math.min(slot + 1 + random.below(2), last) * SLOT_BYTES
    const register = 5
    return [
      encode(random, named('auipc'), { rd: register, imm: 0 }),
      encode(random, named('addi'), { rd: register, rs1: register, imm: target - position }),
      encode(random, named('csrrw'), { rd: 0, rs1: register, csr: name === 'mret' ? 0x341 : 0x141 }),
      name === 'mret' ? 0x3020_0073 : 0x1020_0073,
    ]
  }

  /** Flips flags of a page-table entry, and fences (or, if nothing forces it to, does not). */
  #changeTable(): number[] {
    const random = this.#random
    const choices = this.#choices
    const [table, entry] = [5, 6]
    const offset = (2 + random.below(14)) * 8
    const flips = choices.clearAccessed ? 0xff : 0xff & ~ACCESSED_DIRTY
    const fences = this.#pools.fences.filter(({ name }) =>
      (choices.fenced ? /^(sfence.vma|hfence.gvma)$/ : /^[sh]fence/).test(name),
    )
    const words = [
      encode(random, named('auipc'), { rd: table, imm: OWN_TABLE * 4096 }),
      encode(random, named('srli'), { rd: table, rs1: table, imm: 12 }),
      encode(random, named('slli'), { rd: table, rs1: table, imm: 12 }),
      encode(random, named('ld'), { rd: entry, rs1: table, imm: offset }),
      encode(random, named('xori'), {
        rd: entry,
        rs1: entry,
        imm: random.pick([1, 2, 4, 8, 16, 32, 64, 128, random.below(256)]) & flips,
      }),
      encode(random, named('sd'), { rs1: table, rs2: entry, imm: offset }),
    ]
    if (!choices.fenced && random.chance(1, 3)) return words
    return [
      ...words,
      encode(random, random.pick(fences), choices.fenced || random.chance(1, 2) ? { rs1: 0, rs2: 0 } : {}),
    ]
  }

  /** Copies an instruction over the first one of a later slot. */
  #changeCode(position: number, slot: number, last: number): number[] {
    const random = this.#random
    const choices = this.#choices
    const target = Math.ceil((slot + 1) / PATCHED) * PATCHED * SLOT_BYTES
    if (target >= last * SLOT_BYTES) return []
    const [base, word] = [5, 6]
    const template = TEMPLATES + random.below(TEMPLATE_COUNT) * 4
    const words = [
      encode(random, named('auipc'), { rd: base, imm: 0 }),
      encode(random, named('lw'), { rd: word, rs1: base, imm: template - position }),
      encode(random, named('sw'), { rs1: base, rs2: word, imm: target - position }),
    ]
    return choices.fenced || random.chance(1, 2) ? [...words, encode(random, named('fence.i'))] : words
  }

  #compressed(): number {
    for (;;) {
      const word = this.#random.below(0x10000)
      if ((word & 3) === 3) continue
      const decoded = decode(word)
      if (!decoded) {
        if (this.#random.chance(1, 40)) return word
        continue
      }
      const { jumps, branches, action } = analyse(decoded.instruction)
      if (!jumps && !branches && action === undefined) return word
    }
  }

  /** An instruction whose address is in a register, behind one that aligns it if that is asked for. */
  #aligned(rs1: number, word: number, room: number): number[] {
    if (!this.#choices.align) return [word]
    return room < 8 ? [] : [encode(this.#random, named('andi'), { rd: rs1, rs1, imm: -64 }), word]
  }

  #jump(position: number, slot: number, last: number): number {
    const random = this.#random
    const pools = this.#pools
    const instruction = random.pick(pools.branches)
    const target = Math.min(slot + 1 + random.below(3), last) * SLOT_BYTES
    if (instruction.name !== 'jalr') return encode(random, instruction, { imm: target - position })
    // A register rarely holds an address where something can be executed: this faults, or goes where x1 says.
    return this.#mode === 'M'
      ? encode(random, named('jal'), { imm: target - position })
      : encode(random, instruction, { rs1: random.pick(POINTERS) })
  }

  /** A word that nothing decodes. */
  #illegal(): number {
    for (;;) {
      const word =
        this.#random.pick([0x0000_0073, 0x0000_002f, 0x0000_0053, 0x0000_003b, 0x0000_0033]) |
        (this.#random.below(2 ** 25) * 128)
      if (!decode(word >>> 0)) return word >>> 0
    }
  }
}
