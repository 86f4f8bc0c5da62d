/**
 * CSRs that are nothing but storage: what a trap handler saves, restores and asks for. Handlers read and write them
 * without the hart, as Rocket does without flushing its pipeline (CSR.scala, write_flush).
 */
import { CSR_RULES } from '../hart/csr-rules.ts'

export interface PlainCsr {
  /** Where it lies in the window with V=0 and with V=1. */
  readonly at: number
  readonly virtualAt: number
  /** Bits that take what is written, sign-extended; 0 if writes are the hart's. */
  readonly mask: number
}

/** xscratch, xepc, xcause and xtval of S and M. */
const NUMBERS = [0x140, 0x141, 0x142, 0x143, 0x340, 0x341, 0x342, 0x343]

/** The CSR of that number, if it is plain. */
export function plainCsr(number: number): PlainCsr | undefined {
  return plain.get(number)
}

const plain = new Map(
  NUMBERS.flatMap(number => {
    const rules = CSR_RULES[number]
    const virtual = rules && CSR_RULES[rules.whenVirtual]
    if (!rules || !virtual || rules.slot < 0 || virtual.slot < 0) return []
    // The high half of the mask must be the low one's sign, as it is not in xcause.
    const simple =
      rules.choices.length === 0 &&
      rules.high === rules.low >> 31 &&
      virtual.low === rules.low &&
      virtual.high === rules.high
    return [[number, { at: rules.slot * 4, virtualAt: virtual.slot * 4, mask: simple ? rules.low : 0 }] as const]
  }),
)
