/** Makes random programs. They end: control only goes forward, and what could loop (a changed vector or root) is not generated. */
import { CSRS } from '../../../hw/spec/csrs/index.ts'
import { analyse, decode, INSTRUCTIONS, type Instruction } from '../../../hw/spec/isa/index.ts'
import { insert, type OperandKind } from '../../../hw/spec/isa/operands.ts'
import { DATA_BYTES, MOST_SLOTS, OWN_TABLE, SLOT_BYTES, TEMPLATE_COUNT, TEMPLATES, type Setting } from './arena.ts'
import { BARE, NAPOT, NOWHERE, SV39, SV48, type Leaf, type Mode, type Program, type Tables } from './program.ts'
import { Random } from './random.ts'

export interface Choices {
  readonly modes: readonly Mode[]
  /** Leaves with A or D clear: only for implementations that fault on them (Svade). */
  readonly clearAccessed: boolean
  /** Extensions (files of hw/spec/isa) and instructions that are left out. */
  readonly without: readonly string[]
  /** CSRs that programs leave alone. */
  readonly withoutCsrs: readonly string[]
  /** Bits that no entry of a table has. */
  readonly withoutFlags: bigint
  /** Addresses of atomics, cache blocks and HSV are always made multiples of 64 first. */
  readonly align: boolean
  /** Any bits of status registers may be written; else only the low five. */
  readonly wholeStatus: boolean
  /** Memory types and hardware updates of A and D may be turned on. */
  readonly memoryTypes: boolean
  /** A changed page table or instruction is always followed by a fence. */
  readonly fenced: boolean
  /** Hypervisor CSRs may have values other than zero. */
  readonly hypervisor: boolean
  /** FIOM of the environment configurations may be set. */
  readonly fiom: boolean
}

const N = 1n << 63n
const V = 1n,
  R = 2n,
  W = 4n,
  X = 8n,
  U = 16n,
  G = 32n,
  A = 64n,
  D = 128n
const POINTERS = [8, 9, 10, 11, 12, 13, 14, 15]
const CORNERS = [
  0n,
  1n,
  2n,
  7n,
  8n,
  31n,
  32n,
  63n,
  64n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_8000_0000n,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
  0x5555_5555_5555_5555n,
  0xaaaa_aaaa_aaaa_aaaan,
  0x0123_4567_89ab_cdefn,
]
const DOUBLES = [
  0n,
  1n << 63n,
  0x3ff0_0000_0000_0000n,
  0xbff8_0000_0000_0000n,
  0x7ff0_0000_0000_0000n,
  0xfff0_0000_0000_0000n,
  0x7ff8_0000_0000_0000n,
  0x7ff0_0000_0000_0001n,
  0x000f_ffff_ffff_ffffn,
  0x0010_0000_0000_0000n,
  0x7fef_ffff_ffff_ffffn,
  0x43e0_0000_0000_0000n,
]
const SINGLES = [
  0n,
  0x8000_0000n,
  0x3f80_0000n,
  0xbfc0_0000n,
  0x7f80_0000n,
  0x7fc0_0000n,
  0x7f80_0001n,
  0x007f_ffffn,
  0x0080_0000n,
  0x7f7f_ffffn,
  0x4f00_0000n,
]

/** CSRs that a program may write without losing its way, and the bits of a random value that it writes to them. */
const WRITABLE: readonly string[] = [
  'fflags',
  'frm',
  'fcsr',
  'sscratch',
  'scause',
  'stval',
  'sstatus',
  'sie',
  'sip',
  'scounteren',
  'senvcfg',
  'hstatus',
  'hideleg',
  'hvip',
  'hip',
  'hie',
  'hcounteren',
  'htval',
  'htinst',
  'htimedelta',
  'henvcfg',
  'vsstatus',
  'vsie',
  'vsip',
  'vsscratch',
  'vsepc',
  'vscause',
  'vstval',
  'mstatus',
  'mcause',
  'mtval',
  'mtval2',
  'mtinst',
  'mie',
  'mip',
  'mcounteren',
  'menvcfg',
  'mideleg',
  'misa',
  'hgeie',
]
/** Counters differ from one implementation to the next: only the right to read them is tested. */
const UNSTABLE = /^(m?cycle|m?instret|time|m?hpmcounter\d+|mhpmevent\d+)$/
const NO_SUCH_CSRS = [0x5c0, 0x7ff, 0x9c0, 0xbff, 0xcff, 0xdc0, 0xfff]

