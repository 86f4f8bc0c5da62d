/** Rules of the cache-block operations. */
import { enter, set, type Rule } from './harness.ts'

const [ILLEGAL, STORE_ACCESS, ECALL_HS, ECALL_M, VIRTUAL] = [2, 7, 9, 11, 22]
const NOWHERE = 0x3_0000_0040n
const CBO_INVAL = 'cbo.inval (t1)'
const CBO_CLEAN = 'cbo.clean (t1)'
const CBO_ZERO = 'cbo.zero (t1)'
const PREFETCH_W = 'prefetch.w 0(t1)'
const at = (address: bigint, instruction: string): string => `li t1, ${address}\n  ${instruction}`
const onData = (instruction: string): string => `la t1, data\n  ${instruction}`
const toM = (cause: number, more: object = {}) => ({ to: 'M' as const, cause, ...more })

export const CACHE_BLOCK_RULES: readonly Rule[] = [
  {
    rule: 'cbm_unperm_fault',
    shows: 'managing a block where nothing is, is a store access fault with the address of rs1',
    program: enter('M', at(NOWHERE + 4n, CBO_CLEAN)) + enter('M', at(NOWHERE + 5n, CBO_ZERO)),
    expect: [toM(STORE_ACCESS, { tval: NOWHERE + 4n }), toM(STORE_ACCESS, { tval: NOWHERE + 5n })],
  },
  {
    rule: 'cbp_unperm_noexcep',
    shows: 'a prefetch of what is not there raises nothing',
    program: enter('M', at(NOWHERE, PREFETCH_W)),
    expect: [toM(ECALL_M)],
  },
  {
    rule: 'cbo-inval_h-mode_op',
    shows: 'menvcfg bars HS as illegal, henvcfg bars VS as virtual',
    program:
      enter('HS', onData(CBO_INVAL)) +
      set('menvcfg', 0xf0) +
      enter('HS', onData(CBO_INVAL)) +
      enter('VS', onData(CBO_CLEAN)),
    expect: [toM(ILLEGAL), toM(ECALL_HS), toM(VIRTUAL)],
  },
]
