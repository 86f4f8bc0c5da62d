/**
 * Small assembly programs that each prove a rule of the privileged manual. They run one after the other in one
 * image, on our machine and on QEMU alike; handlers in M, HS and VS log each trap, `note` logs a value.
 *
 * A program starts in M-mode. `enter` runs a label in another mode until a trap reaches M or HS, or VS; then it goes
 * on behind `enter`, in M-mode again. s9, s10, s11 and a7 belong to the harness.
 *
 * Memory as the guest sees it: the 1 GiB of RAM at 0x8000_0000 is itself, in both stages, for VS or, with
 * `vs_user_root`, for VU; VS sees it at 0xc000_0000 always, and has its vectors there. Pages of the gigabyte at
 * 0x4000_0000 are mapped by `vsPage` and `gPage`.
 */
import type { RuleName } from '../../../hw/spec/sources.ts'
import { TOHOST } from '../tools.ts'

export type RuleMode = 'U' | 'HS' | 'VS' | 'VU' | 'M'

export interface Rule {
  readonly rule: RuleName
  /** What the program shows. */
  readonly shows: string
  readonly program: string
  readonly expect: readonly Expected[]
}

/** A trap's destination, cause and whatever else matters; or a noted value. */
export type Expected =
  | bigint
  | {
      readonly to: 'M' | 'HS' | 'VS'
      readonly cause: number
      readonly interrupt?: true
      readonly tval?: bigint
      /** mtval2 or htval, as an address: shifted left by two. */
      readonly guestAddress?: bigint
      readonly tinst?: bigint
      /** Bits of hstatus after the trap, by mask. */
      readonly hstatus?: readonly [mask: bigint, value: bigint]
      /** Bits of mstatus, sstatus or vsstatus after the trap. */
      readonly status?: readonly [mask: bigint, value: bigint]
    }

export const RECORD_BYTES = 64
export const LOG_AT = 0x10_1000
export const LOG_BYTES = 0x4_0000
const [FROM_M, FROM_HS, FROM_VS, VALUE, BEGIN] = [1, 2, 3, 4, 5]

const MODE_BITS: Readonly<Record<RuleMode, string>> = {
  M: '0x1800',
  HS: '0x800',
  U: '0',
  VS: '0x8000000800',
  VU: '0x8000000000',
}

let labels = 0
/** A label used nowhere else. */
export function label(): string {
  return `l${labels++}`
}

/** Runs `body` in `mode`. It must end in a trap; an ecall is added. */
export function enter(mode: RuleMode, body: string): string {
  const [start, after] = [label(), label()]
  return `
  csrr s9, mscratch
  la s10, log_position
  sd s9, 0(s10)
  la s11, ${after}
  la s9, ${start}
  csrw mepc, s9
  li s9, 0x8000001800
  csrc mstatus, s9
  li s9, ${MODE_BITS[mode]}
  csrs mstatus, s9
  mret
${start}:
  ${body}
  ecall
  .balign 4
${after}:
`
}

/** Logs a register's value; in M-mode only. */
export function note(register: string): string {
  return `
  csrr s10, mscratch
  li s9, ${VALUE}
  sd s9, 0(s10)
  sd ${register}, 8(s10)
  addi s10, s10, ${RECORD_BYTES}
  csrw mscratch, s10
`
}

/** Logs a CSR's value; in M-mode only. */
export function noteCsr(csr: string): string {
  return `\n  csrr t6, ${csr}\n${note('t6')}`
}

export function set(csr: string, value: string | number | bigint): string {
  return `\n  li t6, ${value}\n  csrw ${csr}, t6\n`
}

/** The guest's own entry for 0x4000_0000 + page × 4096: guest physical 0x4000_0000 + target × 4096. */
export function vsPage(page: number, target: number, flags: number): string {
  return `\n  li t5, ${((0x4_0000 + target) << 10) | flags}\n  la t6, vs_level0\n  sd t5, ${page * 8}(t6)\n`
}

/** The G-stage entry for guest physical 0x4000_0000 + page × 4096: data page `target`. */
export function gPage(page: number, target: number, flags: number): string {
  return `
  la t5, data
  li t6, ${target * 4096}
  add t5, t5, t6
  srli t5, t5, 2
  ori t5, t5, ${flags & 0x3f}
  li t6, ${flags}
  or t5, t5, t6
  la t6, g_level0
  sd t5, ${page * 8}(t6)
`
}

export const FENCE_ALL = `
  sfence.vma
  hfence.vvma
  hfence.gvma
`