interface Pools {
  readonly alu: readonly Instruction[]
  readonly memory: readonly Instruction[]
  readonly float: readonly Instruction[]
  readonly branches: readonly Instruction[]
  readonly guest: readonly Instruction[]
  readonly csr: readonly Instruction[]
  readonly fences: readonly Instruction[]
  readonly blocks: readonly Instruction[]
}

function pools(without: readonly string[]): Pools {
  const all = INSTRUCTIONS.filter(({ extension, name }) => !without.includes(extension) && !without.includes(name))
  const sorted = { alu: [], memory: [], float: [], branches: [], guest: [], csr: [], fences: [], blocks: [] } as Record<
    keyof Pools,
    Instruction[]
  >
  for (const instruction of all) {
    const { action, csr, float, jumps, branches, operations, reads, writes } = analyse(instruction)
    if (action !== undefined) {
      if (/^(fence|fence\.i|[sh]fence\.|[sh]inval)/.test(action)) sorted.fences.push(instruction)
    } else if (csr) sorted.csr.push(instruction)
    else if (operations.includes('guestLoad') || operations.includes('guestStore')) sorted.guest.push(instruction)
    else if (operations.includes('cacheBlock')) sorted.blocks.push(instruction)
    else if (jumps || branches) sorted.branches.push(instruction)
    else if (float) sorted.float.push(instruction)
    else if (reads || writes) sorted.memory.push(instruction)
    else sorted.alu.push(instruction)
  }
  return sorted
}

const NOP = 0x13
/** Every so many slots, the first instruction is one of 32 bits that may be overwritten. */
const PATCHED = 3

class Generator {
  readonly random: Random
  readonly choices: Choices
  readonly pools: Pools
  readonly mode: Mode
  /** Fences must not trap, if each change is to be followed by one. */
  readonly mayChangeTables: boolean

  constructor(random: Random, choices: Choices, mode: Mode) {
    this.random = random
    this.choices = choices
    this.mode = mode
    this.pools = pools(choices.without)
    this.mayChangeTables = !choices.fenced || (mode !== 'U' && mode !== 'VU' && random.chance(1, 2))
  }

  field(kind: OperandKind, fixed: Readonly<Partial<Record<string, number>>>): number {
    const { random } = this
    const given = fixed[kind.field]
    if (given !== undefined) return given
    switch (kind.field) {
      case 'rm':
        return random.chance(1, 3) ? random.below(8) : random.pick([0, 1, 2, 3, 4, 7, 7])
      case 'imm': {
        const width = Math.max(...kind.pieces.map(([high, low, at]) => at + high - low + 1))
        const step = 2 ** Math.min(...kind.pieces.map(([, , at]) => at))
        const raw = Math.floor(random.below(2 ** width) / step) * step
        return kind.signed && raw >= 2 ** (width - 1) ? raw - 2 ** width : raw
      }
      default:
        return random.below(32)
    }
  }

  encode(instruction: Instruction, fixed: Readonly<Partial<Record<string, number>>> = {}): number {
    let word = instruction.match
    for (const kind of instruction.kinds) word |= insert(kind, this.field(kind, fixed))
    // Bits that are neither fixed nor an operand (aq and rl) are random.
    const free = instruction.pattern.split('').reduce((bits, bit) => (bits << 1) | (bit === '.' ? 1 : 0), 0)
    const used = instruction.kinds.reduce(
      (bits, kind) => bits | kind.pieces.reduce((p, [high, low]) => p | ((2 ** (high - low + 1) - 1) << low), 0),
      0,
    )
    return (word | (free & ~used & this.random.below(2 ** 31))) >>> 0
  }

