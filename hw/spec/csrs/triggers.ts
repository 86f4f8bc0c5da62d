/** The trigger module's CSRs, of a hart that has no trigger: every selector selects one of type 0, none. */
import { csr, type Csr } from '../csr.ts'

export const tselect = csr('tselect', 0x7a0, 'Debug 5.7.1', { index: [63, 0, { fixed: 0 }] })
export const tdata1 = csr('tdata1', 0x7a1, 'Debug 5.7.2', { type: [63, 60, { fixed: 0 }], data: [59, 0, { fixed: 0 }] })
export const tdata2 = csr('tdata2', 0x7a2, 'Debug 5.7.3', { data: [63, 0, { fixed: 0 }] })
export const tdata3 = csr('tdata3', 0x7a3, 'Debug 5.7.4', { data: [63, 0, { fixed: 0 }] })

export const TRIGGER_CSRS: readonly Csr[] = [tselect, tdata1, tdata2, tdata3]
