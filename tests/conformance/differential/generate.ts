/** Makes random programs. They end: control only goes forward, and what could loop (a changed vector or root) is not generated. */
import { DATA_BYTES } from './arena.ts'
import type { Choices } from './choices.ts'
import { randomTableFlags, randomTables } from './page-tables.ts'
import { BARE, SV39, SV48, type Program } from './program.ts'
import { Random } from './random.ts'
import { randomSettings } from './settings.ts'
import { POINTERS, SlotGenerator } from './slots.ts'
import { randomFloat, randomInteger } from './values.ts'

/** The program of a seed. */
export function generate(seed: number, choices: Choices): Program {
  const random = new Random(seed)
  const mode = random.pick(choices.modes)
  const generator = new SlotGenerator(random, choices, mode)
  const settings = randomSettings(random, choices, generator.keepTvm)
  const satpMode = random.pick([BARE, SV39, SV39, SV48] as const)
  const vsatpMode = random.pick([BARE, SV39, SV39, SV48] as const)
  const hgatpMode = random.pick([BARE, SV39, SV39, SV39, SV48] as const)
  const pointers = new Map<number, { guest: boolean; offset: bigint }>()
  for (const register of [...POINTERS, 2]) {
    const guest = mode === 'VS' || mode === 'VU' || random.chance(1, 3)
    // Without translation, what lies around the two pages of data must not be hit: it keeps the program on its way.
    const bare = guest ? vsatpMode === BARE && hgatpMode === BARE : mode === 'M' || satpMode === BARE
    pointers.set(register, { guest, offset: randomOffset(random, bare) })
  }
  return {
    seed,
    mode,
    settings,
    fcsr: random.below(5) << 5,
    x: Array.from({ length: 32 }, (_, register) => (register === 0 ? 0n : randomInteger(random))),
    f: Array.from({ length: 32 }, () => randomFloat(random)),
    pointers,
    slots: generator.slots(),
    templates: generator.templates(),
    data: Uint8Array.from({ length: DATA_BYTES }, () => random.below(256)),
    satp: randomTables(random, choices, mode, 'satp', satpMode),
    vsatp: randomTables(random, choices, mode, 'vsatp', vsatpMode),
    hgatp: randomTables(random, choices, mode, 'hgatp', hgatpMode),
    tableFlags: randomTableFlags(random),
  }
}

/** Where a pointer points, from where code begins: data, pages of every kind, superpages, far away. */
function randomOffset(random: Random, bare: boolean): bigint {
  const kind = bare ? random.pick([0, 1, 2, 3, 18, 19]) : random.below(20)
  const within = BigInt(random.below(0x780) & (random.chance(1, 8) ? ~0 : ~7))
  if (kind < 14) return BigInt(2 + random.below(kind < 6 ? 2 : 14)) * 0x1000n + within
  // Across into the next page; behind the last one is the program's own table.
  if (kind < 15) return BigInt(2 + random.below(13)) * 0x1000n + 0xffcn
  if (kind < 16) return 0x20_0000n + within
  if (kind < 17) return 0x40_0000n + within
  if (kind < 18) return 0x60_0000n + within
  if (kind < 19) return 0x8000_0000n + within
  return random.pick([1n << 38n, 1n << 41n, 1n << 47n, 1n << 50n, 1n << 63n]) + within
}
