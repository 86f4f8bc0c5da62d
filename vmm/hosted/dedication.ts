/** Which harts run what, if harts are dedicated to vCPUs. Set-up. */
import { type GuestNode } from '../../hw/spec/layouts/guest-node.ts'

export interface Dedication {
  /** The hart that takes the devices' interrupts and looks after the host's own affairs. */
  readonly housekeeping: number
  /** By hart: only threads that are pinned to it run there. */
  readonly reserved: readonly boolean[]
  /** By hart: it is one vCPU's alone, without a cap: nothing has to be measured or preempted, and its wfi need not be seen. */
  readonly quiet: readonly boolean[]
}

/** Without dedication any hart runs anything. With it, harts that vCPUs are pinned to run nothing else, and the first of the others keeps house. */
export function dedicationOf(nodes: readonly GuestNode[], harts: number, dedicated: boolean): Dedication {
  const pinned = Array.from({ length: harts }, (_, hart) =>
    dedicated ? nodes.flatMap(({ harts: pins, cap }) => pins.filter(pin => pin === hart).map(() => cap)) : [],
  )
  const housekeeping = pinned.findIndex(caps => caps.length === 0)
  if (housekeeping < 0)
    throw new Error(
      `guests are pinned to all ${harts} harts, but harts are to be dedicated, and the host needs one for its devices and I/O threads; add a hart, or pin guests to fewer`,
    )
  return {
    housekeeping,
    reserved: pinned.map(caps => caps.length > 0),
    quiet: pinned.map(caps => caps.length === 1 && caps[0] === 0),
  }
}
