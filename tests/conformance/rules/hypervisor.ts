/** Rules of the hypervisor extension. */
import { enter, FENCE_ALL, gPage, label, note, noteCsr, set, vsPage, type Rule } from './harness.ts'

const V = 1,
  R = 2,
  W = 4,
  X = 8,
  U = 16,
  A = 64,
  D = 128
const G_RW = V | R | W | U | A | D
const VS_RW = V | R | W | A | D
const [
  ILLEGAL,
  BREAKPOINT,
  ECALL_U,
  ECALL_HS,
  ECALL_VS,
  ECALL_M,
  LOAD_PAGE,
  FETCH_GUEST,
  LOAD_GUEST,
  VIRTUAL,
  STORE_GUEST,
] = [2, 3, 8, 9, 10, 11, 13, 20, 21, 22, 23]
const SPV = 0x80n,
  SPVP = 0x100n,
  GVA = 0x40n,
  SPP = 0x100n
const MPV = 1n << 39n,
  MGVA = 1n << 38n
const PAGE = 0x4000_0000n

const HLV_D = 'hlv.d t2, (t1)'
const HLV_WU = 'hlv.wu t2, (t1)'
const HLVX_HU = 'hlvx.hu t2, (t1)'
const HSV_D = 'hsv.d t2, (t1)'
const HFENCE_VVMA = 'hfence.vvma'
const HFENCE_GVMA = 'hfence.gvma'

const at = (address: bigint | number, instruction: string): string => `li t1, ${address}\n  ${instruction}`
/** Two instructions whose trap values name the instruction itself. */
const HLV_D_BITS = 0x6c03_43f3n
const toM = (cause: number, more: object = {}) => ({ to: 'M' as const, cause, ...more })
const toHs = (cause: number, more: object = {}) => ({ to: 'HS' as const, cause, ...more })
const toVs = (cause: number, more: object = {}) => ({ to: 'VS' as const, cause, ...more })
const virtualUser = `
  la t0, vs_user_root
  srli t0, t0, 12
  li t1, 8
  slli t1, t1, 60
  or t0, t0, t1
  csrw vsatp, t0
  hfence.vvma
`
const delegate = (exceptions: string): string => set('medeleg', exceptions)
/** 0x4000_0000 is a page of data for the guest, at G-stage and VS-stage permissions. */
const page = (vsFlags: number, gFlags: number): string => `
  ${vsPage(0, 1, vsFlags)}
  ${gPage(1, 0, gFlags)}
  la t0, data
  li t1, 0x1122334455667788
  sd t1, 0(t0)
  ${FENCE_ALL}
`

/** A load in M-mode with MPRV, as VS. */
function asVs(address: bigint): string {
  const after = label()
  return `
  la s11, ${after}
  li t0, 0x1800
  csrc mstatus, t0
  li t0, 0x8000020800     # MPV, MPRV, MPP = S
  li t1, ${address}
  csrs mstatus, t0
  ld t2, 0(t1)
  li t0, 0x20000
  csrc mstatus, t0
  .balign 4
${after}:
`
}