  csrAccess(): number {
    const { random, choices } = this
    const instruction = random.pick(this.pools.csr)
    const allowed = CSRS.filter(({ name }) => !choices.withoutCsrs.includes(name))
    if (random.chance(1, 12)) return this.encode(instruction, { csr: random.pick(NO_SUCH_CSRS) })
    const csr = random.pick(random.chance(1, 2) ? allowed.filter(({ name }) => WRITABLE.includes(name)) : allowed)
    if (UNSTABLE.test(csr.name))
      return this.encode(
        instruction.name === 'csrrw' || instruction.name === 'csrrwi' ? this.named('csrrs') : instruction,
        { csr: csr.number, rd: 0, rs1: 0, imm: 0 },
      )
    if (!WRITABLE.includes(csr.name) && csr.number >> 10 !== 3) {
      return this.encode(this.named(random.pick(['csrrs', 'csrrc'])), { csr: csr.number, rs1: 0 })
    }
    // The environment's enable bits are the top ones; small values reach all that programs may turn on.
    const small =
      csr.name.endsWith('envcfg') ||
      (csr.name.endsWith('status') && !choices.wholeStatus) ||
      csr.name === 'scause' ||
      csr.name === 'vscause' ||
      csr.name === 'mcause'
    if (small) {
      const imm = random.below(32) & (choices.fiom ? 31 : 30)
      // What a write of the reserved CBIE = 2 leaves is up to the implementation: no single bits are set or cleared.
      const names = csr.name.endsWith('envcfg')
        ? ['csrrwi']
        : csr.name.endsWith('status')
          ? ['csrrsi', 'csrrci']
          : ['csrrwi', 'csrrsi', 'csrrci']
      return this.encode(this.named(random.pick(names)), { csr: csr.number, imm })
    }
    if (choices.fenced && this.mayChangeTables && (csr.name === 'mstatus' || csr.name === 'hstatus')) {
      return this.encode(this.named(random.pick(['csrrsi', 'csrrci'])), { csr: csr.number })
    }
    return this.encode(instruction, { csr: csr.number })
  }

  named(name: string): Instruction {
    const found = INSTRUCTIONS.find(instruction => instruction.name === name)
    if (!found) throw new Error(`no instruction ${name}`)
    return found
  }

  /** Return from a trap handler, to a later slot: three words, so that nothing is executed twice. */
  trapReturn(position: number, slot: number, last: number): number[] {
    const { random } = this
    const name = this.mode === 'M' ? random.pick(['mret', 'sret']) : 'sret'
    const target = Math.min(slot + 1 + random.below(2), last) * SLOT_BYTES
    const register = 5
    return [
      this.encode(this.named('auipc'), { rd: register, imm: 0 }),
      this.encode(this.named('addi'), { rd: register, rs1: register, imm: target - position }),
      this.encode(this.named('csrrw'), { rd: 0, rs1: register, csr: name === 'mret' ? 0x341 : 0x141 }),
      name === 'mret' ? 0x3020_0073 : 0x1020_0073,
    ]
  }

  /** Flips flags of a page-table entry, and fences (or, if nothing forces it to, does not). */
  changeTable(): number[] {
    const { random, choices } = this
    const [table, entry] = [5, 6]
    const offset = (2 + random.below(14)) * 8
    const flips = choices.clearAccessed ? 0xff : Number(0xffn & ~(A | D))
    const fences = this.pools.fences.filter(({ name }) =>
      (choices.fenced ? /^(sfence.vma|hfence.gvma)$/ : /^[sh]fence/).test(name),
    )
    const words = [
      this.encode(this.named('auipc'), { rd: table, imm: OWN_TABLE * 4096 }),
      this.encode(this.named('srli'), { rd: table, rs1: table, imm: 12 }),
      this.encode(this.named('slli'), { rd: table, rs1: table, imm: 12 }),
      this.encode(this.named('ld'), { rd: entry, rs1: table, imm: offset }),
      this.encode(this.named('xori'), {
        rd: entry,
        rs1: entry,
        imm: random.pick([1, 2, 4, 8, 16, 32, 64, 128, random.below(256)]) & flips,
      }),
      this.encode(this.named('sd'), { rs1: table, rs2: entry, imm: offset }),
    ]
    if (!choices.fenced && random.chance(1, 3)) return words
    return [...words, this.encode(random.pick(fences), choices.fenced || random.chance(1, 2) ? { rs1: 0, rs2: 0 } : {})]
  }

  /** Copies an instruction over the first one of a later slot. */
  changeCode(position: number, slot: number, last: number): number[] {
    const { random, choices } = this
    const target = Math.ceil((slot + 1) / PATCHED) * PATCHED * SLOT_BYTES
    if (target >= last * SLOT_BYTES) return []
    const [base, word] = [5, 6]
    const template = TEMPLATES + random.below(TEMPLATE_COUNT) * 4
    const words = [
      this.encode(this.named('auipc'), { rd: base, imm: 0 }),
      this.encode(this.named('lw'), { rd: word, rs1: base, imm: template - position }),
      this.encode(this.named('sw'), { rs1: base, rs2: word, imm: target - position }),
    ]
    return choices.fenced || random.chance(1, 2) ? [...words, this.encode(this.named('fence.i'))] : words
  }

