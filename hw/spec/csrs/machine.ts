/** Machine-level CSRs. */
import { csr, type Csr } from '../csr.ts'
import { rule } from '../sources.ts'

/** Interrupt numbers, which are also bits of mip, mie and their views. */
export const SSI = 1
export const VSSI = 2
export const MSI = 3
export const STI = 5
export const VSTI = 6
export const MTI = 7
export const SEI = 9
export const VSEI = 10
export const MEI = 11
export const SGEI = 12

/** XLEN 64, extensions A B C D F H I M S U. */
const MISA = (2n << 62n) | [0, 1, 2, 3, 5, 7, 8, 12, 18, 20].reduce((bits, letter) => bits | (1n << BigInt(letter)), 0n)

export const misa = csr(
  'misa',
  0x301,
  rule('MISA_CSR_IMPLEMENTED'),
  { MXL: [63, 62, 'ro'], Extensions: [25, 0, 'ro'] },
  { reset: MISA },
)
export const mvendorid = csr('mvendorid', 0xf11, rule('mvendorid_always_rd'), { Value: [31, 0, { fixed: 0 }] })
export const marchid = csr('marchid', 0xf12, rule('marchid_always_rd'), { Value: [62, 0, { fixed: 0 }] })
export const mimpid = csr('mimpid', 0xf13, rule('mimpid_always_rd'), { Value: [62, 0, { fixed: 0 }] })
export const mhartid = csr('mhartid', 0xf14, rule('mhartid_always_rd'), { ID: [63, 0, 'ro'] })
export const mconfigptr = csr('mconfigptr', 0xf15, rule('mconfigptr_op'), { Pointer: [63, 0, { fixed: 0 }] })

export const mstatus = csr(
  'mstatus',
  0x300,
  rule('mstatus_sz'),
  {
    SIE: [1, 1, 'rw'],
    MIE: [3, 3, 'rw'],
    SPIE: [5, 5, 'rw'],
    UBE: [6, 6, { fixed: 0 }],
    MPIE: [7, 7, 'rw'],
    SPP: [8, 8, 'rw'],
    VS: [10, 9, { fixed: 0 }],
    MPP: [12, 11, { warl: [0, 1, 3] }],
    FS: [14, 13, 'rw'],
    XS: [16, 15, { fixed: 0 }],
    MPRV: [17, 17, 'rw'],
    SUM: [18, 18, 'rw'],
    MXR: [19, 19, 'rw'],
    TVM: [20, 20, 'rw'],
    TW: [21, 21, 'rw'],
    TSR: [22, 22, 'rw'],
    UXL: [33, 32, { fixed: 2 }],
    SXL: [35, 34, { fixed: 2 }],
    SBE: [36, 36, { fixed: 0 }],
    MBE: [37, 37, { fixed: 0 }],
    GVA: [38, 38, 'rw'],
    MPV: [39, 39, 'rw'],
    SD: [63, 63, 'ro'],
  },
  { reset: 0xa_0000_0000n },
)

/**
 * Exceptions that medeleg can delegate: all that exist but the environment call from M-mode. With C no instruction
 * address is misaligned: bit 0 is read-only zero (medeleg_when_rd0).
 */
