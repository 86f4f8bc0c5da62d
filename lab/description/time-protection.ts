/** Time protection as described: complete, and only where it can be had. */
import type { TimeProtection } from '../../hw/spec/layouts/time-protection.ts'
import { UserError } from '../user-error.ts'
import type { RawDescription } from './schema.ts'

const PAD = 100

/** Throws UserError if this machine cannot have what is asked for. */
export function timeProtectionIn(raw: RawDescription, harts: number, place: string): TimeProtection | undefined {
  const { timeProtection, vmm } = raw
  if (!timeProtection) return undefined
  if (vmm !== 'native')
    throw new UserError(`${place}: timeProtection is of vmm "native", but vmm is "${vmm}"; leave timeProtection out`)
  if (harts !== 1)
    throw new UserError(
      `${place}: timeProtection: slots are kept on one hart, and machine.harts is ${harts}; make it 1`,
    )
  const { slot, pad = PAD } = timeProtection
  if (pad >= slot)
    throw new UserError(
      `${place}: timeProtection.slot ${slot}: nothing is left of it behind pad ${pad}; make it longer`,
    )
  return { slot, pad }
}