const RESET: readonly (readonly [string, string])[] = [
  ['mstatus', '0xa00006000'],
  ['medeleg', '0'],
  ['mideleg', '0'],
  ['mie', '0'],
  ['mip', '0'],
  ['mcounteren', '7'],
  ['menvcfg', '0'],
  ['satp', '0'],
  ['scounteren', '7'],
  ['senvcfg', '0'],
  ['sepc', '0'],
  ['scause', '0'],
  ['stval', '0'],
  ['hstatus', '0'],
  ['hedeleg', '0'],
  ['hideleg', '0'],
  ['hvip', '0'],
  ['hcounteren', '7'],
  ['henvcfg', '0'],
  ['htval', '0'],
  ['htinst', '0'],
  ['stimecmp', '-1'],
  ['vstimecmp', '-1'],
  ['htimedelta', '0'],
  ['mcountinhibit', '0'],
  ['vsstatus', '0x6000'],
  ['vsscratch', '0'],
  ['vsepc', '0'],
  ['vscause', '0'],
  ['vstval', '0'],
]

function handler(
  name: string,
  level: 'm' | 's',
  from: number,
  guestAddress: string,
  tinst: string,
  exit: string,
  scratch: string,
): string {
  const csr = (suffix: string): string => `${level}${suffix}`
  return `
  .balign 4
${name}:
  ${scratch}
  li s9, ${from}
  sd s9, 0(s10)
  csrr s9, ${csr('cause')}
  sd s9, 8(s10)
  csrr s9, ${csr('tval')}
  sd s9, 16(s10)
  ${guestAddress === '' ? 'li s9, 0' : `csrr s9, ${guestAddress}`}
  sd s9, 24(s10)
  ${tinst === '' ? 'li s9, 0' : `csrr s9, ${tinst}`}
  sd s9, 32(s10)
  csrr s9, ${csr('status')}
  sd s9, 40(s10)
  ${from === FROM_VS ? 'li s9, 0' : 'csrr s9, hstatus'}
  sd s9, 48(s10)
  ${exit}
`
}

/** Hands the log to M-mode: its position is in mscratch, which lower modes cannot read, so a copy in memory serves them. */
const EXIT_TO_M = `
  addi s10, s10, ${RECORD_BYTES}
  la s9, log_position
  sd s10, 0(s9)
  li a7, 0x5e7
  ecall
`
const LOAD_POSITION = `
  la s10, log_position
  ld s10, 0(s10)
`

/** One image of all programs; the log starts with a BEGIN record for each. */
export function rulesSource(rules: readonly Rule[]): string {
  const programs = rules.map(
    ({ program }, index) => `
  csrr s10, mscratch
  li s9, ${BEGIN}
  sd s9, 0(s10)
  li s9, ${index}
  sd s9, 8(s10)
  addi s10, s10, ${RECORD_BYTES}
  csrw mscratch, s10
  jal x1, reset
  ${program}
  .balign 4
`,
  )
  return `
  .globl _start
_start:
  la t0, trap_m
  csrw mtvec, t0
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  li t0, 0x2004000
  li t1, -1
  sd t1, 0(t0)
  la t0, _start
  li t1, ${LOG_AT}
  add t0, t0, t1
  csrw mscratch, t0
  ${programs.join('')}
  li t0, ${TOHOST}
  li t1, 1
  sd t1, 0(t0)
  li t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)
1: j 1b

reset:
  ${RESET.map(([csr, value]) => set(csr, value)).join('')}
  la t0, trap_hs
  csrw stvec, t0
  la t0, trap_vs
  li t1, 0x40000000
  add t0, t0, t1
  csrw vstvec, t0
  la t0, g_root
  srli t0, t0, 12
  li t1, 8
  slli t1, t1, 60
  or t0, t0, t1
  csrw hgatp, t0
  la t0, vs_root
  srli t0, t0, 12
  or t0, t0, t1
  csrw vsatp, t0
  # Tables: 1 GiB of RAM as itself, and one table for the gigabyte below it.
  li t1, 0x200000cf       # 0x8000_0000, V R W X A D
  la t0, vs_root
  sd t1, 16(t0)
  sd t1, 24(t0)
  la t0, vs_user_root
  sd t1, 24(t0)
  ori t1, t1, 0x10        # U
  sd t1, 16(t0)
  la t0, g_root
  sd t1, 16(t0)
  la t0, g_level1
  srli t0, t0, 2
  ori t0, t0, 1
  la t1, g_root
  sd t0, 8(t1)
  la t0, g_level0
  srli t0, t0, 2
  ori t0, t0, 1
  la t1, g_level1
  sd t0, 0(t1)
  la t0, vs_level1
  srli t0, t0, 2
  ori t0, t0, 1
  la t1, vs_root
  sd t0, 8(t1)
  la t1, vs_user_root
  sd t0, 8(t1)
  la t0, vs_level0
  srli t0, t0, 2
  ori t0, t0, 1
  la t1, vs_level1
  sd t0, 0(t1)
  la t0, vs_level0
  la t1, g_level0
  li t2, 512
1:
  sd zero, 0(t0)
  sd zero, 0(t1)
  addi t0, t0, 8
  addi t1, t1, 8
  addi t2, t2, -1
  bnez t2, 1b
  ${FENCE_ALL}
  ret

${handler(
  'trap_m',
  'm',
  FROM_M,
  'mtval2',
  'mtinst',
  `
  addi s10, s10, ${RECORD_BYTES}
leave:
  csrw mscratch, s10
  la s9, log_position
  sd s10, 0(s9)
  li s9, 0x20000          # MPRV
  csrc mstatus, s9
  jr s11`,
  `
  csrr s10, mcause
  addi s10, s10, -9
  beqz s10, 1f
  addi s10, s10, -1
  bnez s10, 2f
1:
  li s10, 0x5e7
  bne a7, s10, 2f
  li a7, 0
  ${LOAD_POSITION}
  j leave
2:
  csrr s10, mscratch`,
)}
${handler('trap_hs', 's', FROM_HS, 'htval', 'htinst', EXIT_TO_M, LOAD_POSITION)}
${handler('trap_vs', 's', FROM_VS, '', '', `li s9, -0x40000000\n  add s10, s10, s9${EXIT_TO_M}`, `${LOAD_POSITION}  li s9, 0x40000000\n  add s10, s10, s9`)}

  .balign 8
log_position: .dword 0
  .balign 16384
g_root: .zero 16384
g_level1: .zero 4096
g_level0: .zero 4096
vs_root: .zero 4096
vs_user_root: .zero 4096
vs_level1: .zero 4096
vs_level0: .zero 4096
data: .zero 8192
`
}

