/**
 * fence.t: everything in the core that remembers what ran there is as after reset: first-level caches, TLBs, the caches of
 * page-table entries, replacement counters; and an L2 that is this hart's alone. No ratified instruction does it; it was
 * proposed, and built into CVA6, for time protection (Wistoff et al., "Microarchitectural Timing Channels and their
 * Prevention on an Open-Source 64-bit RISC-V Core", DATE 2021). Harts have it if their board says so; M and HS may use it.
 */
import { instruction } from './language.ts'

// biome-ignore format: a table
export const fenceT = [
  instruction('fence.t', '000000000000 00000 001 00000 0001011', '',
    'unpriv "RV32/64G Instruction Set Listings", custom-0',
    (m) => m.perform('temporal-fence', m.constant(0n), m.constant(0n))),
]
