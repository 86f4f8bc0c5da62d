/** From a device's number to its context: the walk of the device directory, and what makes an entry misconfigured. */
import type { Dma } from '../../bus/chip.ts'
import { BARE, SV39, SV48 } from '../../spec/layouts/pte.ts'
import { IOMMU_MODE } from '../../spec/devices/iommu.ts'
import { deviceContext as table, FAULT } from '../../spec/layouts/iommu.ts'

/** What a device's requests are translated with. Page numbers are numbers, address masks bigints. */
export interface DeviceContext {
  readonly device: number
  /** Faults of address translation are not reported (tc.DTF). */
  readonly silent: boolean
  readonly guestUpdates: boolean
  readonly updates: boolean
  readonly guestMode: number
  readonly guestRoot: number
  readonly gscid: number
  readonly pscid: number
  readonly mode: number
  readonly root: number
  /** The MSI page table; -1 if there is none. */
  readonly msiRoot: number
  readonly msiMask: bigint
  readonly msiPattern: bigint
}

/** A context, or the cause of the fault that is in the way. */
export type Found = DeviceContext | number

const PAGE = 4096
const PPN = (1n << 44n) - 1n
const { fields } = table.tc
const TC_DEFINED = tc(...(Object.keys(fields) as (keyof typeof fields)[]))
/** What of tc needs what we have not: ATS and page requests, big-endian and 32-bit tables. */
const TC_REFUSED = tc('EN_ATS', 'EN_PRI', 'T2GPA', 'PRPR', 'SBE', 'SXL')
const TC_PDTV = tc('PDTV')
const TC_DPE = tc('DPE')
const TC_DTF = tc('DTF')
const TC_GADE = tc('GADE')
const TC_SADE = tc('SADE')
/** Bits 53:10 of a doubleword that points on. */
const ENTRY_DEFINED = (((1n << 44n) - 1n) << 10n) | 1n
/** Guest physical addresses have 50 bits (Sv48x4): of a mask or pattern, 38 remain. */
const MSI_BITS = 38n
const LEVELS: Readonly<Record<number, number>> = { [IOMMU_MODE.LVL1]: 1, [IOMMU_MODE.LVL2]: 2, [IOMMU_MODE.LVL3]: 3 }

/** Walks the directory at page `root` for `device`; `mode` is ddtp.iommu_mode, with levels. */
export function locate(memory: Dma, mode: number, root: number, device: number): Found {
  const levels = LEVELS[mode] ?? 1
  const index = [device & 63, (device >> 6) & 511, device >> 15]
  // IOMMU 3.3, step 5: a number wider than the directory.
  for (let level = levels; level < 3; level++) if (index[level] !== 0) return FAULT.TYPE_DISALLOWED
  let page = root
  for (let level = levels - 1; level > 0; level--) {
    const entry = doubleword(memory, page * PAGE + index[level] * 8)
    if (entry === undefined) return FAULT.DDT_ACCESS
    if ((entry & 1n) === 0n) return FAULT.DDT_NOT_VALID
    if ((entry & ~ENTRY_DEFINED) !== 0n) return FAULT.DDT_MISCONFIGURED
    page = Number((entry >> 10n) & PPN)
  }
  return contextAt(memory, page * PAGE + index[0] * table.size, device)
}

function contextAt(memory: Dma, address: number, device: number): Found {
  const bytes = new Uint8Array(table.size)
  if (!memory.read(address, bytes)) return FAULT.DDT_ACCESS
  const view = new DataView(bytes.buffer)
  const word = (member: { readonly at: number }) => view.getBigUint64(member.at, true)
  const control = word(table.tc)
  if ((control & 1n) === 0n) return FAULT.DDT_NOT_VALID
  const [iohgatp, ta, fsc, msiptp] = [word(table.iohgatp), word(table.ta), word(table.fsc), word(table.msiptp)]
  const [mask, pattern] = [word(table.msi_addr_mask), word(table.msi_addr_pattern)]
  const guestMode = Number(iohgatp >> 60n)
  const mode = Number(fsc >> 60n)
  const msi = Number(msiptp >> 60n)
  const guestRoot = Number(iohgatp & PPN)
  const misconfigured =
    (control & ~TC_DEFINED) !== 0n ||
    (control & TC_REFUSED) !== 0n ||
    // No process directory is supported: its mode can be Bare only.
    ((control & TC_PDTV) !== 0n && mode !== BARE) ||
    ((control & TC_PDTV) === 0n && (control & TC_DPE) !== 0n) ||
    (ta & ~0xffff_f000n) !== 0n ||
    ((fsc >> 44n) & 0xffffn) !== 0n ||
    ![BARE, SV39, SV48].includes(mode) ||
    ![BARE, SV39, SV48].includes(guestMode) ||
    (guestMode !== BARE && guestRoot % 4 !== 0) ||
    msi > 1 ||
    ((msiptp >> 44n) & 0xffffn) !== 0n ||
    (msi !== 0 && guestMode === BARE) ||
    mask >> MSI_BITS !== 0n ||
    pattern >> MSI_BITS !== 0n ||
    word(table.reserved) !== 0n
  if (misconfigured) return FAULT.DDT_MISCONFIGURED
  return {
    device,
    silent: (control & TC_DTF) !== 0n,
    guestUpdates: (control & TC_GADE) !== 0n,
    updates: (control & TC_SADE) !== 0n,
    guestMode,
    guestRoot,
    gscid: Number((iohgatp >> 44n) & 0xffffn),
    pscid: Number((ta >> 12n) & 0xf_ffffn),
    mode,
    root: Number(fsc & PPN),
    msiRoot: msi === 0 ? -1 : Number(msiptp & PPN),
    msiMask: mask,
    msiPattern: pattern,
  }
}

function tc(...names: readonly (keyof typeof fields)[]): bigint {
  return names.reduce((mask, name) => mask | (1n << BigInt(fields[name].low)), 0n)
}

/** Eight bytes of memory; undefined where there is none. */
export function doubleword(memory: Dma, address: number): bigint | undefined {
  const bytes = new Uint8Array(8)
  return memory.read(address, bytes) ? new DataView(bytes.buffer).getBigUint64(0, true) : undefined
}
