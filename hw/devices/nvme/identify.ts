/** What the controller says of itself and of its namespaces: NVMe 1.4 5.15. */
import { CNS, QUEUE_PAIRS, STATUS, nvme } from '../../spec/devices/nvme.ts'
import {
  identifyController,
  identifyControllerText,
  identifyNamespace,
  namespaceDescriptor,
} from '../../spec/layouts/nvme.ts'
import type { Namespaces } from './namespaces.ts'
import { PAGE } from './prp.ts'

/** Maximum data transfer: this power of two of pages. */
export const MDTS = 5
export const ABORT_LIMIT = 3
export const ASYNC_EVENT_LIMIT = 3
export const ERROR_LOG_ENTRIES = 16
export const SECTOR_SHIFT = 9
const TEMPERATURE_WARNING = 343
const TEMPERATURE_CRITICAL = 353

export interface Identity {
  readonly vendor: number
  readonly subsystemVendor: number
  readonly serial: string
  readonly model: string
  readonly firmware: string
}

/** The data structure of 4096 bytes for a CNS value, or a status. */
export function identify(cns: number, nsid: number, namespaces: Namespaces, identity: Identity): Uint8Array | number {
  const isThere = nsid >= 1 && nsid <= namespaces.length
  if (cns === CNS.CONTROLLER) return controller(identity, namespaces.length)
  if (cns === CNS.NAMESPACE) {
    if (isThere) return namespace(nsid, namespaces[nsid - 1].sectors, identity)
    return nsid === 0xffff_ffff ? namespace(0, 0, identity) : STATUS.INVALID_NAMESPACE
  }
  if (cns === CNS.ACTIVE_NAMESPACES) {
    if (nsid >= 0xffff_fffe) return STATUS.INVALID_NAMESPACE
    return activeBeyond(nsid, namespaces.length)
  }
  if (cns === CNS.NAMESPACE_DESCRIPTORS) return isThere ? descriptors(nsid, identity) : STATUS.INVALID_NAMESPACE
  return STATUS.INVALID_FIELD
}

/** Numbers of active namespaces above `nsid`, rising; a list has room for 1024. */
function activeBeyond(nsid: number, count: number): Uint8Array {
  const list = new Uint8Array(PAGE)
  const view = new DataView(list.buffer)
  for (let index = 0; index < PAGE / 4 && nsid + 1 + index <= count; index++)
    view.setUint32(index * 4, nsid + 1 + index, true)
  return list
}

function controller(identity: Identity, namespaces: number): Uint8Array {
  const data = new Uint8Array(PAGE)
  const view = new DataView(data.buffer)
  const c = identifyController
  view.setUint16(c.VID.at, identity.vendor, true)
  view.setUint16(c.SSVID.at, identity.subsystemVendor, true)
  text(data, identifyControllerText.SN, identity.serial, ' ')
  text(data, identifyControllerText.MN, identity.model, ' ')
  text(data, identifyControllerText.FR, identity.firmware, ' ')
  text(
    data,
    identifyControllerText.SUBNQN,
    `nqn.2014-08.org.nvmexpress:${identity.vendor.toString(16)}:${identity.serial}`,
    '\0',
  )
  view.setUint8(c.RAB.at, 3)
  view.setUint8(c.MDTS.at, MDTS)
  view.setUint32(c.VER.at, nvme.VS.reset, true)
  view.setUint8(c.CNTRLTYPE.at, 1)
  view.setUint8(c.ACL.at, ABORT_LIMIT)
  view.setUint8(c.AERL.at, ASYNC_EVENT_LIMIT)
  // one read-only firmware slot, no update
  view.setUint8(c.FRMW.at, 0x03)
  view.setUint8(c.ELPE.at, ERROR_LOG_ENTRIES - 1)
  view.setUint16(c.WCTEMP.at, TEMPERATURE_WARNING, true)
  view.setUint16(c.CCTEMP.at, TEMPERATURE_CRITICAL, true)
  view.setUint8(c.SQES.at, 0x66)
  view.setUint8(c.CQES.at, 0x44)
  view.setUint32(c.NN.at, namespaces, true)
  view.setUint16(c.ONCS.at, (1 << c.ONCS.fields.DSM.low) | (1 << c.ONCS.fields.WRITE_ZEROES.low), true)
  view.setUint8(c.VWC.at, 1 << c.VWC.fields.PRESENT.low)
  view.setUint16(c.PSD0_MP.at, 2500, true)
  return data
}

function namespace(nsid: number, sectors: number, identity: Identity): Uint8Array {
  const data = new Uint8Array(PAGE)
  const view = new DataView(data.buffer)
  const n = identifyNamespace
  for (const member of [n.NSZE, n.NCAP, n.NUSE]) {
    view.setUint32(member.at, sectors >>> 0, true)
    view.setUint32(member.at + 4, Math.floor(sectors / 2 ** 32), true)
  }
  // deallocated sectors read as zero
  view.setUint8(n.DLFEAT.at, 1)
  if (sectors > 0) data.set(eui64(nsid, identity), n.EUI64.at)
  view.setUint32(n.LBAF0.at, SECTOR_SHIFT << n.LBAF0.fields.LBADS.low, true)
  return data
}

function descriptors(nsid: number, identity: Identity): Uint8Array {
  const data = new Uint8Array(PAGE)
  const id = eui64(nsid, identity)
  data[namespaceDescriptor.NIDT.at] = 1
  data[namespaceDescriptor.NIDL.at] = id.length
  data.set(id, namespaceDescriptor.size)
  return data
}

/** A locally administered identifier that follows from the serial number (FNV-1a) and the namespace's. */
function eui64(nsid: number, identity: Identity): Uint8Array {
  let hash = 0x811c9dc5
  for (let i = 0; i < identity.serial.length; i++) hash = Math.imul(hash ^ identity.serial.charCodeAt(i), 0x0100_0193)
  const id = new Uint8Array([0x02, 0xba, 0x5e, nsid - 1, 0, 0, 0, 0])
  new DataView(id.buffer).setUint32(4, hash >>> 0)
  return id
}

function text(
  data: Uint8Array,
  place: { readonly at: number; readonly bytes: number },
  value: string,
  padding: string,
): void {
  const padded = value.slice(0, place.bytes).padEnd(place.bytes, padding)
  for (let i = 0; i < place.bytes; i++) data[place.at + i] = padded.charCodeAt(i)
}

/** How many I/O queue pairs there are. */
export const IO_QUEUES = QUEUE_PAIRS - 1