export const HYPERVISOR_RULES: readonly Rule[] = [
  {
    rule: 'H_cause_ecall',
    shows: 'an ecall from each mode has its own cause',
    program: enter('U', '') + enter('HS', '') + enter('VS', '') + virtualUser + enter('VU', '') + enter('M', ''),
    expect: [toM(ECALL_U), toM(ECALL_HS), toM(ECALL_VS), toM(ECALL_U), toM(ECALL_M)],
  },
  {
    rule: 'hlsv_virtinst',
    shows: 'HLV, HLVX and HSV in VS and VU are virtual-instruction exceptions',
    program: enter('VS', at(PAGE, HLV_D)) + enter('VS', at(PAGE, HSV_D)) + virtualUser + enter('VU', at(PAGE, HLVX_HU)),
    expect: [toM(VIRTUAL, { tval: HLV_D_BITS }), toM(VIRTUAL), toM(VIRTUAL)],
  },
  {
    rule: 'hlsv_illegalinst',
    shows: 'HLV in U-mode is illegal while hstatus.HU is clear',
    program: enter('U', at(PAGE, HLV_D)),
    expect: [toM(ILLEGAL, { tval: HLV_D_BITS })],
  },
  {
    rule: 'hstatus_hu_op',
    shows: 'HLV in U-mode works once hstatus.HU is set',
    program: page(VS_RW, G_RW) + set('hstatus', 0x300) + enter('U', at(PAGE, HLV_D)) + note('t2'),
    expect: [toM(ECALL_U), 0x1122_3344_5566_7788n],
  },
  {
    rule: 'hstatus_spvp_op',
    shows: 'HLV accesses as VU when SPVP is 0, as VS when it is 1',
    program:
      page(VS_RW, G_RW) +
      enter('HS', at(PAGE, HLV_WU)) +
      set('hstatus', 0x100) +
      enter('HS', at(PAGE, HLV_WU)) +
      note('t2'),
    expect: [toM(LOAD_PAGE, { tval: PAGE }), toM(ECALL_HS), 0x5566_7788n],
  },
  {
    rule: 'hlsv_priv',
    shows: 'HLV works in M-mode, and a change of SPVP counts at once',
    program:
      page(VS_RW, G_RW) +
      set('hstatus', 0) +
      set('hstatus', 0x100) +
      at(PAGE, HLV_WU) +
      '\n' +
      note('t2') +
      enter('HS', `li t0, 0x100\n  csrc hstatus, t0\n  ${at(PAGE, HLV_WU)}`),
    expect: [0x5566_7788n, toM(LOAD_PAGE, { tval: PAGE })],
  },
  {
    rule: 'hlsv_trans',
    shows: 'vsstatus.SUM lets HLV as VS reach user pages; sstatus.SUM does not',
    program:
      page(VS_RW | U, G_RW) +
      set('hstatus', 0x100) +
      set('mstatus', 0xa0004_6000n) +
      enter('HS', at(PAGE, HLV_WU)) +
      set('vsstatus', 0x4_6000) +
      enter('HS', at(PAGE, HLV_WU)) +
      note('t2'),
    expect: [toM(LOAD_PAGE), toM(ECALL_HS), 0x5566_7788n],
  },
  {
    rule: 'hlsv_vsstatus_mxr',
    shows: 'vsstatus.MXR makes executable pages of the VS-stage readable for HLV, not those of the G-stage',
    program:
      page(V | X | A | D, V | X | U | A | D) +
      set('hstatus', 0x100) +
      enter('HS', at(PAGE, HLV_D)) +
      set('vsstatus', 0x8_6000) +
      enter('HS', at(PAGE, HLV_D)) +
      set('vsstatus', 0x6000) +
      set('mstatus', 0xa0008_6000n) +
      enter('HS', at(PAGE, HLV_D)) +
      note('t2'),
    expect: [toM(LOAD_PAGE), toM(LOAD_GUEST, { guestAddress: PAGE + 0x1000n }), toM(ECALL_HS), 0x1122_3344_5566_7788n],
  },
  {
    rule: 'hlsv_u_op',
    shows: 'HLVX needs execute permission in both stages instead of read permission',
    program:
      page(V | X | A | D, V | X | U | A | D) +
      set('hstatus', 0x100) +
      enter('HS', at(PAGE, HLVX_HU)) +
      note('t2') +
      page(VS_RW, V | X | U | A | D) +
      enter('HS', at(PAGE, HLVX_HU)) +
      page(V | X | A | D, G_RW) +
      enter('HS', at(PAGE, HLVX_HU)),
    expect: [
      toM(ECALL_HS),
      0x7788n,
      toM(LOAD_PAGE, { tval: PAGE }),
      toM(LOAD_GUEST, { tval: PAGE, guestAddress: PAGE + 0x1000n }),
    ],
  },
  {
    rule: 'H_pmp',
    shows: 'HLVX needs both read and execute permission of PMP',
    program:
      page(V | X | A | D, V | X | U | A | D) +
      set('hstatus', 0x100) +
      'la t0, data\n  srli t0, t0, 2\n  ori t0, t0, 0x1ff\n  csrw pmpaddr0, t0\n  li t0, -1\n  csrw pmpaddr1, t0\n' +
      ['0x1f19', '0x1f1c', '0x1f1d'].map(pmp => set('pmpcfg0', pmp) + enter('HS', at(PAGE, HLVX_HU))).join('') +
      'li t0, -1\n  csrw pmpaddr0, t0\n' +
      set('pmpcfg0', 0x1f),
    expect: [toM(5, { tval: PAGE }), toM(5, { tval: PAGE }), toM(ECALL_HS)],
  },
  {
    rule: 'hlsv_op',
    shows: 'HSV writes guest memory, and HLV reads it with sign or without',
    program:
      page(VS_RW, G_RW) +
      set('hstatus', 0x100) +
      enter('HS', `li t2, -2\n  ${at(PAGE, HSV_D)}\n  ${HLV_WU}`) +
      note('t2') +
      'la t0, data\n  ld t1, 0(t0)\n' +
      note('t1'),
    expect: [toM(ECALL_HS), 0xffff_fffen, 0xffff_ffff_ffff_fffen],
  },
  {
    rule: 'hfence-vvma_hfence-gvma_exceptions',
    shows: 'HFENCE is virtual-instruction in VS and VU, illegal in U',
    program:
      enter('VS', HFENCE_VVMA) +
      enter('VS', HFENCE_GVMA) +
      virtualUser +
      enter('VU', HFENCE_VVMA) +
      enter('U', HFENCE_GVMA),
    expect: [toM(VIRTUAL), toM(VIRTUAL), toM(VIRTUAL), toM(ILLEGAL)],
  },
  {
    rule: 'hgatp_tvm_illegal',
    shows: 'mstatus.TVM makes hgatp and HFENCE.GVMA illegal in HS; HFENCE.VVMA stays',
    program:
      set('mstatus', 0xa0010_6000n) +
      enter('HS', 'csrr t0, hgatp') +
      enter('HS', HFENCE_GVMA) +
      enter('HS', HFENCE_VVMA) +
      enter('HS', 'csrr t0, satp'),
    expect: [toM(ILLEGAL), toM(ILLEGAL), toM(ECALL_HS), toM(ILLEGAL)],
  },
  {
    rule: 'mstatus_tvm_hs',
    shows: 'mstatus.TVM does not touch satp and SFENCE.VMA of VS',
    program: set('mstatus', 0xa0010_6000n) + enter('VS', 'csrr t0, satp\n  sfence.vma'),
    expect: [toM(ECALL_VS)],
  },
  {
    rule: 'H_virtinst_vs_sfence_sinval_satp_vtvm1',
    shows: 'hstatus.VTVM makes SFENCE.VMA and satp of VS virtual-instruction exceptions',
    program:
      set('hstatus', 0x10_0000) +
      enter('VS', 'sfence.vma') +
      enter('VS', 'csrr t0, satp') +
      enter('VS', 'csrw satp, zero'),
    expect: [toM(VIRTUAL), toM(VIRTUAL), toM(VIRTUAL)],
  },
  {
    rule: 'H_virtinst_vs_sret_vtsr1',
    shows: 'hstatus.VTSR makes SRET of VS a virtual-instruction exception',
    program: set('hstatus', 0x40_0000) + enter('VS', 'sret'),
    expect: [toM(VIRTUAL, { tval: 0x1020_0073n })],
  },
  {
    rule: 'H_virtinst_vu_sret_sfence',
    shows: 'SRET and SFENCE.VMA in VU are virtual-instruction exceptions, in U illegal',
    program:
      virtualUser + enter('VU', 'sret') + enter('VU', 'sfence.vma') + enter('U', 'sret') + enter('U', 'sfence.vma'),
    expect: [toM(VIRTUAL), toM(VIRTUAL), toM(ILLEGAL), toM(ILLEGAL)],
  },
  {
    rule: 'H_virtinst_wfi_vtw1_tw0',
    shows: 'hstatus.VTW makes WFI of VS a virtual-instruction exception, mstatus.TW an illegal one',
    program: set('hstatus', 0x20_0000) + enter('VS', 'wfi') + set('mstatus', 0xa0020_6000n) + enter('VS', 'wfi'),
    expect: [toM(VIRTUAL), toM(ILLEGAL)],
  },
  {
    rule: 'H_virtinst_vu_wfi_tw0',
    shows: 'WFI in VU is a virtual-instruction exception unless TW is set',
    program: virtualUser + enter('VU', 'wfi') + set('mstatus', 0xa0020_6000n) + enter('VU', 'wfi'),
    expect: [toM(VIRTUAL), toM(ILLEGAL)],
  },
  {
    rule: 'H_csrs_hs_not_vs',
    shows: 'hypervisor CSRs and VS CSRs are virtual-instruction exceptions in VS; machine CSRs are illegal',
    program:
      enter('VS', 'csrr t0, hstatus') +
      enter('VS', 'csrw vsstatus, zero') +
      enter('VS', 'csrr t0, mstatus') +
      enter('VS', 'csrr t0, 0x9c0'),
    expect: [toM(VIRTUAL), toM(VIRTUAL), toM(ILLEGAL), toM(ILLEGAL)],
  },
  {
    rule: 'H_virtinst_vu_nonhigh_supervisor_allowedhs_tvm0',
    shows: 'supervisor CSRs in VU are virtual-instruction exceptions, in U illegal',
    program:
      virtualUser +
      enter('VU', 'csrr t0, sstatus') +
      enter('VU', 'csrr t0, hstatus') +
      enter('VU', 'csrr t0, mepc') +
      enter('U', 'csrr t0, sstatus'),
    expect: [toM(VIRTUAL), toM(VIRTUAL), toM(ILLEGAL), toM(ILLEGAL)],
  },
  {
    rule: 'H_virtinst_vu_vs_nonhigh_allowedhs_tvm0',
    shows: 'a write to a read-only CSR is illegal before it is virtual',
    program: enter('VS', 'csrw hgeip, zero') + enter('VS', 'csrr t0, hgeip'),
    expect: [toM(ILLEGAL), toM(VIRTUAL)],
  },
  {
    rule: 'H_virtinst_vs_nonhighctr_h0_m1',
    shows: 'a counter that hcounteren hides is virtual in VS, one that mcounteren hides illegal',
    program:
      set('hcounteren', 0) + enter('VS', 'csrr t0, cycle') + set('mcounteren', 0) + enter('VS', 'csrr t0, cycle'),
    expect: [toM(VIRTUAL), toM(ILLEGAL)],
  },
  {
    rule: 'H_virtinst_vu_nonhighctr_h0_s0_m1',
    shows: 'scounteren hides counters from VU as virtual, from U as illegal',
    program: set('scounteren', 0) + virtualUser + enter('VU', 'csrr t0, instret') + enter('U', 'csrr t0, instret'),
    expect: [toM(VIRTUAL), toM(ILLEGAL)],
  },
  {
    rule: 'H_vscsrs_sub',
    shows: 'supervisor CSRs of VS are the VS CSRs, and the supervisor’s keep their values',
    program:
      set('sscratch', 1) +
      set('vsscratch', 2) +
      enter('VS', 'csrr t2, sscratch\n  li t0, 3\n  csrw sscratch, t0\n  csrw sepc, t0') +
      note('t2') +
      noteCsr('sscratch') +
      noteCsr('vsscratch') +
      noteCsr('vsepc') +
      noteCsr('sepc'),
    expect: [toM(ECALL_VS), 2n, 1n, 3n, 2n, 0n],
  },
  {
    rule: 'H_scsrs_nomatch',
    shows: 'scounteren and senvcfg have no VS copy',
    program:
      set('scounteren', 5) +
      enter('VS', 'csrr t2, scounteren\n  csrw scounteren, zero') +
      note('t2') +
      noteCsr('scounteren'),
    expect: [toM(ECALL_VS), 5n, 0n],
  },
  {
    rule: 'H_trap_hs_csrwrites',
    shows: 'a trap from VS to HS sets SPV, SPVP and SPP; from U it clears SPV and leaves SPVP',
    program:
      delegate('0x100') +
      set('hstatus', 0x100) +
      enter('U', '') +
      delegate('0x400') +
      set('hstatus', 0) +
      enter('VS', ''),
    expect: [
      toHs(ECALL_U, { hstatus: [SPV | SPVP | GVA, SPVP], status: [SPP, 0n] }),
      toHs(ECALL_VS, { hstatus: [SPV | SPVP | GVA, SPV | SPVP], status: [SPP, SPP] }),
    ],
  },
  {
    rule: 'H_trap_m_csrwrites',
    shows: 'a trap from VU to M sets MPV, and GVA only for a guest virtual address',
    program: virtualUser + enter('VU', '') + enter('VU', at(PAGE + 0x8n, 'ld t2, 0(t1)')) + enter('U', 'ebreak'),
    expect: [
      toM(ECALL_U, { status: [MPV | MGVA, MPV] }),
      toM(LOAD_PAGE, { status: [MPV | MGVA, MPV | MGVA], tval: PAGE + 8n }),
      toM(BREAKPOINT, { status: [MPV | MGVA, 0n] }),
    ],
  },
  {
    rule: 'hstatus_gva_op',
    shows: 'GVA is set for a guest-page fault of HLV, though V was 0',
    program: page(VS_RW, 0) + delegate('0xf0b5ff') + set('hstatus', 0x100) + enter('HS', at(PAGE, HLV_D)),
    expect: [
      toHs(LOAD_GUEST, {
        hstatus: [SPV | SPVP | GVA, SPVP | GVA],
        tval: PAGE,
        guestAddress: PAGE + 0x1000n,
        status: [SPP, SPP],
      }),
    ],
  },
  {
    rule: 'H_trap_vs_csrwrites',
    shows: 'hedeleg takes a trap on to VS, where hstatus is as it was',
    program:
      delegate('0xf0b1ff') +
      set('hedeleg', 0xb1ff) +
      virtualUser +
      set('vsstatus', 0x6100) +
      enter('VU', at(PAGE, 'ld t2, 0(t1)')) +
      noteCsr('hstatus') +
      noteCsr('scause'),
    expect: [toVs(LOAD_PAGE, { tval: PAGE, status: [SPP, 0n] }), 0x2_0000_0000n, 0n],
  },
  {
    rule: 'sret_v1',
    shows: 'SRET of VS returns within the guest, and leaves hstatus alone',
    program: (() => {
      const back = label()
      return (
        enter(
          'VS',
          `la t0, ${back}\n  csrw sepc, t0\n  li t0, 0x100\n  csrs sstatus, t0\n  sret\n  nop\n${back}:\n  csrr t2, sstatus`,
        ) +
        `li t1, 0x122\n  and t2, t2, t1\n` +
        note('t2') +
        noteCsr('hstatus')
      )
    })(),
    expect: [toM(ECALL_VS), 0x20n, 0x2_0000_0000n],
  },
  {
    rule: 'HEDELEG_WARL',
    shows: 'ecalls from HS, VS and M, guest-page faults and virtual instructions cannot be delegated by hedeleg',
    program:
      set('hedeleg', -1) +
      `csrr t2, hedeleg\n  li t1, 0xf10e00\n  and t2, t2, t1\n` +
      note('t2') +
      set('medeleg', -1) +
      `csrr t2, medeleg\n  li t1, 0xf0b500\n  and t2, t2, t1\n` +
      note('t2'),
    expect: [0n, 0xf0_b500n],
  },
  {
    rule: 'mideleg_hroz',
    shows: 'the VS-level interrupts are delegated to HS for ever',
    program: 'csrw mideleg, zero\n' + noteCsr('mideleg'),
    expect: [0x1444n],
  },
  {
    rule: 'hvip_acc',
    shows: 'hvip pends VS-level interrupts; mip, hip and vsip show them',
    program:
      set('hideleg', 0x444) +
      set('hvip', 0x444) +
      noteCsr('mip') +
      noteCsr('hip') +
      noteCsr('vsip') +
      set('hideleg', 0) +
      noteCsr('vsip'),
    expect: [0x444n, 0x444n, 0x222n, 0n],
  },
  {
    rule: 'hip_vssip_vssie_op',
    shows: 'hip.VSSIP and vsip.SSIP are hvip.VSSIP under other names; vsip’s is writable only when delegated',
    program:
      set('hip', 0x444) +
      noteCsr('hvip') +
      set('vsip', 0) +
      noteCsr('hvip') +
      set('hideleg', 4) +
      set('vsip', 0) +
      noteCsr('hvip') +
      set('vsip', 0x222) +
      noteCsr('hvip'),
    expect: [4n, 4n, 0n, 4n],
  },
  {
    rule: 'mip_mie_alias',
    shows: 'setting and clearing other bits of mip leaves VSSIP as it is',
    program:
      set('hvip', 4) +
      'csrci mip, 2\n  csrsi mip, 2\n' +
      noteCsr('hvip') +
      noteCsr('mip') +
      'csrci mip, 4\n' +
      noteCsr('hvip'),
    expect: [4n, 6n, 0n],
  },
  {
    rule: 'vsip_vsie_ssi',
    shows: 'vsie is hie shifted, through hideleg; sie cannot reach those bits',
    program:
      set('hie', 0x444) +
      noteCsr('vsie') +
      set('hideleg', 0x40) +
      noteCsr('vsie') +
      set('vsie', 0) +
      noteCsr('hie') +
      set('sie', -1) +
      `csrr t2, mie\n  li t1, 0x444\n  and t2, t2, t1\n` +
      note('t2'),
    expect: [0n, 0x20n, 0x404n, 0x404n],
  },
  {
    rule: 'hideleg_trans',
    shows: 'a delegated VS interrupt arrives in VS with the supervisor’s cause, highest priority first',
    program:
      set('hideleg', 0x444) +
      set('hie', 0x444) +
      set('hvip', 0x444) +
      set('vsstatus', 0x6002) +
      enter('VS', 'nop') +
      set('hvip', 0x44) +
      set('vsstatus', 0x6002) +
      enter('VS', 'nop') +
      set('hvip', 0x40) +
      set('vsstatus', 0x6002) +
      enter('VS', 'nop'),
    expect: [toVs(9, { interrupt: true }), toVs(1, { interrupt: true }), toVs(5, { interrupt: true })],
  },
  {
    rule: 'hideleg_op',
    shows: 'without hideleg a VS interrupt traps to HS, whatever sstatus.SIE is, with its own cause',
    program: set('hie', 0x4) + set('hvip', 0x4) + enter('VS', 'nop'),
    expect: [toHs(2, { interrupt: true, hstatus: [SPV | SPVP, SPV | SPVP] })],
  },
  {
    rule: 'hideleg_acc',
    shows: 'a delegated VS interrupt waits while VS has SIE clear, and in HS; it is taken in VU',
    program:
      set('hideleg', 0x4) +
      set('hie', 0x4) +
      set('hvip', 0x4) +
      enter('VS', 'nop') +
      set('mstatus', 0xa0000_6022n) +
      enter('HS', 'nop') +
      virtualUser +
      enter('VU', 'nop'),
    expect: [toM(ECALL_VS), toM(ECALL_HS), toVs(1, { interrupt: true })],
  },
  {
    rule: 'sret_v0',
    shows: 'SRET of HS with SPV enters VS, and clears SPV',
    program: (() => {
      const target = label()
      return (
        set('hstatus', 0x80) +
        set('mstatus', 0xa0000_6100n) +
        enter('HS', `la t0, ${target}\n  csrw sepc, t0\n  sret\n  nop\n${target}:`) +
        noteCsr('hstatus')
      )
    })(),
    expect: [toM(ECALL_VS), 0x2_0000_0000n],
  },
  {
    rule: 'mret_h',
    shows: 'MRET to M ignores MPV, and clears it',
    program: (() => {
      const target = label()
      return (
        `la t0, ${target}\n  csrw mepc, t0\n  li t0, 0x8000001800\n  csrs mstatus, t0\n  mret\n  .balign 4\n${target}:\n` +
        `csrr t2, mstatus\n  li t1, 0x8000001800\n  and t2, t2, t1\n` +
        note('t2')
      )
    })(),
    expect: [0n],
  },
  {
    rule: 'mstatus_mprv_hypervisor',
    shows: 'MPRV with MPV and MPP translates loads as VS does; a fault is a guest’s',
    program: page(VS_RW, G_RW) + asVs(PAGE) + note('t2') + asVs(PAGE + 0x1000n),
    expect: [0x1122_3344_5566_7788n, toM(LOAD_PAGE, { tval: PAGE + 0x1000n, status: [MPV | MGVA, MGVA] })],
  },
  {
    rule: 'H_guest_page_fault',
    shows: 'a store that the G-stage forbids is a store guest-page fault with the guest physical address',
    program: page(VS_RW, V | R | U | A | D) + enter('VS', at(PAGE + 0x18n, 'sd t2, 0(t1)')),
    expect: [toM(STORE_GUEST, { tval: PAGE + 0x18n, guestAddress: PAGE + 0x1018n })],
  },
  {
    rule: 'H_vm_gpapriv',
    shows: 'a G-stage page without U is out of reach, whatever mode the guest is in',
    program: page(VS_RW, V | R | W | A | D) + enter('VS', at(PAGE, 'ld t2, 0(t1)')),
    expect: [toM(LOAD_GUEST, { tval: PAGE, guestAddress: PAGE + 0x1000n })],
  },
  {
    rule: 'H_trap_xtinst_guestpage',
    shows: 'a walk of VS-stage that the G-stage stops has the pseudoinstruction and the entry’s address',
    program: (() =>
      `
  la t0, vs_root
  li t1, ${(0x4_0005 << 10) | V}
  sd t1, 8(t0)
  ${FENCE_ALL}
` + enter('VS', at(PAGE + 0x10n, 'ld t2, 0(t1)')))(),
    expect: [toM(LOAD_GUEST, { tval: PAGE + 0x10n, guestAddress: PAGE + 0x5000n, tinst: 0x3000n })],
  },
  {
    rule: 'hgatp_mode_sv39x4',
    shows: 'a guest physical address above 41 bits is a guest-page fault',
    program:
      'csrw vsatp, zero\n  hfence.vvma\n' +
      enter('VS', at(1n << 41n, 'ld t2, 0(t1)')) +
      enter('VS', `li t1, ${1n << 41n}\n  jr t1`),
    expect: [
      toM(LOAD_GUEST, { tval: 1n << 41n, guestAddress: 1n << 41n }),
      toM(FETCH_GUEST, { tval: 1n << 41n, guestAddress: 1n << 41n }),
    ],
  },
  {
    rule: 'hgatp_ppn_op',
    shows: 'the two low bits of hgatp.PPN are zero',
    program:
      set('hgatp', (8n << 60n) | 0x80007n) + `csrr t2, hgatp\n  slli t2, t2, 20\n  srli t2, t2, 20\n` + note('t2'),
    expect: [0x80004n],
  },
  {
    rule: 'vsstatus_fs_op',
    shows: 'vsstatus.FS off makes floating point illegal in VS, not virtual; both FS get dirty',
    program:
      set('vsstatus', 0) +
      enter('VS', 'fmv.d.x f0, x0') +
      set('vsstatus', 0x2000) +
      set('mstatus', 0xa0000_2000n) +
      enter('VS', 'fmv.d.x f0, x0') +
      `csrr t2, vsstatus\n  li t1, 0x6000\n  and t2, t2, t1\n` +
      note('t2') +
      `csrr t2, mstatus\n  li t1, 0x6000\n  and t2, t2, t1\n` +
      note('t2') +
      set('mstatus', 0xa0000_0000n) +
      enter('VS', 'fmv.d.x f0, x0'),
    expect: [toM(ILLEGAL), toM(ECALL_VS), 0x6000n, 0x6000n, toM(ILLEGAL)],
  },
  {
    rule: 'HTVAL_TRAPVAL',
    shows: 'htval is zero for a trap that is no guest-page fault',
    program: page(VS_RW, 0) + delegate('0xf0b5ff') + enter('VS', at(PAGE, 'ld t2, 0(t1)')) + enter('VS', ''),
    expect: [
      toHs(LOAD_GUEST, { guestAddress: PAGE + 0x1000n }),
      toHs(ECALL_VS, { guestAddress: 0n, tinst: 0n, tval: 0n }),
    ],
  },
  {
    rule: 'vsatp_v0',
    shows: 'vsatp does not translate for HS, nor satp for VS',
    program:
      page(VS_RW, G_RW) +
      set('vsatp', 0) +
      enter('VS', at(PAGE + 0x1000n, 'ld t2, 0(t1)')) +
      note('t2') +
      set('vsatp', 8n << 60n) +
      enter('HS', 'la t1, data\n  ld t3, 0(t1)') +
      note('t3') +
      `la t0, vs_root\n  srli t0, t0, 12\n  li t1, 8\n  slli t1, t1, 60\n  or t0, t0, t1\n  csrw vsatp, t0\n` +
      set('satp', 8n << 60n) +
      FENCE_ALL +
      enter('VS', at(PAGE, 'lw t2, 0(t1)')) +
      note('t2'),
    expect: [toM(ECALL_VS), 0x1122_3344_5566_7788n, toM(ECALL_HS), 0x1122_3344_5566_7788n, toM(ECALL_VS), 0x5566_7788n],
  },
  {
    rule: 'henvcfg_stce',
    shows: 'stimecmp of VS is virtual-instruction while henvcfg.STCE is clear, illegal while menvcfg.STCE is',
    program: enter('VS', 'csrr t0, 0x14d') + set('menvcfg', 1n << 63n) + enter('VS', 'csrr t0, 0x14d'),
    expect: [toM(ILLEGAL), toM(VIRTUAL)],
  },
  {
    rule: 'hfence-gvma_op',
    shows: 'HFENCE.GVMA makes a changed G-stage entry take effect',
    program:
      page(VS_RW, G_RW) +
      enter('VS', at(PAGE, 'ld t2, 0(t1)')) +
      gPage(1, 1, G_RW) +
      'la t0, data\n  li t1, 4096\n  add t0, t0, t1\n  li t1, 77\n  sd t1, 0(t0)\n' +
      HFENCE_GVMA +
      '\n' +
      enter('VS', at(PAGE, 'ld t2, 0(t1)')) +
      note('t2'),
    expect: [toM(ECALL_VS), toM(ECALL_VS), 77n],
  },
  {
    rule: 'sfence_vma_v1',
    shows: 'SFENCE.VMA of VS makes a changed VS-stage entry take effect',
    program:
      page(VS_RW, G_RW) +
      gPage(2, 1, G_RW) +
      'la t0, data\n  li t1, 4096\n  add t0, t0, t1\n  li t1, 78\n  sd t1, 0(t0)\n' +
      FENCE_ALL +
      enter('VS', at(PAGE, 'ld t2, 0(t1)')) +
      vsPage(0, 2, VS_RW) +
      enter('VS', `sfence.vma\n  ${at(PAGE, 'ld t2, 0(t1)')}`) +
      note('t2'),
    expect: [toM(ECALL_VS), toM(ECALL_VS), 78n],
  },
]
