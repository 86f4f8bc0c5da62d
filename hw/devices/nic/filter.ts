/** Which frames the card takes: 82576 7.1.1. */
import { nic } from '../../spec/devices/nic.ts'
import { fieldOf } from '../../spec/registers.ts'
import { get16 } from './checksum.ts'
import { ETHERTYPE } from './frame.ts'
import type { RegisterFile } from './register-file.ts'

/** How a frame passed: through an exact address, through a hash or promiscuously (PIF), or not at all. */
export type Passed = 'exact' | 'inexact' | 'no'

/** Which of the destination's bits index the hash tables, by MO. */
const HASH_SHIFT = [4, 3, 2, 0] as const
const RCTL = nic.RCTL.fields
/** Longest frame without its check sequence, and one VLAN tag more. */
const LONGEST = 1514
const VLAN_TAG = 4
const CHECK = 4

export function isBroadcast(frame: Uint8Array): boolean {
  return frame.subarray(0, 6).every(byte => byte === 0xff)
}

export function isMulticast(frame: Uint8Array): boolean {
  return (frame[0] & 1) === 1
}

export function passes(registers: RegisterFile, frame: Uint8Array): Passed {
  if (isVlan(frame) && registers.field(nic.RCTL, RCTL.VFE) && !vlanKnown(registers, get16(frame, 14) & 0xfff))
    return 'no'
  if (isBroadcast(frame)) return registers.field(nic.RCTL, RCTL.BAM) || exact(registers, frame) ? 'exact' : 'no'
  if (exact(registers, frame)) return 'exact'
  if (isMulticast(frame)) {
    return registers.field(nic.RCTL, RCTL.MPE) || hashed(registers, frame) ? 'inexact' : 'no'
  }
  return registers.field(nic.RCTL, RCTL.UPE) ? 'inexact' : 'no'
}

/** True if the frame is longer than RCTL.LPE and RLPML let in. */
export function oversized(registers: RegisterFile, frame: Uint8Array): boolean {
  const isLong = registers.field(nic.RCTL, RCTL.LPE) === 1
  return oversizedBy(frame, isLong ? registers.field(nic.RLPML, nic.RLPML.fields.RLPML) : undefined)
}

/** True if the frame is longer than `longest` with its check sequence, or than Ethernet's frames are. */
export function oversizedBy(frame: Uint8Array, longest: number | undefined): boolean {
  if (longest !== undefined) return frame.length + CHECK > longest
  return frame.length > LONGEST + (isVlan(frame) ? VLAN_TAG : 0)
}

export function isVlan(frame: Uint8Array): boolean {
  return frame.length >= 18 && get16(frame, 12) === ETHERTYPE.VLAN
}

/** True if the VLAN filter table has the VLAN. */
export function vlanKnown(registers: RegisterFile, id: number): boolean {
  return ((registers.get(nic.VFTA, id >>> 5) >>> (id & 31)) & 1) === 1
}

/** RAH of each valid receive address that is this one. */
export function stationAddresses(registers: RegisterFile, address: Uint8Array): readonly number[] {
  const low = (address[0] | (address[1] << 8) | (address[2] << 16) | (address[3] << 24)) >>> 0
  const high = address[4] | (address[5] << 8)
  const found: number[] = []
  const look = (ral: number, rah: number) => {
    const { RAH, AV } = nic.RAH.fields
    if (ral === low && fieldOf(RAH, rah) === high && fieldOf(AV, rah) === 1) found.push(rah)
  }
  for (let i = 0; i < nic.RAL.count; i++) look(registers.get(nic.RAL, i), registers.get(nic.RAH, i))
  for (let i = 0; i < nic.RAL_HIGH.count; i++) look(registers.get(nic.RAL_HIGH, i), registers.get(nic.RAH_HIGH, i))
  return found
}

function exact(registers: RegisterFile, frame: Uint8Array): boolean {
  return stationAddresses(registers, frame).length > 0
}

/** The destination's place in a hash table, as RCTL.MO says. */
export function hashOf(registers: RegisterFile, frame: Uint8Array): number {
  const shift = HASH_SHIFT[registers.field(nic.RCTL, RCTL.MO)]
  return (((frame[5] << 8) | frame[4]) >>> shift) & 0xfff
}

function hashed(registers: RegisterFile, frame: Uint8Array): boolean {
  const hash = hashOf(registers, frame)
  return ((registers.get(nic.MTA, hash >>> 5) >>> (hash & 31)) & 1) === 1
}
