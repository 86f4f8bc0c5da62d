/** The advanced platform-level interrupt controller: one control region a domain. Sections of AIA 1.0. */
import { registers } from '../registers.ts'

export const aplic = registers({
  domaincfg: {
    at: 0x0000,
    width: 32,
    access: 'rw',
    reset: 0x8000_0000,
    spec: 'AIA 4.5.1',
    fields: { BE: 0, DM: 2, IE: 8, one: 31 },
  },
  /** By source, from 1. */
  sourcecfg: {
    at: 0x0004,
    width: 32,
    access: 'rw',
    count: 1023,
    stride: 4,
    spec: 'AIA 4.5.2',
    fields: { SM: [2, 0], ChildIndex: [9, 0], D: 10 },
  },
  mmsiaddrcfg: { at: 0x1bc0, width: 32, access: 'ro', spec: 'AIA 4.5.3' },
  mmsiaddrcfgh: { at: 0x1bc4, width: 32, access: 'ro', reset: 0x8000_0000, spec: 'AIA 4.5.3', fields: { L: 31 } },
  smsiaddrcfg: { at: 0x1bc8, width: 32, access: 'ro', spec: 'AIA 4.5.4' },
  smsiaddrcfgh: { at: 0x1bcc, width: 32, access: 'ro', spec: 'AIA 4.5.4' },
  setip: { at: 0x1c00, width: 32, access: 'rw', count: 32, stride: 4, spec: 'AIA 4.5.5' },
  setipnum: { at: 0x1cdc, width: 32, access: 'rw', spec: 'AIA 4.5.6' },
  in_clrip: { at: 0x1d00, width: 32, access: 'rw', count: 32, stride: 4, spec: 'AIA 4.5.7' },
  clripnum: { at: 0x1ddc, width: 32, access: 'rw', spec: 'AIA 4.5.8' },
  setie: { at: 0x1e00, width: 32, access: 'rw', count: 32, stride: 4, spec: 'AIA 4.5.9' },
  setienum: { at: 0x1edc, width: 32, access: 'rw', spec: 'AIA 4.5.10' },
  clrie: { at: 0x1f00, width: 32, access: 'rw', count: 32, stride: 4, spec: 'AIA 4.5.11' },
  clrienum: { at: 0x1fdc, width: 32, access: 'rw', spec: 'AIA 4.5.12' },
  setipnum_le: { at: 0x2000, width: 32, access: 'rw', spec: 'AIA 4.5.13' },
  setipnum_be: { at: 0x2004, width: 32, access: 'rw', spec: 'AIA 4.5.14' },
  genmsi: {
    at: 0x3000,
    width: 32,
    access: 'rw',
    spec: 'AIA 4.5.15',
    fields: { EIID: [10, 0], Busy: 12, HartIndex: [31, 18] },
  },
  /** By source, from 1: priority in direct mode, identity and guest in MSI mode. */
  target: {
    at: 0x3004,
    width: 32,
    access: 'rw',
    count: 1023,
    stride: 4,
    spec: 'AIA 4.5.16',
    fields: { IPRIO: [7, 0], EIID: [10, 0], GuestIndex: [17, 12], HartIndex: [31, 18] },
  },
})

/** An interrupt delivery control structure, one a hart, from 0x4000 on. */
export const idc = registers({
  idelivery: { at: 0x00, width: 32, access: 'rw', spec: 'AIA 4.8.1' },
  iforce: { at: 0x04, width: 32, access: 'rw', spec: 'AIA 4.8.1' },
  ithreshold: { at: 0x08, width: 32, access: 'rw', spec: 'AIA 4.8.1' },
  topi: { at: 0x18, width: 32, access: 'ro', spec: 'AIA 4.8.1' },
  claimi: { at: 0x1c, width: 32, access: 'ro', spec: 'AIA 4.8.1' },
})
export const IDC_AT = 0x4000
export const IDC_BYTES = 32

/** sourcecfg.SM. */
export const SOURCE_MODE = { INACTIVE: 0, DETACHED: 1, EDGE1: 4, EDGE0: 5, LEVEL1: 6, LEVEL0: 7 } as const