  compressed(): number {
    for (;;) {
      const word = this.random.below(0x10000)
      if ((word & 3) === 3) continue
      const decoded = decode(word)
      if (!decoded) {
        if (this.random.chance(1, 40)) return word
        continue
      }
      const { jumps, branches, action } = analyse(decoded.instruction)
      if (!jumps && !branches && action === undefined) return word
    }
  }

  /** Words for the rest of a slot from `position` (bytes from where code begins), at most `room` bytes. */
  next(position: number, room: number, slot: number, last: number): number[] {
    const { random, pools } = this
    const choice = random.below(100)
    if (room < 4 || choice < 12) return [this.compressed()]
    if (choice < 38) return [this.encode(random.pick(pools.alu))]
    if (choice < 60) {
      const instruction = random.pick(pools.memory)
      const imm = random.chance(1, 4) ? undefined : random.below(64) * (random.chance(1, 6) ? 1 : 8)
      const rs1 = random.pick(POINTERS)
      const word = this.encode(instruction, { rs1, ...(imm === undefined ? {} : { imm }) })
      return instruction.extension === 'a' ? this.aligned(rs1, word, room) : [word]
    }
    if (choice < 73)
      return [this.encode(random.pick(pools.float), random.chance(1, 2) ? { rs1: random.pick(POINTERS) } : {})]
    if (choice < 78) return [this.jump(position, slot, last)]
    if (choice < 88) return [this.csrAccess()]
    if (choice < 91) return [this.encode(random.pick(pools.fences), random.chance(1, 2) ? { rs1: 0, rs2: 0 } : {})]
    if (choice < 94 && pools.guest.length > 0) {
      const rs1 = random.pick(POINTERS)
      return this.aligned(rs1, this.encode(random.pick(pools.guest), { rs1 }), room)
    }
    if (choice < 95 && pools.blocks.length > 0) {
      const rs1 = random.pick(POINTERS)
      return this.aligned(rs1, this.encode(random.pick(pools.blocks), { rs1 }), room)
    }
    if (choice < 97) return room >= 28 && this.mayChangeTables ? this.changeTable() : []
    if (choice < 98) return room >= 16 ? this.changeCode(position, slot, last) : []
    if (choice < 99) {
      const unprivileged = this.mode === 'U' || this.mode === 'VU'
      if (!unprivileged && random.chance(1, 2)) return room >= 16 ? this.trapReturn(position, slot, last) : []
      return [random.pick([0x73, 0x0010_0073, ...(unprivileged ? [0x1020_0073, 0x3020_0073] : [])])]
    }
    return [this.illegal()]
  }

  /** An instruction whose address is in a register, behind one that aligns it if that is asked for. */
  aligned(rs1: number, word: number, room: number): number[] {
    if (!this.choices.align) return [word]
    return room < 8 ? [] : [this.encode(this.named('andi'), { rd: rs1, rs1, imm: -64 }), word]
  }

  jump(position: number, slot: number, last: number): number {
    const { random, pools } = this
    const instruction = random.pick(pools.branches)
    const target = Math.min(slot + 1 + random.below(3), last) * SLOT_BYTES
    if (instruction.name !== 'jalr') return this.encode(instruction, { imm: target - position })
    // A register rarely holds an address where something can be executed: this faults, or goes where x1 says.
    return this.mode === 'M'
      ? this.encode(this.named('jal'), { imm: target - position })
      : this.encode(instruction, { rs1: random.pick(POINTERS) })
  }

  /** A word that nothing decodes. */
  illegal(): number {
    for (;;) {
      const word =
        this.random.pick([0x0000_0073, 0x0000_002f, 0x0000_0053, 0x0000_003b, 0x0000_0033]) |
        (this.random.below(2 ** 25) * 128)
      if (!decode(word >>> 0)) return word >>> 0
    }
  }

