/**
 * What the `cached` model has beside `flat`: the caches' geometry, and what an access costs beyond the cycle in which it
 * retires when the first level misses. The system is the one that Chipyard builds around a Rocket or CVA6 tile: SiFive's
 * inclusive L2 and FireSim's DDR3, at 1 GHz.
 */

/** A set-associative cache. Geometry is no price: it may not be scaled. */
export interface CacheGeometry {
  readonly bytes: number
  readonly ways: number
  readonly lineBytes: number
}

export interface CacheStructure {
  /** First level of each hart: both have the same line size. */
  readonly instructions: CacheGeometry
  readonly data: CacheGeometry
  /** One for all harts, or one for each, inclusive of the harts' data caches. */
  readonly l2: CacheGeometry
  readonly sharing: L2Sharing
  /** fence.i writes the hart's data cache back and empties it. */
  readonly fenceWritesBack: boolean
  readonly dramBanks: number
  readonly dramRowBytes: number
}

export type L2Sharing = 'shared' | 'private'
export const L2_SHARINGS: readonly L2Sharing[] = ['shared', 'private']

/** Cycles of a hart that waits. */
export interface MemoryPrices {
  /** The first level misses: request, L2's directory and data, refill. */
  readonly l2Access: number
  /** A store to a line that others may hold: the right to write it, without data. */
  readonly upgrade: number
  /** Another hart's cache is asked for its modified line, or to give a line up. */
  readonly probe: number
  /** A modified line has to leave before its place is refilled. */
  readonly victim: number
  /** DRAM, beyond the L2's access: its row is open; none is open in its bank; another is. */
  readonly rowHit: number
  readonly rowClosed: number
  readonly rowConflict: number
  /** For how long a transfer occupies: eight bytes the L2's port, a line the DRAM's data bus. */
  readonly beat: number
  readonly burst: number
}

/**
 * `l2Access`: ccbench's wiki, "Rocket (1 GHz cycle accurate emulator)": a load that hits the L2 takes about 30 cycles, of
 * which 4 are the loop's instructions; the same page's 70 for DRAM is a check on the sum below. `upgrade`: the same
 * without the 8 beats of data. `victim`: DCache.scala acquires only when a dirty victim's 8 beats are released (no
 * acquireBeforeRelease). `probe`: DCache.scala's probe states (4), two crossings with a buffer of 2 in either direction,
 * and 8 beats of ProbeAckData: derived, nowhere measured.
 *
 * DRAM: FireSim's FASED, DramCommon.scala: DDR3-2133 14-14-14 at 1 GHz, command 1, tCAS 14, burst 4, backend 2; tRCD and tRP
 * 14 each on top; open page, 8 banks, rows of 8 KiB. With the L2 that is 47 to 75 cycles; ccbench measures about 66, and
 * SiFive's L2 is configured for 40 beyond it (Configs.scala, outerLatencyCycles).
 */
export const chipyardMemory: MemoryPrices = {
  l2Access: 26,
  upgrade: 18,
  probe: 16,
  victim: 8,
  rowHit: 21,
  rowClosed: 35,
  rowConflict: 49,
  beat: 1,
  burst: 4,
}

/** Bytes. */
const KIB = 1024
/** WithInclusiveCache (block-inclusivecache-sifive, Configs.scala): 512 KiB, 8 ways. */
const inclusiveL2: CacheGeometry = { bytes: 512 * KIB, ways: 8, lineBytes: 64 }

/** HellaCache.scala and ICache.scala: 64 sets of 4 ways of 64 bytes, each. */
export const rocketCaches: CacheStructure = {
  instructions: { bytes: 16 * KIB, ways: 4, lineBytes: 64 },
  data: { bytes: 16 * KIB, ways: 4, lineBytes: 64 },
  l2: inclusiveL2,
  sharing: 'shared',
  fenceWritesBack: false,
  dramBanks: 8,
  dramRowBytes: 8 * KIB,
}

/** cv64a6_imafdch_sv39_wb_config_pkg.sv: 16 KiB in 4 ways, 32 KiB in 8, lines of 128 bits; the L2 has its own. */
export const cva6Caches: CacheStructure = {
  instructions: { bytes: 16 * KIB, ways: 4, lineBytes: 16 },
  data: { bytes: 32 * KIB, ways: 8, lineBytes: 16 },
  l2: inclusiveL2,
  sharing: 'shared',
  // controller.sv: fence_i raises flush_dcache.
  fenceWritesBack: true,
  dramBanks: 8,
  dramRowBytes: 8 * KIB,
}
