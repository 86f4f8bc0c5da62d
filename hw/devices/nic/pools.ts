/**
 * Pools: which of the eight a frame is for, and whether a frame that one of them sends leaves the card at all (82576
 * 7.10.3). A set of pools is a mask of eight bits.
 */
import { NIC_POOLS, nic } from '../../spec/devices/nic.ts'
import { fieldOf } from '../../spec/registers.ts'
import { get16 } from './checksum.ts'
import { hashOf, isBroadcast, isMulticast, isVlan, oversizedBy, stationAddresses, vlanKnown } from './filter.ts'
import type { RegisterFile } from './register-file.ts'

const VMDQ = 3
const VMDQ_RSS = 5
const ALL = (1 << NIC_POOLS) - 1
const { VMOLR, RCTL, VT_CTL, DTXSWC, VLVF } = nic

/** Where a frame from a pool goes. */
export interface Switched {
  readonly pools: number
  readonly wire: boolean
}

/** True if frames are sorted by pool. */
export function isPooled(registers: RegisterFile): boolean {
  const mode = registers.field(nic.MRQC, nic.MRQC.fields.ENABLE)
  return mode === VMDQ || mode === VMDQ_RSS
}

/** Pools for a frame from the wire. */
export function poolsFor(registers: RegisterFile, frame: Uint8Array): number {
  const { pools, passed } = sorted(registers, frame)
  let chosen = pools & vlanPools(registers, frame)
  // the default pool is for stations that nobody claims, not for groups that nobody listens to
  const isUnclaimed =
    pools === 0 && passed && !isMulticast(frame) && !registers.field(VT_CTL, VT_CTL.fields.DISABLE_DEFAULT_POOL)
  if (isUnclaimed) chosen = defaultPool(registers)
  return open(registers, frame, chosen)
}

/** What becomes of a frame that `pool` sends. */
export function switched(registers: RegisterFile, frame: Uint8Array, pool: number): Switched {
  if (!isPooled(registers) || !registers.field(DTXSWC, DTXSWC.fields.LOOPBACK)) return { pools: 0, wire: true }
  const { pools, exact } = sorted(registers, frame)
  const sees = pools & vlanPools(registers, frame)
  const itself = (registers.field(DTXSWC, DTXSWC.fields.LOCAL_LOOPBACK) >>> pool) & 1 ? 0 : 1 << pool
  return { pools: open(registers, frame, sees & ~itself), wire: isMulticast(frame) || !exact || sees === 0 }
}

/** True if the pool sends under a station address or VLAN that is not its own, and is watched. */
export function spoofs(registers: RegisterFile, frame: Uint8Array, pool: number): boolean {
  const watched = (field: keyof typeof DTXSWC.fields) => (registers.field(DTXSWC, DTXSWC.fields[field]) >>> pool) & 1
  if (watched('MAC_SPOOF') && !((poolsOfStation(registers, frame.subarray(6, 12)) >>> pool) & 1)) return true
  return watched('VLAN_SPOOF') === 1 && isVlan(frame) && !((poolsOfVlan(registers, get16(frame, 14)) >>> pool) & 1)
}

/** By destination alone: the pools that claim the frame, whether an exact address did, and whether the card lets it in. */
function sorted(
  registers: RegisterFile,
  frame: Uint8Array,
): { readonly pools: number; readonly exact: boolean; readonly passed: boolean } {
  if (isVlan(frame) && registers.field(RCTL, RCTL.fields.VFE) && !vlanKnown(registers, get16(frame, 14) & 0xfff))
    return { pools: 0, exact: false, passed: false }
  if (isBroadcast(frame)) {
    const passed = registers.field(RCTL, RCTL.fields.BAM) === 1
    return { pools: passed ? having(registers, 'BAM') : 0, exact: false, passed }
  }
  const claimed = poolsOfStation(registers, frame.subarray(0, 6))
  const multicast = isMulticast(frame)
  const hash = hashOf(registers, frame)
  const table = multicast ? nic.MTA : nic.UTA
  const isHashed = ((registers.get(table, hash >>> 5) >>> (hash & 31)) & 1) === 1
  const promiscuous = registers.field(RCTL, multicast ? RCTL.fields.MPE : RCTL.fields.UPE) === 1
  let pools = claimed
  if (isHashed) pools |= having(registers, multicast ? 'ROMPE' : 'ROPE')
  if (multicast) pools |= having(registers, 'MPME')
  return { pools, exact: claimed !== 0, passed: pools !== 0 || isHashed || promiscuous }
}

/** Pools whose VMOLR has a bit. */
function having(registers: RegisterFile, field: 'BAM' | 'ROMPE' | 'ROPE' | 'MPME' | 'AUPE'): number {
  let pools = 0
  for (let pool = 0; pool < NIC_POOLS; pool++) pools |= registers.field(VMOLR, VMOLR.fields[field], pool) << pool
  return pools
}

function poolsOfStation(registers: RegisterFile, address: Uint8Array): number {
  let pools = 0
  for (const high of stationAddresses(registers, address)) pools |= fieldOf(nic.RAH.fields.POOLSEL, high)
  return pools
}

function poolsOfVlan(registers: RegisterFile, tag: number): number {
  let pools = 0
  for (let i = 0; i < VLVF.count; i++) {
    const isIts = registers.field(VLVF, VLVF.fields.VLAN, i) === (tag & 0xfff)
    if (isIts && registers.field(VLVF, VLVF.fields.VI_EN, i)) pools |= registers.field(VLVF, VLVF.fields.POOLSEL, i)
  }
  return pools
}

/** Pools that may see a frame of this VLAN, or of none. */
function vlanPools(registers: RegisterFile, frame: Uint8Array): number {
  if (isVlan(frame)) return registers.field(RCTL, RCTL.fields.VFE) ? poolsOfVlan(registers, get16(frame, 14)) : ALL
  return registers.field(RCTL, RCTL.fields.VFE) ? having(registers, 'AUPE') : ALL
}

function defaultPool(registers: RegisterFile): number {
  return 1 << registers.field(VT_CTL, VT_CTL.fields.DEFAULT_POOL)
}

/** Those of the pools that receive, and receive frames of this length; one of them alone if frames are not replicated. */
function open(registers: RegisterFile, frame: Uint8Array, pools: number): number {
  let chosen = pools & registers.field(nic.VFRE, nic.VFRE.fields.VF)
  const isShared = (chosen & (chosen - 1)) !== 0
  if (isShared && !registers.field(VT_CTL, VT_CTL.fields.REPLICATION)) chosen &= defaultPool(registers)
  for (let pool = 0; pool < NIC_POOLS; pool++) {
    const word = registers.get(VMOLR, pool)
    const long = fieldOf(VMOLR.fields.LPE, word) ? fieldOf(VMOLR.fields.RLPML, word) : undefined
    if (oversizedBy(frame, long)) chosen &= ~(1 << pool)
  }
  return chosen
}
