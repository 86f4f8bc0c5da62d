/**
 * What a virtual chip is to the VMM that places it, and what it gets in return. Both VMMs use the same chips: the
 * native one in HS-mode, the hosted one in its user process. State lives in registered records, so that a chip can be
 * saved, moved and rolled back; `port` is the hart that the access happens on.
 */
import type { HartPort } from '../../hw/port.ts'

/** A virtual chip's register window, read through the same table as the real chip's. Values are unsigned 32-bit. */
export interface VirtualChip {
  read(port: HartPort, offset: number, bytes: 1 | 2 | 4): number
  write(port: HartPort, offset: number, bytes: 1 | 2 | 4, value: number): void
  /** Of chips that reach the guest's memory: begins to end that; true once it is over. */
  quiesce?(port: HartPort): boolean
}

/** A wire from a virtual chip to the guest's virtual interrupt controller. */
export interface VirtualLine {
  set(port: HartPort, level: boolean): void
}

/**
 * A guest's RAM as its VMM reaches it. Addresses are whatever the guest wrote: every call checks them, and says so by
 * its result instead of faulting.
 */
export interface GuestMemory {
  /** The address at which this VMM's own loads and stores reach [address, address + bytes), or -1 if any byte lies outside the guest's RAM or the range is not contiguous there. Populates it on demand. */
  reach(port: HartPort, address: number, bytes: number): number
  /** The same for a bus master: its device address, or -1. */
  deviceAddress(port: HartPort, address: number, bytes: number): number
}

/** A virtual chip that may leave work for later, so that no entry gets long: `work` does a part of it. */
export interface WorkingChip {
  isBehind(): boolean
  work(port: HartPort): void
}

/** Where a chip notes that it has left work for later: its machine's record. `deferred`: chips do nothing at once that others could notice. */
export interface Later {
  behind: boolean
  deferred: boolean
}

/** What a virtual disk is backed by. Tags are the caller's, 0 ≤ tag < depth. */
export interface BlockBackend {
  readonly depth: number
  /** The most sectors in one request. */
  readonly maximumSectors: number
  sectors(port: HartPort): number
  /**
   * `guestAddress` and count × 512 bytes have been checked by `reach`. False: not now; `room` follows, or a completion.
   * `completed` follows through the function given to `attach`, perhaps within this call.
   */
  submit(
    port: HartPort,
    tag: number,
    operation: 'read' | 'write' | 'flush',
    sector: number,
    count: number,
    guestAddress: number,
  ): boolean
  attach(completed: (port: HartPort, tag: number, ok: boolean) => void, room: (port: HartPort) => void): void
}

/**
 * Ethernet's longest frame without its checksum. A tag comes on top, but is the VMM's to put: whether a guest is in a VLAN is
 * not to be told by how long its frames may be.
 */
export const MAXIMUM_FRAME = 1514

/** What a virtual network card is plugged into. */
export interface NetworkBackend {
  /**
   * Where the card puts the next frame that it sends: MAXIMUM_FRAME bytes of the VMM's own memory, out of the guest's
   * reach, so that what is looked at is what is sent. 0: there is no room, and the frame is lost.
   */
  buffer(port: HartPort): number
  /** Sends the frame of `bytes` that has been put at the address that `buffer` gave. */
  transmit(port: HartPort, address: number, bytes: number): void
  /** `deliver` takes a frame for this card, or returns false if the guest has offered no buffer: then it is dropped. */
  attach(deliver: (port: HartPort, address: number, bytes: number) => boolean): void
}

/** What a virtual console is joined to. */
export interface ConsoleBackend {
  put(port: HartPort, byte: number): void
  attach(input: (port: HartPort, byte: number) => void): void
}
