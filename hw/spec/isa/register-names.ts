/** Names of registers, rounding modes and fence sets, as the assembler reads and the disassembler prints them. */

/** ABI names of x0..x31. */
// biome-ignore format: a table
export const X_NAMES: readonly string[] = [
  'zero', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5',
  'a6', 'a7', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11', 't3', 't4', 't5', 't6',
]

/** ABI names of f0..f31. */
// biome-ignore format: a table
export const F_NAMES: readonly string[] = [
  'ft0', 'ft1', 'ft2', 'ft3', 'ft4', 'ft5', 'ft6', 'ft7', 'fs0', 'fs1', 'fa0', 'fa1', 'fa2', 'fa3', 'fa4', 'fa5',
  'fa6', 'fa7', 'fs2', 'fs3', 'fs4', 'fs5', 'fs6', 'fs7', 'fs8', 'fs9', 'fs10', 'fs11', 'ft8', 'ft9', 'ft10', 'ft11',
]

/** Rounding modes by their encoding; 5 and 6 are reserved. */
export const ROUNDING_NAMES: readonly string[] = ['rne', 'rtz', 'rdn', 'rup', 'rmm', 'unknown', 'unknown', 'dyn']

/** Conversions that are exact in every rounding mode: GNU as encodes mode 0 where it is left out. */
export const EXACT_CONVERSIONS: readonly string[] = ['fcvt.d.w', 'fcvt.d.wu', 'fcvt.d.s']

/** The sets of a fence, bit 3 first. */
export const FENCE_LETTERS = 'iorw'

function numbers(names: readonly string[], letter: string): ReadonlyMap<string, number> {
  return new Map(
    names.flatMap(
      (name, number) =>
        [
          [name, number],
          [`${letter}${number}`, number],
        ] as const,
    ),
  )
}

/** Register numbers by ABI name, plain name, and `fp`. */
export const X_NUMBERS: ReadonlyMap<string, number> = new Map([...numbers(X_NAMES, 'x'), ['fp', 8]])
export const F_NUMBERS: ReadonlyMap<string, number> = numbers(F_NAMES, 'f')
