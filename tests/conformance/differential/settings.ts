/** Random values of the CSRs that are set before a program starts. */
import type { Setting } from './arena.ts'
import type { Choices } from './choices.ts'
import type { Random } from './random.ts'

const PBMTE_ADUE = 3n << 61n
/** Bits that a random setting may have: all others stay 0. */
const SETTING_MASKS: Readonly<Partial<Record<Setting, bigint>>> = {
  mstatus: 0x7c_61a2n, // SIE SPIE MPIE SPP FS SUM MXR TVM TW TSR
  medeleg: 0xf0_b5fen,
  mideleg: 0x222n,
  mcounteren: 7n,
  scounteren: 7n,
  hcounteren: 7n,
  menvcfg: 0xf1n | PBMTE_ADUE,
  senvcfg: 0xf1n,
  henvcfg: 0xf1n | PBMTE_ADUE,
  mie: 0x446n,
  mip: 0x2n,
  hstatus: 0x70_03c0n, // GVA SPV SPVP HU VTVM VTW VTSR
  hedeleg: 0xb1fen,
  hideleg: 0x444n,
  hvip: 0x444n,
  vsstatus: 0xc_6122n, // SIE SPIE SPP FS SUM MXR
  stvec: 1n,
  vstvec: 1n,
  scause: 0xfn,
  vscause: 0xfn,
  mcause: 0xfn,
  sscratch: ~0n,
  stval: ~0n,
  vsscratch: ~0n,
  vstval: ~0n,
  mtval: ~0n,
  htval: 0xff_ffff_fffcn,
  mtval2: 0xff_ffff_fffcn,
}
const FPU_ON = 0x6000n
/** TVM of mstatus, VTVM of hstatus. */
const TVM = 1n << 20n

/** `keepTvm`: no fence traps for TVM or VTVM. */
export function randomSettings(random: Random, choices: Choices, keepTvm: boolean): Partial<Record<Setting, bigint>> {
  const settings: Partial<Record<Setting, bigint>> = {}
  for (const [name, mask] of Object.entries(SETTING_MASKS) as [Setting, bigint][]) {
    let value = random.bits64() & mask
    if (name.endsWith('envcfg') && !choices.fiom) value &= ~1n
    if (!choices.memoryTypes) value &= ~(PBMTE_ADUE & mask)
    // CBIE = 2 is reserved, and what a write of it leaves is up to the implementation.
    if (name.endsWith('envcfg') && (value & 0x30n) === 0x20n) value |= 0x10n
    if (/^(h|vs)/.test(name) && !choices.hypervisor) value = 0n
    if (name === 'hvip' || name === 'mip') value = random.chance(1, 8) ? value : 0n
    if (keepTvm && (name === 'mstatus' || name === 'hstatus')) value &= ~TVM
    if ((name === 'mstatus' || name === 'vsstatus') && random.chance(7, 8)) value |= FPU_ON
    settings[name] = value
  }
  if (random.chance(1, 2)) settings.medeleg = 0n
  // The arena itself stays open to all: a vector that cannot be fetched would trap for ever.
  if (random.chance(1, 12)) settings.pmpcfg0 = random.pick([0x1f1fn, 0x181fn, 0x1c1fn])
  return settings
}
