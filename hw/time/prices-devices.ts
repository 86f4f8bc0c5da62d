/**
 * How long devices take, each number with its source. Times are nanoseconds, rates bytes a second: a device's time
 * does not depend on the harts' clock.
 */

/** A solid state drive, as a number of channels that each serve one page at a time, behind one controller and one link. */
export interface DrivePrices {
  readonly name: string
  /** Bytes that one channel serves in one go. */
  readonly pageBytes: number
  readonly channels: number
  /** A channel's time to read a page, and to program one. */
  readonly readPage: number
  readonly writePage: number
  /** From the doorbell to the command at the controller: one read across the link. */
  readonly fetch: number
  /** The controller takes up one command in this time. */
  readonly command: number
  /** A write into the cache. */
  readonly cacheWrite: number
  readonly cacheBytes: number
  /** What the drive moves at most to the host, and from it. */
  readonly readRate: number
  readonly writeRate: number
  readonly adminCommand: number
  /** From CC.EN to CSTS.RDY. */
  readonly enable: number
}

/**
 * Intel SSD DC P3700, 800 GB. Product specification 330566: sequential 2,800 and 2,000 MB/s, random 4 KiB 460,000
 * reads/s and 175,000 writes/s, sequential write latency 20 µs. Random read at queue depth 1: 76 µs median
 * (AnandTech 11209), of which bus and host take about 2 µs. Channels follow: 460,000/s × 76 µs = 35; a page program is
 * what 35 channels take for 175,000/s: 200 µs. A channel page of 8 KiB lets 35 channels reach the sequential rate.
 * Cache size, admin and enable times are assumptions: nothing is published.
 */
export const p3700: DrivePrices = {
  name: 'Intel SSD DC P3700 800GB',
  pageBytes: 8192,
  channels: 35,
  readPage: 74_000,
  writePage: 200_000,
  fetch: 600,
  command: 1_000,
  cacheWrite: 18_000,
  cacheBytes: 64 * 2 ** 20,
  readRate: 2.8e9,
  writeRate: 2.0e9,
  adminCommand: 10_000,
  enable: 1_000_000,
}

/**
 * Intel Optane SSD DC P4800X, 375 GB. Product brief: 550,000 random reads/s and 500,000 writes/s, typical latency
 * under 10 µs; sequential 2,400 and 2,000 MB/s. Random read at queue depth 1: 9 µs median (AnandTech 11209).
 * It has no write cache to speak of: ours is one page a channel.
 */
export const p4800x: DrivePrices = {
  name: 'Intel Optane SSD DC P4800X 375GB',
  pageBytes: 4096,
  channels: 5,
  readPage: 7_500,
  writePage: 8_500,
  fetch: 600,
  command: 600,
  cacheWrite: 8_500,
  cacheBytes: 7 * 4096,
  readRate: 2.4e9,
  writeRate: 2.0e9,
  adminCommand: 10_000,
  enable: 1_000_000,
}

export interface NicPrices {
  readonly name: string
  /** Bits a second on the wire. */
  readonly lineRate: number
  /** Bytes that every frame occupies beside its own and its frame check sequence: preamble, delimiter, gap. */
  readonly overheadBytes: number
  /** From a doorbell to the descriptor at the card: one read across the link; and for the frame's data. */
  readonly fetch: number
  /** Bits a second between pools of the same card. */
  readonly switchRate: number
  /** From the last bit of a frame to its descriptor in memory: one posted write. */
  readonly writeBack: number
  readonly autonegotiation: number
  /** One management frame to or from the PHY. */
  readonly mdio: number
}

/**
 * Intel 82576. IEEE 802.3: 1 Gb/s, 8 bytes of preamble and delimiter, 12 of gap. PCIe read round trip and posted write
 * are assumed, in the order of what Neugebauer et al. measured (SIGCOMM 2018: about half a microsecond for a small read).
 * Autonegotiation takes seconds in copper; shortened to 10 ms, since nothing is learned from waiting for it. A
 * management frame is 64 bits at 2.5 MHz (IEEE 802.3 22.2.2.11). Frames between its virtual functions are limited by the
 * card's link alone (82576 1.3: PCIe at 2.5 GT/s, four lanes, so 8 Gb/s each way after 8b/10b).
 */
export const i82576: NicPrices = {
  name: 'Intel 82576',
  lineRate: 1e9,
  overheadBytes: 20,
  fetch: 550,
  switchRate: 8e9,
  writeBack: 300,
  autonegotiation: 10_000_000,
  mdio: 25_600,
}

export interface IommuPrices {
  /** One read of a table in memory: a directory entry, a page table entry, an MSI entry. */
  readonly tableRead: number
}

/**
 * Neugebauer et al. (SIGCOMM 2018, 6.5) measured that a miss in an IOMMU's cache adds about 330 ns to a 64-byte read, for a
 * walk of four levels: 82 ns a read.
 */
export const iommuPrices: IommuPrices = {
  tableRead: 82,
}

/** What light or electrons take for a metre of cable: two thirds of the speed of light. */
export const CABLE_NANOSECONDS_A_METRE = 5
