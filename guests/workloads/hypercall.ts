/** Hypercalls: the smallest call that there is, SBI base get_spec_version. On the bare machine the firmware answers. */
import { SBI_BASE } from '../../hw/spec/sbi.ts'
import { guestImage } from '../image.ts'
import type { Workload } from '../workload.ts'

/** Calls between the marks. */
export const CALLS = 2000

const SOURCE = `
start:
    sbi ${SBI_BASE}, 0
    mark.start
    li s0, ${CALLS}
1:  sbi ${SBI_BASE}, 0
    addi s0, s0, -1
    bnez s0, 1b
    mark.end
    shutdown
`

export const hypercall: Workload = {
  name: 'hypercall',
  does: `${CALLS} null calls to the environment (SBI get_spec_version)`,
  disk: false,
  network: false,
  operations: CALLS,
  unit: 'cycles per call',
  image: () => guestImage(SOURCE),
}
