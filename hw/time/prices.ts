/**
 * What a hart's work costs, in its own cycles. The core is Rocket (chipsalliance/rocket-chip at commit c1dda58, the
 * configuration WithNBigCores) and the model is `flat`: caches always hit, branches are always predicted, a pipelined
 * unit costs one cycle, an iterative one its latency. What remains is path length, translation, device access and the
 * emptying of the pipeline, which is what virtualisation is made of.
 */
import type { Instruction } from '../spec/isa/index.ts'
import type { CacheStructure, MemoryPrices } from './prices-memory.ts'

export type Model = 'flat' | 'cached'

/** What a core has to translate with. No price: it may not be scaled. */
export interface Translation {
  /** Of each first-level TLB: at most 32. */
  readonly entries: number
  /** Whether it has a second level, and caches of non-leaf entries. */
  readonly secondLevel: boolean
  readonly pteCaches: boolean
}

export interface Prices {
  readonly core: string
  readonly model: Model
  readonly translation: Translation
  /** Static cost of an instruction by its name; 1 if it is not here. Penalties below come on top. */
  readonly instructions: Readonly<Record<string, number>>
  /** Refilling the five-stage pipeline: trap, xret, fence.i, sfence, hlv, and a write to a CSR that flushes. */
  readonly pipelineFlush: number
  /** A miss in the L1 TLB replays the instruction. */
  readonly replay: number
  /** The walker's lookup in the L2 TLB, when it hits. */
  readonly l2TlbHit: number
  /** The walker reads an entry of a page table from memory; takes a non-leaf one from its own cache. */
  readonly pteRead: number
  readonly pteCacheHit: number
  /** An access that straddles pages or is misaligned: the second access. */
  readonly misaligned: number
  /** Stalls of a read from a device, there and back; a write is posted. */
  readonly deviceRead: { readonly core: number; readonly soc: number; readonly pcie: number }
  readonly deviceWrite: { readonly core: number; readonly soc: number; readonly pcie: number }
  /** In the cached model: its caches, and what a miss costs. */
  readonly caches?: CacheStructure
  readonly memory?: MemoryPrices
}

/** 64 bits, 8 at a time (Multiplier.scala, mulUnroll = 8); half of them for the W forms (fastMulW). */
const MULTIPLY = 8
const MULTIPLY_WORD = 4
/** One bit a cycle, as many as the quotient has (divEarlyOut): between 3 and 66; we take half the width. */
const DIVIDE = 33
const DIVIDE_WORD = 17
/** One bit of the significand a cycle, and rounding (hardfloat's DivSqrtRecFN_small, FPU.scala). */
const FLOAT_DIVIDE_SINGLE = 27
const FLOAT_DIVIDE_DOUBLE = 56
/** The data cache reads, computes and writes back in consecutive stages (DCache.scala, s1 to pstore2). */
const ATOMIC = 3

const multiplications = ['mul', 'mulh', 'mulhu', 'mulhsu']
const divisions = ['div', 'divu', 'rem', 'remu']
const atomics = ['swap', 'add', 'xor', 'and', 'or', 'min', 'max', 'minu', 'maxu'].flatMap(name => [
  `amo${name}.w`,
  `amo${name}.d`,
])

export const rocketFlat: Prices = {
  core: 'Rocket',
  model: 'flat',
  // HellaCache.scala and ICache.scala, nTLBWays; PTW.scala, nL2TLBEntries and nPTECacheEntries.
  translation: { entries: 32, secondLevel: true, pteCaches: true },
  instructions: {
    ...Object.fromEntries(multiplications.map(name => [name, MULTIPLY])),
    mulw: MULTIPLY_WORD,
    ...Object.fromEntries(divisions.map(name => [name, DIVIDE])),
    ...Object.fromEntries(divisions.map(name => [`${name}w`, DIVIDE_WORD])),
    'fdiv.s': FLOAT_DIVIDE_SINGLE,
    'fsqrt.s': FLOAT_DIVIDE_SINGLE,
    'fdiv.d': FLOAT_DIVIDE_DOUBLE,
    'fsqrt.d': FLOAT_DIVIDE_DOUBLE,
    ...Object.fromEntries(atomics.map(name => [name, ATOMIC])),
  },
  // Rocket-chip issue 3521: an instruction that flushes takes 5 or 6 cycles in all.
  pipelineFlush: 5,
  // RocketCore.scala: s2_nack replays from write-back, which refetches like a flush.
  replay: 5,
  // PTW.scala: request, s1_rdata, s2_hit.
  l2TlbHit: 3,
  // PTW.scala: s_req, s_wait1, s_wait2, s_wait3, the data cache hitting.
  pteRead: 4,
  // PTW.scala: a hit stays in s_req for one more cycle.
  pteCacheHit: 1,
  // Two accesses instead of one; Rocket itself traps and leaves it to software.
  misaligned: 1,
  // TileLink crossings of a Rocket SoC: about 10 ns to a device beside the core, 40 ns through the periphery bus. PCIe:
  // Neugebauer et al., SIGCOMM 2018, measure about 550 ns for a 64-byte read there and back at 1 GHz.
  deviceRead: { core: 10, soc: 40, pcie: 550 },
  deviceWrite: { core: 1, soc: 1, pcie: 1 },
}

/** The static cost of an instruction: at least 1. */
export function instructionCycles(instruction: Instruction, prices: Prices = rocketFlat): number {
  return prices.instructions[instruction.name] ?? 1
}
