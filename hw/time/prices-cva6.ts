/**
 * A second core: CVA6 (openhwgroup/cva6, configuration cv64a6_imafdch_sv39_wb), by the same rules as Rocket: predicted
 * branches, a pipelined unit costs one cycle, an iterative one its latency.
 */
import type { Prices } from './prices.ts'
import { rocketFlat } from './prices.ts'

/** serdiv.sv: a cycle to load, one for each bit of the quotient, one to finish: half the width, as for Rocket. */
const DIVIDE = 34
const DIVIDE_WORD = 18
/** fpu_div_sqrt_mvp, three bits in each step (Iteration_unit_num_S = 2'b10): 11 and 21 cycles alone, and LAT_DIVSQRT = 2 registers (ariane_pkg.sv). */
const FLOAT_DIVIDE_SINGLE = 13
const FLOAT_DIVIDE_DOUBLE = 23
/** The store buffer drains, the cache reads, the ALU and the write follow (amo_buffer.sv, then three accesses of the data cache). */
const ATOMIC = 4

const divisions = ['div', 'divu', 'rem', 'remu']
const atomics = Object.keys(rocketFlat.instructions).filter(name => name.startsWith('amo'))

export const cva6Flat: Prices = {
  core: 'CVA6',
  model: 'flat',
  // CVA6ConfigInstrTlbEntries and CVA6ConfigDataTlbEntries; no shared TLB in this configuration, and cva6_ptw.sv begins at the root.
  translation: { entries: 16, secondLevel: false, pteCaches: false },
  // multiplier.sv is pipelined, in one more stage than the ALU.
  instructions: {
    ...Object.fromEntries(divisions.map(name => [name, DIVIDE])),
    ...Object.fromEntries(divisions.map(name => [`${name}w`, DIVIDE_WORD])),
    'fdiv.s': FLOAT_DIVIDE_SINGLE,
    'fsqrt.s': FLOAT_DIVIDE_SINGLE,
    'fdiv.d': FLOAT_DIVIDE_DOUBLE,
    'fsqrt.d': FLOAT_DIVIDE_DOUBLE,
    ...Object.fromEntries(atomics.map(name => [name, ATOMIC])),
  },
  // Six stages, and controller.sv flushes from commit (design document, "At least 6 cycles").
  pipelineFlush: 6,
  // load_unit.sv: the request is aborted, and repeated once translated.
  replay: 2,
  // There is nothing to hit.
  l2TlbHit: 0,
  // cva6_ptw.sv: WAIT_GRANT, then PTE_LOOKUP until the registered data are valid.
  pteRead: 3,
  pteCacheHit: 0,
  misaligned: 1,
  // The SoC around it is the same.
  deviceRead: rocketFlat.deviceRead,
  deviceWrite: rocketFlat.deviceWrite,
}