  leaf(page: number, forGuest: boolean, userLikely: boolean): Leaf {
    const { random, choices } = this
    let flags = V | A | D
    const kind = random.below(20)
    if (kind < 10) flags |= R | W
    else if (kind < 12) flags |= R
    else if (kind < 13) flags |= X
    else if (kind < 14) flags |= R | X
    else if (kind < 15) flags |= W
    else if (kind < 16) flags |= W | X
    else if (kind < 17) flags &= ~V
    else if (kind < 18) flags |= R | W | (1n << BigInt(54 + random.below(10)))
    else if (kind < 19 && choices.clearAccessed) flags = (flags | R | W) & ~(random.chance(1, 2) ? A : D)
    else flags |= R | W | G
    if (random.chance(userLikely ? 7 : 1, 8)) flags |= U
    if (forGuest && random.chance(1, 4)) flags |= BigInt(random.below(4)) << 8n
    if (random.chance(1, 24)) return { page: NAPOT, flags: ((flags & 0xffn) | N) & ~choices.withoutFlags }
    if (random.chance(1, 24)) flags |= BigInt(random.below(4)) << 61n
    return { page: random.chance(1, 20) ? NOWHERE : page, flags: flags & ~choices.withoutFlags }
  }

  tables(kind: 'satp' | 'vsatp' | 'hgatp', mode: Tables['mode']): Tables {
    const { random } = this
    const guest = kind !== 'satp'
    const user = kind === 'hgatp' || (kind === 'satp' ? this.mode === 'U' : this.mode === 'VU')
    const fixed = V | R | X | A | D | (random.chance(1, 3) ? W : 0n)
    const leaves: Leaf[] = [
      { page: 0, flags: fixed | (user ? U : 0n) },
      { page: 1, flags: fixed | (kind === 'hgatp' ? U : 0n) },
    ]
    for (let position = 2; position < 16; position++) {
      // Guest tables go through G-stage pages of every kind; the others show one of the two pages of data.
      const page = kind === 'vsatp' ? 2 + random.below(14) : 2 + random.below(2)
      leaves.push(this.leaf(page, guest, user))
    }
    return {
      mode,
      leaves,
      superpage: V | R | A | D | (random.chance(1, 2) ? U : 0n) | (kind === 'hgatp' ? U : 0n),
      misaligned: V | R | A | D | U,
      pointer: V | random.pick([A, D, U, 1n << 54n, W, 0n, 0n]),
    }
  }

  slots(): number[][] {
    const { random } = this
    const count = 12 + random.below(MOST_SLOTS - 14)
    const slots: number[][] = []
    for (let slot = 0; slot < count; slot++) {
      const words: number[] = slot % PATCHED === 0 ? [NOP] : []
      let at = words.length * 4
      const length = 6 * 4 + random.below(3) * 4
      while (at < length) {
        if (SLOT_BYTES - at < 8 && random.chance(1, 2)) break
        for (const word of this.next(slot * SLOT_BYTES + at, SLOT_BYTES - at, slot, count)) {
          words.push(word)
          at += (word & 3) === 3 ? 4 : 2
        }
      }
      slots.push(words)
    }
    return [...slots, [0x73]]
  }
}

const PBMTE_ADUE = 3n << 61n
/** Bits that a random setting may have: all others stay 0. */
const SETTING_MASKS: Readonly<Partial<Record<Setting, bigint>>> = {
  mstatus: 0x7c_61a2n, // SIE SPIE MPIE SPP FS SUM MXR TVM TW TSR
  medeleg: 0xf0_b5fen,
  mideleg: 0x222n,
  mcounteren: 7n,
  scounteren: 7n,
  hcounteren: 7n,
  menvcfg: 0xf1n | PBMTE_ADUE,
  senvcfg: 0xf1n,
  henvcfg: 0xf1n | PBMTE_ADUE,
  mie: 0x446n,
  mip: 0x2n,
  hstatus: 0x70_03c0n, // GVA SPV SPVP HU VTVM VTW VTSR
  hedeleg: 0xb1fen,
  hideleg: 0x444n,
  hvip: 0x444n,
  vsstatus: 0xc_6122n, // SIE SPIE SPP FS SUM MXR
  stvec: 1n,
  vstvec: 1n,
  scause: 0xfn,
  vscause: 0xfn,
  mcause: 0xfn,
  sscratch: ~0n,
  stval: ~0n,
  vsscratch: ~0n,
  vstval: ~0n,
  mtval: ~0n,
  htval: 0xff_ffff_fffcn,
  mtval2: 0xff_ffff_fffcn,
}
const FPU_ON = 0x6000n
/** TVM of mstatus, VTVM of hstatus. */
const TVM = 1n << 20n