export const medeleg = csr('medeleg', 0x302, rule('MEDELEG_OP'), {
  FetchAccess_to_ECALL_VS: [10, 1, 'rw'],
  PageFaults: [13, 12, 'rw'],
  StorePageFault: [15, 15, 'rw'],
  GuestPageFaults: [23, 20, 'rw'],
})
export const mideleg = csr(
  'mideleg',
  0x303,
  rule('mideleg_hroz'),
  {
    SSI: [1, 1, 'rw'],
    VSSI: [2, 2, { fixed: 1 }],
    STI: [5, 5, 'rw'],
    VSTI: [6, 6, { fixed: 1 }],
    SEI: [9, 9, 'rw'],
    VSEI: [10, 10, { fixed: 1 }],
    SGEI: [12, 12, { fixed: 1 }],
  },
  { reset: 0x1444n },
)
export const mie = csr('mie', 0x304, rule('mie_enc'), {
  SSIE: [1, 1, 'rw'],
  VSSIE: [2, 2, 'rw'],
  MSIE: [3, 3, 'rw'],
  STIE: [5, 5, 'rw'],
  VSTIE: [6, 6, 'rw'],
  MTIE: [7, 7, 'rw'],
  SEIE: [9, 9, 'rw'],
  VSEIE: [10, 10, 'rw'],
  MEIE: [11, 11, 'rw'],
  SGEIE: [12, 12, 'rw'],
})
export const mip = csr('mip', 0x344, rule('mip_enc'), {
  SSIP: [1, 1, 'rw'],
  VSSIP: [2, 2, 'rw'],
  MSIP: [3, 3, 'ro'],
  STIP: [5, 5, 'rw'],
  VSTIP: [6, 6, 'ro'],
  MTIP: [7, 7, 'ro'],
  SEIP: [9, 9, 'rw'],
  VSEIP: [10, 10, 'ro'],
  MEIP: [11, 11, 'ro'],
  SGEIP: [12, 12, 'ro'],
})
export const mtvec = csr('mtvec', 0x305, rule('mtvec_enc'), { MODE: [1, 0, { warl: [0, 1] }], BASE: [63, 2, 'rw'] })
export const mscratch = csr('mscratch', 0x340, rule('mscratch_enc'), { Value: [63, 0, 'rw'] })
export const mepc = csr('mepc', 0x341, rule('mepc_align'), { PC: [63, 1, 'rw'] })
export const mcause = csr('mcause', 0x342, rule('mcause_enc'), { Code: [5, 0, 'wlrl'], Interrupt: [63, 63, 'rw'] })
export const mtval = csr('mtval', 0x343, rule('mtval_enc'), { Value: [63, 0, 'rw'] })
export const mtinst = csr('mtinst', 0x34a, rule('MTINST_WARL'), { Value: [63, 0, 'rw'] })
export const mtval2 = csr('mtval2', 0x34b, rule('MTVAL2_WARL'), { Value: [63, 0, 'rw'] })

export const menvcfg = csr('menvcfg', 0x30a, rule('menvcfg_enc'), {
  FIOM: [0, 0, 'rw'],
  CBIE: [5, 4, { warl: [0, 1, 3] }],
  CBCFE: [6, 6, 'rw'],
  CBZE: [7, 7, 'rw'],
  ADUE: [61, 61, 'rw'],
  PBMTE: [62, 62, 'rw'],
  STCE: [63, 63, 'rw'],
})
export const mcountinhibit = csr('mcountinhibit', 0x320, rule('mcountinhibit_enc'), {
  CY: [0, 0, 'rw'],
  IR: [2, 2, 'rw'],
})
export const mcounteren = csr('mcounteren', 0x306, rule('mcounteren_enc'), { All: [31, 0, 'rw'] })

const entry = { R: 'rw', W: 'rw', X: 'rw', A: 'rw', L: 'rw' } as const
const at = { R: [0, 0], W: [1, 1], X: [2, 2], A: [4, 3], L: [7, 7] } as const

/** Eight entries' configuration bytes. */
function pmpcfg(number: number): Csr {
  const fields = [0, 1, 2, 3, 4, 5, 6, 7].flatMap(byte =>
    (['R', 'W', 'X', 'A', 'L'] as const).map(
      field =>
        [`${field}${number * 4 + byte}`, [at[field][0] + byte * 8, at[field][1] + byte * 8, entry[field]]] as const,
    ),
  )
  return csr(`pmpcfg${number}`, 0x3a0 + number, rule('pmp_cfg_rv64_layout'), Object.fromEntries(fields))
}

/** The PMP entries that this machine has. */
export const PMP_ENTRIES = 16
export const pmpcfg0 = pmpcfg(0)
export const pmpcfg2 = pmpcfg(2)
export const pmpaddr: readonly Csr[] = Array.from({ length: PMP_ENTRIES }, (_, index) =>
  csr(`pmpaddr${index}`, 0x3b0 + index, rule('pmp_addr_encoding'), { address: [53, 0, 'rw'] }),
)

export const MACHINE_CSRS: readonly Csr[] = [
  mvendorid,
  marchid,
  mimpid,
  mhartid,
  mconfigptr,
  mstatus,
  misa,
  medeleg,
  mideleg,
  mie,
  mtvec,
  mcounteren,
  menvcfg,
  mcountinhibit,
  mscratch,
  mepc,
  mcause,
  mtval,
  mip,
  mtinst,
  mtval2,
  pmpcfg0,
  pmpcfg2,
  ...pmpaddr,
]
