/** Instructions by their bits: anything at all, and what is privileged or has to do with two stages. */
import fc from 'fast-check'

const SYSTEM = 0x73
const ENTRY = 0x0b
const AMO = 0x2f
const MISC = 0x0f
const A1 = 11
const A4 = 14
const A2 = 12
const BRANCHES: readonly number[] = [0x63, 0x67, 0x6f]
const WFI = 0x1050_0073

const unsigned = (word: number) => word >>> 0

/** ecall, ebreak, xret, fences of both stages, wfi: rs1 = a1, rs2 = a4 where they have them. */
const PRIVILEGED: readonly number[] = [
  0x0010_0073, 0x1020_0073, 0x3020_0073, 0x7020_0073, 0x1200_0073, 0x12e5_8073, 0x2200_0073, 0x22e5_8073, 0x6200_0073,
  0x62e5_8073, 0x1600_0073, 0x1800_0073, 0x1810_0073, 0x2600_0073, 0x6600_0073, 0x0000_100f, 0x0ff0_000f,
].map(unsigned)

/** What is compressed has c.nop behind it: else it would be two instructions, of which the second is not looked at. */
const alone = (word: number) => ((word & 3) === 3 ? word : unsigned((word & 0xffff) | 0x0001_0000))

const csrAccess = fc
  .tuple(fc.nat(0xfff), fc.constantFrom(1, 2, 3, 5, 6, 7), fc.boolean())
  .map(([csr, how, keep]) => unsigned((csr << 20) | ((keep ? 0 : A1) << 15) | (how << 12) | (A2 << 7) | SYSTEM))

/** hlv, hlvx, hsv of a1. */
const guestAccess = fc
  .tuple(fc.nat(0x7f), fc.nat(31))
  .map(([high, low]) => unsigned((high << 25) | (low << 20) | (A1 << 15) | (4 << 12) | (A2 << 7) | SYSTEM))

const entry = fc.nat(0xfff).map(number => unsigned((number << 20) | ENTRY))

const atomic = fc
  .tuple(fc.constantFrom(0, 1, 2, 3, 4, 8, 12, 16, 20, 24, 28), fc.constantFrom(2, 3))
  .map(([operation, width]) => unsigned((operation << 27) | (A4 << 20) | (A1 << 15) | (width << 12) | (A2 << 7) | AMO))

/** cbo.* of a1. */
const cacheBlock = fc.nat(4).map(operation => unsigned((operation << 20) | (A1 << 15) | (2 << 12) | MISC))

/** A compressed instruction, and c.nop. */
const compressed = fc
  .nat(0xffff)
  .filter(half => (half & 3) !== 3)
  .map(half => unsigned(half | 0x0001_0000))

/** c.lw, c.ld, c.sw and c.sd of a2 at a1. */
const compressedAccess = fc.constantFrom(0x4190, 0x6190, 0xc190, 0xe190).map(half => half | 0x0001_0000)

export const anyWord: fc.Arbitrary<number> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...PRIVILEGED) },
  { weight: 3, arbitrary: csrAccess },
  { weight: 2, arbitrary: guestAccess },
  { weight: 1, arbitrary: entry },
  { weight: 1, arbitrary: atomic },
  { weight: 1, arbitrary: cacheBlock },
  { weight: 1, arbitrary: compressed },
  { weight: 1, arbitrary: compressedAccess },
  { weight: 2, arbitrary: fc.nat(0xffff_ffff).map(alone) },
)

/** CSRs that say what time it is, or what is pending because of it. */
export function readsTime(csr: number): boolean {
  return (csr & 0xfe0) === 0xc00 || (csr & 0xfe0) === 0xc80 || csr === 0x144 || csr === 0x14d || csr === 0xdb0
}

/** True if what the instruction does depends on no time, and it goes on with the next. */
export function isTimeless(word: number): boolean {
  const opcode = word & 0x7f
  if (BRANCHES.includes(opcode) || word === WFI) return false
  if (opcode === SYSTEM && ((word >>> 12) & 7) !== 0) return !readsTime(word >>> 20)
  // Compressed jumps and branches.
  if ((word & 3) === 1 && ((word >>> 13) & 7) >= 5) return false
  return !((word & 3) === 2 && ((word >>> 13) & 7) === 4)
}
