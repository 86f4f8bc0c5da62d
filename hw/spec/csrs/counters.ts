/** Counters, and their views for lower privilege. Counters 3 to 31 exist and read as zero. */
import { csr, type Csr } from '../csr.ts'
import { rule } from '../sources.ts'

export const mcycle = csr('mcycle', 0xb00, rule('mcycle_op'), { Value: [63, 0, 'rw'] })
export const minstret = csr('minstret', 0xb02, rule('minstret_op'), { Value: [63, 0, 'rw'] })
export const cycle = csr('cycle', 0xc00, rule('zicntr_rdcycle_op'), { Value: [63, 0, 'ro'] })
export const time = csr('time', 0xc01, rule('zicntr_rdtime_op'), { Value: [63, 0, 'ro'] })
export const instret = csr('instret', 0xc02, rule('zicntr_rdinstret_op'), { Value: [63, 0, 'ro'] })

const others = Array.from({ length: 29 }, (_, index) => index + 3)

export const mhpmcounter: readonly Csr[] = others.map(n =>
  csr(`mhpmcounter${n}`, 0xb00 + n, rule('MHPMCOUNTER_N_RDONLY0'), { Value: [63, 0, { fixed: 0 }] }),
)
export const mhpmevent: readonly Csr[] = others.map(n =>
  csr(`mhpmevent${n}`, 0x320 + n, rule('MHPMEVENT_N_RDONLY0'), { Value: [63, 0, { fixed: 0 }] }),
)
export const hpmcounter: readonly Csr[] = others.map(n =>
  csr(`hpmcounter${n}`, 0xc00 + n, rule('hpmcounter_op_sz_mode'), { Value: [63, 0, { fixed: 0 }] }),
)

export const COUNTER_CSRS: readonly Csr[] = [
  mcycle,
  minstret,
  cycle,
  time,
  instret,
  ...mhpmcounter,
  ...mhpmevent,
  ...hpmcounter,
]
