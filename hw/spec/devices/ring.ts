/**
 * The doorbell pages of a guest and of a driver domain: how rings are made known, and events sent. A page lies where a
 * virtio-mmio slot would, and has its number in the same place.
 */
import { registers } from '../registers.ts'

const OWN = 'our own'

/** A guest's end. */
export const ringFront = registers({
  MagicValue: { at: 0x000, width: 32, access: 'ro', reset: 0x676e6972, spec: OWN },
  DeviceID: { at: 0x008, width: 32, access: 'ro', spec: OWN },
  /** Guest physical addresses of the grant table and of the ring; its pages are granted by the table's first entries. */
  GrantTable: { at: 0x010, width: 64, access: 'wo', spec: OWN },
  Ring: { at: 0x018, width: 64, access: 'wo', spec: OWN },
  /** 1: there is a ring; 0: there is none any more. */
  Connect: { at: 0x020, width: 32, access: 'wo', spec: OWN },
  /** An event for the domain; and one from it has been seen. */
  Notify: { at: 0x024, width: 32, access: 'wo', spec: OWN },
  Acknowledge: { at: 0x028, width: 32, access: 'wo', spec: OWN },
  /** Of a disk: sectors. Of a card: its station address, the first byte lowest. */
  Capacity: { at: 0x030, width: 64, access: 'ro', spec: OWN },
  Station: { at: 0x038, width: 64, access: 'ro', spec: OWN },
})

/** A domain's end: one page for all its guests, each a channel. */
export const ringBack = registers({
  MagicValue: { at: 0x000, width: 32, access: 'ro', reset: 0x676e6972, spec: OWN },
  DeviceID: { at: 0x008, width: 32, access: 'ro', spec: OWN },
  /** How many channels there may be. */
  Channels: { at: 0x010, width: 32, access: 'ro', spec: OWN },
  /** Which one the next registers are about. */
  Channel: { at: 0x014, width: 32, access: 'wo', spec: OWN },
  /** 1: its guest has a ring. */
  Connected: { at: 0x018, width: 32, access: 'ro', spec: OWN },
  /** The range of sectors that is its, or its station address and its VLAN. */
  First: { at: 0x020, width: 64, access: 'ro', spec: OWN },
  Sectors: { at: 0x028, width: 64, access: 'ro', spec: OWN },
  Station: { at: 0x030, width: 64, access: 'ro', spec: OWN },
  Vlan: { at: 0x038, width: 32, access: 'ro', spec: OWN },
  /** Guest physical address of the page of events: a word a channel, which the VMM sets to 1; and one for its own events, to be acknowledged. */
  Events: { at: 0x040, width: 64, access: 'wo', spec: OWN },
  /** Guest physical address of grant operations (layouts/grant.ts), and how many of them are to be done now. */
  Operations: { at: 0x048, width: 64, access: 'wo', spec: OWN },
  Map: { at: 0x050, width: 32, access: 'wo', spec: OWN },
  Unmap: { at: 0x054, width: 32, access: 'wo', spec: OWN },
  /** From granted pages, and to them. */
  CopyIn: { at: 0x058, width: 32, access: 'wo', spec: OWN },
  CopyOut: { at: 0x05c, width: 32, access: 'wo', spec: OWN },
  /** An event for a channel's guest; and those of guests have been seen. */
  Notify: { at: 0x060, width: 32, access: 'wo', spec: OWN },
  Acknowledge: { at: 0x064, width: 32, access: 'wo', spec: OWN },
})

export const RING_BYTES = 0x1000
/** DeviceID. */
export const RING_ID = { block: 0x4201, network: 0x4202, backend: 0x4203 } as const
