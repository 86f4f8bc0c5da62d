/** Random accesses to CSRs. */
import { CSRS } from '../../../hw/spec/csrs/index.ts'
import type { Instruction } from '../../../hw/spec/isa/index.ts'
import type { Choices } from './choices.ts'
import { encode, named } from './encode.ts'
import type { Random } from './random.ts'

/** CSRs that a program may write without losing its way, and the bits of a random value that it writes to them. */
const WRITABLE: readonly string[] = [
  'fflags',
  'frm',
  'fcsr',
  'sscratch',
  'scause',
  'stval',
  'sstatus',
  'sie',
  'sip',
  'scounteren',
  'senvcfg',
  'hstatus',
  'hideleg',
  'hvip',
  'hip',
  'hie',
  'hcounteren',
  'htval',
  'htinst',
  'htimedelta',
  'henvcfg',
  'vsstatus',
  'vsie',
  'vsip',
  'vsscratch',
  'vsepc',
  'vscause',
  'vstval',
  'mstatus',
  'mcause',
  'mtval',
  'mtval2',
  'mtinst',
  'mie',
  'mip',
  'mcounteren',
  'menvcfg',
  'mideleg',
  'misa',
  'hgeie',
]
/** Counters differ from one implementation to the next: only the right to read them is tested. */
const UNSTABLE = /^(m?cycle|m?instret|time|m?hpmcounter\d+|mhpmevent\d+)$/
const NO_SUCH_CSRS = [0x5c0, 0x7ff, 0x9c0, 0xbff, 0xcff, 0xdc0, 0xfff]

/** One of `instructions` (Zicsr's) on some CSR. `keepTvm`: what makes fences trap stays as it is. */
export function csrAccess(
  random: Random,
  choices: Choices,
  instructions: readonly Instruction[],
  keepTvm: boolean,
): number {
  const instruction = random.pick(instructions)
  const allowed = CSRS.filter(({ name }) => !choices.withoutCsrs.includes(name))
  if (random.chance(1, 12)) return encode(random, instruction, { csr: random.pick(NO_SUCH_CSRS) })
  const csr = random.pick(random.chance(1, 2) ? allowed.filter(({ name }) => WRITABLE.includes(name)) : allowed)
  if (UNSTABLE.test(csr.name))
    return encode(
      random,
      instruction.name === 'csrrw' || instruction.name === 'csrrwi' ? named('csrrs') : instruction,
      { csr: csr.number, rd: 0, rs1: 0, imm: 0 },
    )
  if (!WRITABLE.includes(csr.name) && csr.number >> 10 !== 3) {
    return encode(random, named(random.pick(['csrrs', 'csrrc'])), { csr: csr.number, rs1: 0 })
  }
  // The environment's enable bits are the top ones; small values reach all that programs may turn on.
  const small =
    csr.name.endsWith('envcfg') ||
    (csr.name.endsWith('status') && !choices.wholeStatus) ||
    csr.name === 'scause' ||
    csr.name === 'vscause' ||
    csr.name === 'mcause'
  if (small) {
    const imm = random.below(32) & (choices.fiom ? 31 : 30)
    // What a write of the reserved CBIE = 2 leaves is up to the implementation: no single bits are set or cleared.
    const names = csr.name.endsWith('envcfg')
      ? ['csrrwi']
      : csr.name.endsWith('status')
        ? ['csrrsi', 'csrrci']
        : ['csrrwi', 'csrrsi', 'csrrci']
    return encode(random, named(random.pick(names)), { csr: csr.number, imm })
  }
  if (keepTvm && (csr.name === 'mstatus' || csr.name === 'hstatus')) {
    return encode(random, named(random.pick(['csrrsi', 'csrrci'])), { csr: csr.number })
  }
  return encode(random, instruction, { csr: csr.number })
}
