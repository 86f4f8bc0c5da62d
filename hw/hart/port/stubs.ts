/**
 * Where port operations trap. What a handler finds at xepc is a real instruction: a load, store or AMO that goes
 * wrong has the address of an instruction of its kind among the software's stubs (hw/spec/port-stubs.ts), with its operands in t4
 * and t5, so that whoever handles the trap may emulate it and go on behind it, or mend the cause and go back to it.
 */
import { instructionNamed } from '../../spec/isa/index.ts'
import { STUB_INSTRUCTIONS } from '../../spec/port-stubs.ts'
import { instructionCycles, type Prices } from '../../time/prices.ts'
import { CALL } from './log.ts'

/** Of each call: the bytes from the stubs' beginning to its instruction, or -1. */
export const STUB_OFFSETS: Int32Array = new Int32Array(64).fill(-1)
Object.keys(STUB_INSTRUCTIONS).forEach((call, index) => {
  STUB_OFFSETS[CALL[call as keyof typeof STUB_INSTRUCTIONS]] = index * 8
})

STUB_OFFSETS[CALL.load64Signed] = STUB_OFFSETS[CALL.load64]

/** Of each call: the cycles that its instruction takes beyond the one in which it retires (lr and sc too, for `swap32If` and `lock`). */
export function extraCycles(prices: Prices): Int32Array {
  const beyond = (name: string): number => instructionCycles(instructionNamed(name)!, prices) - 1
  const extra = new Int32Array(64)
  for (const [call, instruction] of Object.entries(STUB_INSTRUCTIONS)) {
    extra[CALL[call as keyof typeof STUB_INSTRUCTIONS]] = beyond(instruction.slice(0, instruction.indexOf(' ')))
  }
  extra[CALL.load64Signed] = extra[CALL.load64]
  extra[CALL.swap32If] = beyond('lr.w') + beyond('sc.w')
  extra[CALL.lock] = extra[CALL.swap32If]
  return extra
}
