/** Intel 82576: descriptors of its rings, 16 bytes each. */
import { layout } from '../layout.ts'

/** Receive, as software writes it (advanced and legacy; PACKET alone in legacy). Bit 0 of HEADER is DD when read back. */
export const receiveRead = layout(16, '82576 7.1.5.1', {
  PACKET: { at: 0, bytes: 8 },
  HEADER: { at: 8, bytes: 8 },
})

/** Receive, as the card writes it back in an advanced ring. */
export const receiveWriteBack = layout(16, '82576 7.1.5.2', {
  INFO: { at: 0, bytes: 4, fields: { RSS_TYPE: [3, 0], PACKET_TYPE: [16, 4], HDR_LEN: [30, 21], SPH: 31 } },
  /** The RSS hash, or (RXCSUM.PCSD 0) fragment checksum above, IP identification below. */
  HASH: { at: 4, bytes: 4, fields: { IP_ID: [15, 0], CHECKSUM: [31, 16] } },
  STATUS: {
    at: 8,
    bytes: 4,
    fields: {
      DD: 0,
      EOP: 1,
      VP: 3,
      UDPCS: 4,
      L4I: 5,
      IPCS: 6,
      PIF: 7,
      VEXT: 9,
      UDPV: 10,
      LLINT: 11,
      L4E: 29,
      IPE: 30,
      RXE: 31,
    },
  },
  LENGTH: { at: 12, bytes: 2 },
  VLAN: { at: 14, bytes: 2 },
})

/** Receive, as the card writes it back in a legacy ring (SRRCTL.DESCTYPE 0). */
export const receiveLegacy = layout(16, '82576 7.1.4', {
  ADDRESS: { at: 0, bytes: 8 },
  LENGTH: { at: 8, bytes: 2 },
  CHECKSUM: { at: 10, bytes: 2 },
  STATUS: { at: 12, bytes: 1, fields: { DD: 0, EOP: 1, VP: 3, UDPCS: 4, L4CS: 5, IPCS: 6, PIF: 7 } },
  ERRORS: { at: 13, bytes: 1, fields: { L4E: 5, IPE: 6, RXE: 7 } },
  VLAN: { at: 14, bytes: 2 },
})

/** Bits of PACKET_TYPE: 82576 7.1.5.2. */
export const PACKET_TYPE = {
  IPV4: 1,
  IPV4_EXTENSIONS: 2,
  IPV6: 4,
  IPV6_EXTENSIONS: 8,
  TCP: 16,
  UDP: 32,
  SCTP: 64,
  NFS: 128,
} as const

/** DTYP of transmit descriptors with DEXT set. */
export const TRANSMIT_TYPE = { CONTEXT: 2, DATA: 3 } as const

/** Transmit, advanced data. */
export const transmitData = layout(16, '82576 7.2.2.3', {
  ADDRESS: { at: 0, bytes: 8 },
  COMMAND: {
    at: 8,
    bytes: 4,
    fields: { DTALEN: [15, 0], MAC: [19, 18], DTYP: [23, 20], EOP: 24, IFCS: 25, RS: 27, DEXT: 29, VLE: 30, TSE: 31 },
  },
  OPTIONS: { at: 12, bytes: 4, fields: { DD: 0, IDX: [6, 4], CC: 7, IXSM: 8, TXSM: 9, PAYLEN: [31, 14] } },
})

/** Transmit, context: lengths of headers and what to insert, used by the data descriptors that follow. */
export const transmitContext = layout(16, '82576 7.2.2.2', {
  LENGTHS: { at: 0, bytes: 4, fields: { IPLEN: [8, 0], MACLEN: [15, 9], VLAN: [31, 16] } },
  SEED: { at: 4, bytes: 4 },
  COMMAND: { at: 8, bytes: 4, fields: { IPV4: 10, L4T: [12, 11], DTYP: [23, 20], DEXT: 29 } },
  SEGMENT: { at: 12, bytes: 4, fields: { IDX: [6, 4], L4LEN: [15, 8], MSS: [31, 16] } },
})

/** TUCMD.L4T. */
export const L4T = { UDP: 0, TCP: 1, SCTP: 2 } as const

/** Transmit, legacy (DEXT 0). */
export const transmitLegacy = layout(16, '82576 7.2.2.1', {
  ADDRESS: { at: 0, bytes: 8 },
  COMMAND: {
    at: 8,
    bytes: 4,
    fields: { LENGTH: [15, 0], CSO: [23, 16], EOP: 24, IFCS: 25, IC: 26, RS: 27, DEXT: 29, VLE: 30 },
  },
  STATUS: { at: 12, bytes: 4, fields: { DD: 0, CSS: [15, 8], VLAN: [31, 16] } },
})
