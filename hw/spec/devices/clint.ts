/** The SiFive CLINT: software interrupts and the timer of up to 4095 harts. Chapters of the FU540-C000 manual. */
import { registers } from '../registers.ts'

export const clint = registers({
  msip: { at: 0x0000, width: 32, access: 'rw', count: 4095, stride: 4, spec: 'FU540 9.2', fields: { MSIP: 0 } },
  mtimecmp: { at: 0x4000, width: 64, access: 'rw', count: 4095, stride: 8, spec: 'FU540 9.3' },
  mtime: { at: 0xbff8, width: 64, access: 'rw', spec: 'FU540 9.3' },
})