/** The program of a seed. */
export function generate(seed: number, choices: Choices): Program {
  const random = new Random(seed)
  const mode = random.pick(choices.modes)
  const generator = new Generator(random, choices, mode)
  const settings: Partial<Record<Setting, bigint>> = {}
  for (const [name, mask] of Object.entries(SETTING_MASKS) as [Setting, bigint][]) {
    let value = random.bits64() & mask
    if (name.endsWith('envcfg') && !choices.fiom) value &= ~1n
    if (!choices.memoryTypes) value &= ~(PBMTE_ADUE & mask)
    // CBIE = 2 is reserved, and what a write of it leaves is up to the implementation.
    if (name.endsWith('envcfg') && (value & 0x30n) === 0x20n) value |= 0x10n
    if (/^(h|vs)/.test(name) && !choices.hypervisor) value = 0n
    if (name === 'hvip' || name === 'mip') value = random.chance(1, 8) ? value : 0n
    if (generator.mayChangeTables && choices.fenced && (name === 'mstatus' || name === 'hstatus')) value &= ~TVM
    if ((name === 'mstatus' || name === 'vsstatus') && random.chance(7, 8)) value |= FPU_ON
    settings[name] = value
  }
  if (random.chance(1, 2)) settings.medeleg = 0n
  // The arena itself stays open to all: a vector that cannot be fetched would trap for ever.
  if (random.chance(1, 12)) settings.pmpcfg0 = random.pick([0x1f1fn, 0x181fn, 0x1c1fn])

  const satpMode = random.pick([BARE, SV39, SV39, SV48] as const)
  const vsatpMode = random.pick([BARE, SV39, SV39, SV48] as const)
  const hgatpMode = random.pick([BARE, SV39, SV39, SV39, SV48] as const)
  const pointers = new Map<number, { guest: boolean; offset: bigint }>()
  for (const register of [...POINTERS, 2]) {
    const guest = mode === 'VS' || mode === 'VU' || random.chance(1, 3)
    // Without translation, what lies around the two pages of data must not be hit: it keeps the program on its way.
    const bare = guest ? vsatpMode === BARE && hgatpMode === BARE : mode === 'M' || satpMode === BARE
    const kind = bare ? random.pick([0, 1, 2, 3, 18, 19]) : random.below(20)
    const within = BigInt(random.below(0x780) & (random.chance(1, 8) ? ~0 : ~7))
    const offset =
      kind < 14
        ? BigInt(2 + random.below(kind < 6 ? 2 : 14)) * 0x1000n + within
        : // Across into the next page; behind the last one is the program's own table.
          kind < 15
          ? BigInt(2 + random.below(13)) * 0x1000n + 0xffcn
          : kind < 16
            ? 0x20_0000n + within
            : kind < 17
              ? 0x40_0000n + within
              : kind < 18
                ? 0x60_0000n + within
                : kind < 19
                  ? 0x8000_0000n + within
                  : random.pick([1n << 38n, 1n << 41n, 1n << 47n, 1n << 50n, 1n << 63n]) + within
    pointers.set(register, { guest, offset })
  }
  const integer = (): bigint => (random.chance(1, 2) ? random.pick(CORNERS) : random.bits64())
  const double = (): bigint => (random.chance(1, 2) ? random.pick(DOUBLES) : random.bits64())
  const single = (): bigint =>
    0xffff_ffff_0000_0000n | (random.chance(1, 2) ? random.pick(SINGLES) : random.bits64() & 0xffff_ffffn)
  return {
    seed,
    mode,
    settings,
    fcsr: random.below(5) << 5,
    x: Array.from({ length: 32 }, (_, register) => (register === 0 ? 0n : integer())),
    f: Array.from({ length: 32 }, () => (random.chance(1, 2) ? double() : single())),
    pointers,
    slots: generator.slots(),
    templates: Array.from({ length: TEMPLATE_COUNT }, () => generator.encode(random.pick(generator.pools.alu))),
    data: Uint8Array.from({ length: DATA_BYTES }, () => random.below(256)),
    satp: generator.tables('satp', satpMode),
    vsatp: generator.tables('vsatp', vsatpMode),
    hgatp: generator.tables('hgatp', hgatpMode),
    tableFlags: V | R | A | D | (random.chance(15, 16) ? U | W : 0n),
  }
}
