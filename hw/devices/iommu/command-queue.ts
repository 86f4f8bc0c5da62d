/** One command of the IOMMU's command queue, taken apart and done. */
import type { Dma } from '../../bus/chip.ts'
import { command as table, OPCODE } from '../../spec/layouts/iommu.ts'
import type { Field } from '../../spec/registers.ts'
import type { Translation } from './translation.ts'

/** What became of it: done; illegal or unsupported; its write met no memory; done, and a wired interrupt is due. */
export type CommandOutcome = 'done' | 'illegal' | 'memory fault' | 'fence interrupt'

export interface CommandContext {
  readonly memory: Dma
  readonly translation: Translation
  /** Wired interrupts are enabled (fctl.WSI). */
  readonly wired: boolean
  /** Forgets the context of a device, or all. */
  forget(device: number | undefined): void
}

const { first: word, second } = table
// What each command defines of its first doubleword, by opcode and func3; anything else set is illegal.
const HEAD = mask(word.fields.opcode) | mask(word.fields.func3)
const INVALIDATE =
  HEAD |
  mask(word.fields.AV) |
  mask(word.fields.PSCID) |
  mask(word.fields.PSCV) |
  mask(word.fields.GV) |
  mask(word.fields.GSCID)
/** PR and PW, bits 12 and 13: our accesses are in order anyway. */
const FENCE = HEAD | mask(word.fields.AV) | mask(word.fields.WSI) | (3n << 12n) | mask(word.fields.DATA)
const DIRECTORY = HEAD | mask(word.fields.DV) | mask(word.fields.DID)
const ADDRESS = mask(second.fields.ADDR)

export function perform(low: bigint, high: bigint, context: CommandContext): CommandOutcome {
  const of = (field: Field) => Number((low & mask(field)) >> BigInt(field.low))
  const { opcode, func3, AV, PSCID, PSCV, GV, GSCID, WSI, DATA, DV, DID } = word.fields
  const page = of(AV) === 1 ? Number((high & ADDRESS) >> BigInt(second.fields.ADDR.low)) : undefined
  switch (of(opcode)) {
    case OPCODE.IOTINVAL: {
      if ((low & ~INVALIDATE) !== 0n || (high & ~ADDRESS) !== 0n || of(func3) > 1) return 'illegal'
      const gscid = of(GV) === 1 ? of(GSCID) : undefined
      if (of(func3) === 1) {
        if (of(PSCV) === 1) return 'illegal'
        context.translation.invalidateGuest(gscid, gscid === undefined ? undefined : page)
        return 'done'
      }
      context.translation.invalidate({
        guestOnly: gscid !== undefined,
        ...(gscid !== undefined && { gscid }),
        ...(of(PSCV) === 1 && { pscid: of(PSCID) }),
        ...(page !== undefined && { page }),
      })
      return 'done'
    }
    case OPCODE.IOFENCE: {
      if ((low & ~FENCE) !== 0n || of(func3) !== 0 || (of(WSI) === 1 && !context.wired)) return 'illegal'
      // ADDR counts in units of four bytes: its two low bits are not there.
      if (of(AV) === 1) {
        const bytes = new Uint8Array(4)
        new DataView(bytes.buffer).setUint32(0, of(DATA), true)
        if (!context.memory.write(Number(BigInt.asUintN(53, high << 2n)), bytes)) return 'memory fault'
      }
      return of(WSI) === 1 ? 'fence interrupt' : 'done'
    }
    case OPCODE.IODIR:
      // INVAL_PDT is about process directories, of which there are none.
      if ((low & ~DIRECTORY) !== 0n || high !== 0n || of(func3) !== 0) return 'illegal'
      context.forget(of(DV) === 1 ? of(DID) : undefined)
      return 'done'
    default:
      return 'illegal'
  }
}

function mask(field: Field): bigint {
  return ((1n << BigInt(field.high - field.low + 1)) - 1n) << BigInt(field.low)
}
