/**
 * CSRs of the Advanced Interrupt Architecture, on boards that have it. Major interrupts have their default priorities only
 * (the iprio arrays, hviprio1 and hviprio2 are zero), and there are no virtual interrupts beyond those of the H extension
 * (mvien and hvien are zero).
 */
import { csr, type Csr } from '../csr.ts'

const NEEDED = { needs: 'AIA' } as const

export const miselect = csr('miselect', 0x350, 'AIA 2.1', { Select: [8, 0, 'rw'] }, NEEDED)
export const mireg = csr('mireg', 0x351, 'AIA 2.1', { Value: [63, 0, { fixed: 0 }] }, NEEDED)
export const mtopei = csr('mtopei', 0x35c, 'AIA 3.9', { Value: [63, 0, { fixed: 0 }] }, NEEDED)
export const mtopi = csr('mtopi', 0xfb0, 'AIA 5.2.2', { Value: [63, 0, { fixed: 0 }] }, NEEDED)
export const mvien = csr('mvien', 0x308, 'AIA 5.3', { Value: [63, 0, { fixed: 0 }] }, NEEDED)
/** SSIP and SEIP are those of mip that software writes. */
export const mvip = csr('mvip', 0x309, 'AIA 5.3', { Value: [63, 0, { fixed: 0 }] }, NEEDED)

export const siselect = csr('siselect', 0x150, 'AIA 2.2', { Select: [8, 0, 'rw'] }, { ...NEEDED, virtual: 'vsiselect' })
export const sireg = csr('sireg', 0x151, 'AIA 2.2', { Value: [63, 0, { fixed: 0 }] }, { ...NEEDED, virtual: 'vsireg' })
export const stopei = csr(
  'stopei',
  0x15c,
  'AIA 3.9',
  { Value: [63, 0, { fixed: 0 }] },
  { ...NEEDED, virtual: 'vstopei' },
)
export const stopi = csr(
  'stopi',
  0xdb0,
  'AIA 5.4.2',
  { Value: [63, 0, { fixed: 0 }] },
  { ...NEEDED, virtual: 'vstopi' },
)

export const vsiselect = csr('vsiselect', 0x250, 'AIA 2.3', { Select: [8, 0, 'rw'] }, NEEDED)
export const vsireg = csr('vsireg', 0x251, 'AIA 2.3', { Value: [63, 0, { fixed: 0 }] }, NEEDED)
export const vstopei = csr('vstopei', 0x25c, 'AIA 3.9', { Value: [63, 0, { fixed: 0 }] }, NEEDED)
export const vstopi = csr('vstopi', 0xeb0, 'AIA 6.3.3', { Value: [63, 0, { fixed: 0 }] }, NEEDED)
export const hvien = csr('hvien', 0x608, 'AIA 6.3.2', { Value: [63, 0, { fixed: 0 }] }, NEEDED)
export const hvictl = csr(
  'hvictl',
  0x609,
  'AIA 6.3.2',
  { VTI: [30, 30, 'rw'], IID: [21, 16, 'rw'], DPR: [9, 9, 'rw'], IPRIOM: [8, 8, 'rw'], IPRIO: [7, 0, 'rw'] },
  NEEDED,
)
export const hviprio1 = csr('hviprio1', 0x646, 'AIA 6.3.1', { Value: [63, 0, { fixed: 0 }] }, NEEDED)
export const hviprio2 = csr('hviprio2', 0x647, 'AIA 6.3.1', { Value: [63, 0, { fixed: 0 }] }, NEEDED)

export const AIA_CSRS: readonly Csr[] = [
  miselect,
  mireg,
  mtopei,
  mtopi,
  mvien,
  mvip,
  siselect,
  sireg,
  stopei,
  stopi,
  vsiselect,
  vsireg,
  vstopei,
  vstopi,
  hvien,
  hvictl,
  hviprio1,
  hviprio2,
]
