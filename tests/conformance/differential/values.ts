/** Registers' first values: corners, and anything. */
import type { Random } from './random.ts'

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

export function randomInteger(random: Random): bigint {
  return random.chance(1, 2) ? random.pick(CORNERS) : random.bits64()
}

/** Raw bits of a floating-point register: a double, or a single in its box. */
export function randomFloat(random: Random): bigint {
  if (random.chance(1, 2)) return random.chance(1, 2) ? random.pick(DOUBLES) : random.bits64()
  return 0xffff_ffff_0000_0000n | (random.chance(1, 2) ? random.pick(SINGLES) : random.bits64() & 0xffff_ffffn)
}
