/** The floating-point control and status register, and the views of its two parts. */
import { csr, type Csr } from '../csr.ts'
import { rule } from '../sources.ts'

export const fflags = csr('fflags', 0x001, rule('fcsr_fflags_op'), { Flags: [4, 0, 'rw'] })
export const frm = csr('frm', 0x002, rule('fcsr_frm_op'), { Mode: [2, 0, 'rw'] })
export const fcsr = csr('fcsr', 0x003, rule('fcsr_op'), { fflags: [4, 0, 'rw'], frm: [7, 5, 'rw'] })

export const FLOAT_CSRS: readonly Csr[] = [fflags, frm, fcsr]
