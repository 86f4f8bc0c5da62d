/** What the CSR tables say of writes, as masks on two 32-bit halves: made once, read at each access. */
import type { Csr, CsrField } from '../spec/csr.ts'
import { CSRS } from '../spec/csrs/index.ts'
import { slotOrNone } from './slots.ts'

/** A WARL field that lies in one half: a value whose bit is not in `legal` keeps the old one. */
interface Choice {
  readonly high: boolean
  readonly shift: number
  readonly mask: number
  readonly legal: number
}

export interface CsrRules {
  readonly csr: Csr
  /** Word index in the window, or -1. */
  readonly slot: number
  /** Bits that take what is written. */
  readonly low: number
  readonly high: number
  /** Bits that read as one. */
  readonly fixedLow: number
  readonly fixedHigh: number
  readonly choices: readonly Choice[]
  readonly needsAia: boolean
  /** The number that this one reaches when V=1, or itself. */
  readonly whenVirtual: number
}

function bits(field: CsrField): bigint {
  return ((1n << BigInt(field.high - field.low + 1)) - 1n) << BigInt(field.low)
}

function fixedValue(field: CsrField): bigint {
  return typeof field.rule === 'object' && 'fixed' in field.rule ? BigInt(field.rule.fixed) << BigInt(field.low) : 0n
}

function choicesOf(csr: Csr): readonly Choice[] {
  return csr.fields.flatMap(({ rule, high, low }) => {
    if (typeof rule !== 'object' || !('warl' in rule)) return []
    return [
      {
        high: low >= 32,
        shift: low & 31,
        mask: (1 << (high - low + 1)) - 1,
        legal: rule.warl.reduce((set, value) => set | (1 << value), 0),
      },
    ]
  })
}

function rulesOf(csr: Csr): CsrRules {
  const writable = csr.fields
    .filter(({ rule }) => rule === 'rw' || rule === 'wlrl' || (typeof rule === 'object' && 'warl' in rule))
    .reduce((mask, field) => mask | bits(field), 0n)
  const fixed = csr.fields.reduce((value, field) => value | fixedValue(field), 0n)
  return {
    csr,
    slot: slotOrNone(csr.name),
    low: Number(BigInt.asIntN(32, writable)),
    high: Number(BigInt.asIntN(32, writable >> 32n)),
    fixedLow: Number(BigInt.asIntN(32, fixed)),
    fixedHigh: Number(BigInt.asIntN(32, fixed >> 32n)),
    choices: choicesOf(csr),
    needsAia: csr.needs === 'AIA',
    whenVirtual: CSRS.find(({ name }) => name === csr.virtual)?.number ?? csr.number,
  }
}

/** By CSR number. */
export const CSR_RULES: readonly (CsrRules | undefined)[] = Array.from({ length: 4096 }, (_, number) => {
  const csr = CSRS.find(candidate => candidate.number === number)
  return csr && rulesOf(csr)
})
