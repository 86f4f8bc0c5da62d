/** Workloads that need no device, as guests of a real type 1: between their marks, as in lab/study/measure.ts. */
import { setImmediate } from 'node:timers/promises'
import { WORKLOADS, type Workload } from '../../guests/index.ts'
import type { Machine } from '../../hw/index.ts'
import { buildMachine } from '../machine.ts'
import { BAO, baoBoard } from './bao.ts'
import type { Type1Image } from './type-1-images.ts'
import { xvisorBoard } from './xvisor.ts'

const MIB = 2 ** 20
const RAM_BYTES = 256 * MIB
const GUEST_BYTES = 64 * MIB
const TURN = 20_000_000
const PATIENCE = 1_000_000_000

/** Those of the small set that are assembly alone, and not among the microbenchmarks. */
export const PLAIN_WORKLOADS: readonly Workload[] = WORKLOADS.filter(
  ({ name, disk, network, software }) => !disk && !network && !software && name !== 'hypercall' && name !== 'hostile',
)

async function runToMark(machine: Machine, mark: 'start' | 'end'): Promise<number> {
  const end = machine.now() + PATIENCE
  while (machine.now() < end) {
    const stop = machine.run({ marks: true, untilCycle: machine.now() + TURN })
    if (stop.kind === 'mark' && stop.mark === mark) return machine.harts[stop.hart].now()
    if (stop.kind === 'stopped' || stop.kind === 'idle') break
    await setImmediate()
  }
  throw new Error(`its ${mark} mark was not reached`)
}

/** Cycles an operation under this hypervisor. Throws one line if the guest does not come to its end. */
export async function measureUnder({ project, image }: Type1Image, workload: Workload): Promise<number> {
  const guest = { kernel: workload.image().bytes, bootargs: '', memoryBytes: GUEST_BYTES }
  const board =
    project === 'Bao'
      ? baoBoard(image, { ...guest, harts: [...Array(BAO.harts).keys()] })
      : xvisorBoard(image, [{ ...guest, harts: [0] }], { harts: 1, ramBytes: RAM_BYTES })
  const machine = buildMachine(board)
  const start = await runToMark(machine, 'start')
  return ((await runToMark(machine, 'end')) - start) / (workload.operations ?? 1)
}
