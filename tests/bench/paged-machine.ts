import { virt } from '../../hw/boards/virt.ts'
import { build, type ExecutorFactory, type Machine, type Prices, rocketFlat } from '../../hw/index.ts'
import { assemble } from '../../hw/spec/isa/assembler.ts'
import { tier0 } from '../../hw/translate/tier0.ts'

const RAM = 0x8000_0000
const RAM_BYTES = 64 << 20
/** Where S-mode sees RAM. */
const VIRTUAL = 0x10_0000_0000
const CODE = 0x1_0000
const TABLES = 0x10_0000
const DATA = 0x100_0000
const STACK = 0x3f0_0000
const PAGE = 4096
/** PTE bits: V, R, W, X, A, D. */
const POINTER = 0x01n
const LEAF = 0xcfn

/** A machine that runs `source` in S-mode behind Sv39, all of RAM in 4 KiB pages. DATA and STACK are addresses for it. */
export function pagedMachine(
  source: string,
  executor: ExecutorFactory = tier0(),
  prices: Prices = rocketFlat,
): Machine {
  const start = assemble(
    `
      li t0, -1
      csrw pmpaddr0, t0
      li t0, 31
      csrw pmpcfg0, t0
      lla t0, trap
      csrw mtvec, t0
      li t0, ${(8n << 60n) | BigInt((RAM + TABLES) / PAGE)}
      csrw satp, t0
      li t0, ${0x800 | 0x6000}
      csrs mstatus, t0
      li t0, ${VIRTUAL + CODE}
      csrw mepc, t0
      mret
      .balign 4
    trap:
      csrw mscratch, t0
      csrr t0, mcause
      addi t0, t0, -9
      bnez t0, dead
      csrr t0, mepc
      addi t0, t0, 4
      csrw mepc, t0
      csrr t0, mscratch
      mret
    dead: j dead`,
    { origin: RAM },
  )
  const program = assemble(`.equ DATA, ${VIRTUAL + DATA}\n.equ STACK, ${VIRTUAL + STACK}\n${source}`, {
    origin: VIRTUAL + CODE,
  })
  const machine = build(virt({ bios: 'none', kernel: start.bytes, ramBytes: RAM_BYTES }), { executor, prices })
  machine.memory.write(RAM + CODE, program.bytes)
  machine.memory.write(RAM + TABLES, tables())
  return machine
}

/** Root, one table of level 1, and as many of level 0 as RAM needs, in this order. */
function tables(): Uint8Array {
  const pages = RAM_BYTES / PAGE
  const leafTables = pages / 512
  const entries = new BigUint64Array((2 + leafTables) * 512)
  const pte = (address: number, bits: bigint): bigint => (BigInt(address / PAGE) << 10n) | bits
  const table = (index: number): number => RAM + TABLES + index * PAGE
  entries[VIRTUAL / 2 ** 30] = pte(table(1), POINTER)
  for (let index = 0; index < leafTables; index++) entries[512 + index] = pte(table(2 + index), POINTER)
  for (let page = 0; page < pages; page++) entries[1024 + page] = pte(RAM + page * PAGE, LEAF)
  return new Uint8Array(entries.buffer)
}
