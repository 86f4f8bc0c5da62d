/**
 * Branded addresses. What a guest or a device supplies is 64 bits until it has been checked against the bus width
 * ({@link PHYSICAL_ADDRESS_BITS}); only then is it one of these, an exact JavaScript number.
 */

declare const brand: unique symbol
/** A physical address on the machine's bus, in bytes. */
export type HostPhysical = number & { readonly [brand]: 'host physical' }
/** A guest physical address, in bytes: the input of G-stage translation. */
export type GuestPhysical = number & { readonly [brand]: 'guest physical' }

/** Physical addresses above this width reach nothing on the bus: an access fault. */
export const PHYSICAL_ADDRESS_BITS = 50
export const PAGE_SHIFT = 12
export const PAGE_BYTES = 4096

/** Takes a number known to lie within the bus width as a host physical address. */
export function hostPhysical(address: number): HostPhysical {
  return address as HostPhysical
}

/** Takes a number known to lie within the bus width as a guest physical address. */
export function guestPhysical(address: number): GuestPhysical {
  return address as GuestPhysical
}
