/** Random page tables: leaves of every permission. */
import type { Choices } from './choices.ts'
import { NAPOT, NOWHERE, type Leaf, type Mode, type Tables } from './program.ts'
import type { Random } from './random.ts'

const N = 1n << 63n
const V = 1n,
  R = 2n,
  W = 4n,
  X = 8n,
  U = 16n,
  G = 32n,
  A = 64n,
  D = 128n

/** Flags of the leaves of the guest's own tables in G-stage: rarely such that no walk gets through. */
export function randomTableFlags(random: Random): bigint {
  return V | R | A | D | (random.chance(15, 16) ? U | W : 0n)
}

/** What one of the three registers points to, for a program in `mode`. */
export function randomTables(
  random: Random,
  choices: Choices,
  mode: Mode,
  kind: 'satp' | 'vsatp' | 'hgatp',
  translation: Tables['mode'],
): Tables {
  const guest = kind !== 'satp'
  const user = kind === 'hgatp' || (kind === 'satp' ? mode === 'U' : mode === 'VU')
  const fixed = V | R | X | A | D | (random.chance(1, 3) ? W : 0n)
  const leaves: Leaf[] = [
    { page: 0, flags: fixed | (user ? U : 0n) },
    { page: 1, flags: fixed | (kind === 'hgatp' ? U : 0n) },
  ]
  for (let position = 2; position < 16; position++) {
    // Guest tables go through G-stage pages of every kind; the others show one of the two pages of data.
    const page = kind === 'vsatp' ? 2 + random.below(14) : 2 + random.below(2)
    leaves.push(leaf(random, choices, page, guest, user))
  }
  return {
    mode: translation,
    leaves,
    superpage: V | R | A | D | (random.chance(1, 2) ? U : 0n) | (kind === 'hgatp' ? U : 0n),
    misaligned: V | R | A | D | U,
    pointer: V | random.pick([A, D, U, 1n << 54n, W, 0n, 0n]),
  }
}

function leaf(random: Random, choices: Choices, page: number, forGuest: boolean, userLikely: boolean): Leaf {
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