/** What each program logged, by its number. */
export function readLog(bytes: Uint8Array, count: number): Logged[][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const logged: Logged[][] = Array.from({ length: count }, () => [])
  let current: Logged[] = []
  for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
    const word = (index: number): bigint => view.getBigUint64(at + index * 8, true)
    const kind = Number(word(0))
    if (kind === 0) break
    if (kind === BEGIN) current = logged[Number(word(1))] ?? []
    else if (kind === VALUE) current.push({ value: word(1) })
    else {
      current.push({
        to: kind === FROM_M ? 'M' : kind === FROM_HS ? 'HS' : 'VS',
        cause: Number(word(1) & 0xffffn),
        interrupt: word(1) >> 63n === 1n,
        tval: word(2),
        guestAddress: word(3) << 2n,
        tinst: word(4),
        status: word(5),
        hstatus: word(6),
      })
    }
  }
  return logged
}

export type Logged =
  | { readonly value: bigint }
  | {
      readonly to: 'M' | 'HS' | 'VS'
      readonly cause: number
      readonly interrupt: boolean
      readonly tval: bigint
      readonly guestAddress: bigint
      readonly tinst: bigint
      readonly status: bigint
      readonly hstatus: bigint
    }

const hex = (value: bigint): string => `0x${value.toString(16)}`

function describe(logged: Logged | undefined): string {
  if (!logged) return 'nothing'
  if ('value' in logged) return `value ${hex(logged.value)}`
  return (
    `${logged.interrupt ? 'interrupt' : 'exception'} ${logged.cause} to ${logged.to}, tval ${hex(logged.tval)}, ` +
    `guest address ${hex(logged.guestAddress)}, tinst ${hex(logged.tinst)}, status ${hex(logged.status)}, hstatus ${hex(logged.hstatus)}`
  )
}

/** Where the log of a rule's program departs from what the rule wants; empty if nowhere. */
export function violations(rule: Rule, logged: readonly Logged[]): string[] {
  const wrong: string[] = []
  for (let index = 0; index < Math.max(rule.expect.length, logged.length); index++) {
    const [want, got] = [rule.expect[index], logged[index]]
    const agrees =
      want !== undefined &&
      got !== undefined &&
      (typeof want === 'bigint'
        ? 'value' in got && got.value === want
        : !('value' in got) &&
          got.to === want.to &&
          got.cause === want.cause &&
          got.interrupt === (want.interrupt ?? false) &&
          (want.tval === undefined || got.tval === want.tval) &&
          (want.guestAddress === undefined || got.guestAddress === want.guestAddress) &&
          (want.tinst === undefined || got.tinst === want.tinst) &&
          (want.hstatus === undefined || (got.hstatus & want.hstatus[0]) === want.hstatus[1]) &&
          (want.status === undefined || (got.status & want.status[0]) === want.status[1]))
    if (!agrees) {
      const wanted =
        want === undefined
          ? 'nothing'
          : typeof want === 'bigint'
            ? `value ${hex(want)}`
            : JSON.stringify(want, (_, v) => (typeof v === 'bigint' ? hex(v) : v))
      wrong.push(`event ${index + 1}: ${describe(got)}; expected ${wanted}`)
    }
  }
  return wrong
}
