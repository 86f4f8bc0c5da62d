/** The way of one request through a placement: who did what on which hart, and when the device was at memory, from the trace. */
import type { LedgerKey } from '../../hw/time/ledger.ts'
import type { Request } from './latency.ts'
import { type PlaceConditions, placedSystem } from './machine.ts'
import type { PlacementName } from './placements.ts'
import type { MarkedWorkload } from './workloads.ts'

/** From the request's beginning, in cycles. */
interface Span {
  readonly from: number
  readonly to: number
}

export interface PathStretch extends LedgerKey, Span {
  readonly hart: number
}

export interface RequestPath {
  readonly placement: PlacementName
  /** From the request's beginning to its end. */
  readonly cycles: number
  readonly cyclesPerMicrosecond: number
  /** In their order on each hart. Stretches that follow each other and are alike are one. */
  readonly stretches: readonly PathStretch[]
  /** From the first to the last access of a device to memory, if there was one. */
  readonly device: Span | undefined
}

/** Runs the machine again up to that request, which is where it was, and records it. */
export function recordPath(
  workload: MarkedWorkload,
  placement: PlacementName,
  conditions: PlaceConditions,
  { from, to }: Request,
): RequestPath {
  const { system } = placedSystem(workload, placement, conditions)
  const { machine } = system
  const stretches: PathStretch[] = []
  let device: { from: number; to: number } | undefined
  for (const { id, ledger } of machine.harts) {
    ledger.observer = (row, begun, ended) => {
      const [start, end] = [Math.max(begun, from), Math.min(ended, to)]
      if (end > start) add(stretches, { hart: id, ...ledger.key(row), from: start - from, to: end - from })
    }
  }
  const { memory } = machine
  const told = memory.onDma
  memory.onDma = (host, bytes, write) => {
    told?.(host, bytes, write)
    const at = machine.now()
    if (at < from || at > to) return
    device = { from: device?.from ?? at - from, to: at - from }
  }
  while (machine.now() < to) {
    const stop = machine.run({ untilCycle: to })
    if (stop.kind !== 'cycle') break
  }
  // Asking for the rows charges what is open.
  for (const { id } of machine.harts) machine.ledger(id)
  const cyclesPerMicrosecond = machine.board.frequency / 1e6
  return { placement, cycles: to - from, cyclesPerMicrosecond, stretches, device }
}

function add(stretches: PathStretch[], stretch: PathStretch): void {
  const last = stretches.findLastIndex(({ hart }) => hart === stretch.hart)
  const before = stretches[last]
  const alike =
    before?.to === stretch.from &&
    before.party === stretch.party &&
    before.cause === stretch.cause &&
    before.activity === stretch.activity
  if (alike) stretches[last] = { ...before, to: stretch.to }
  else stretches.push(stretch)
}
