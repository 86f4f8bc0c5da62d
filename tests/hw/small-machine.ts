/** A small machine for tests: RAM, CLINT and finisher, and a program in assembly that starts in M-mode. */
import { Clint } from '../../hw/devices/clint.ts'
import { Imsic } from '../../hw/devices/imsic.ts'
import { TestFinisher } from '../../hw/devices/test-finisher.ts'
import { evaluator } from '../../hw/hart/evaluator.ts'
import {
  build,
  type Board,
  type Machine,
  type MachineOptions,
  type RunOptions,
  type StopReason,
} from '../../hw/index.ts'
import { assemble } from '../../hw/spec/isa/assembler.ts'

export const RAM = 0x8000_0000
export const CLINT = 0x200_0000
export const FINISHER = 0x10_0000
export const IMSIC = 0x2800_0000
const RAM_BYTES = 2 ** 20
const CYCLES_PER_TICK = 100

export interface SmallOptions extends Partial<MachineOptions> {
  readonly harts?: number
  /** Gives hart 0 an IMSIC with so many guest files; the pages of the supervisor's and the guests' begin at {@link IMSIC}. */
  readonly guestFiles?: number
  /** Harts have fence.t. */
  readonly temporalFence?: boolean
  /** 1 MiB unless given. */
  readonly ramBytes?: number
}

export interface SmallMachine {
  readonly machine: Machine
  /** The doubleword at a symbol of the program, or `index` doublewords behind it. */
  readonly at: (symbol: string, index?: number) => bigint
  readonly run: (options?: RunOptions) => StopReason
}

/** Definitions that every program begins with: `pass` ends the run; `note REG` appends a register to `log` (s11 points there). */
const PRELUDE = `
  .macro pass
    li t6, ${FINISHER}
    li t5, 0x5555
    sw t5, 0(t6)
  .endm
  .macro note register
    sd \\register, 0(s11)
    addi s11, s11, 8
  .endm
`

/** Traps to M are noted (mcause, mtval) and skipped, if the program says `csrw mtvec, t0` after `la t0, noting`. */
const NOTING = `
  .balign 4
noting:
  csrr t5, mcause
  note t5
  csrr t5, mtval
  note t5
  csrr t5, mepc
  addi t5, t5, 4
  csrw mepc, t5
  li t5, 0x1800
  csrs mstatus, t5
  mret
`

export function smallMachine(
  source: string,
  { harts = 1, ramBytes = RAM_BYTES, executor, guestFiles, temporalFence = false, ...options }: SmallOptions = {},
): SmallMachine {
  const program = assemble(`${PRELUDE}\n la s11, log\n${source}\n pass\n${NOTING}\n .balign 8\nlog:\n .zero 2048\n`, {
    origin: RAM,
  })
  const board: Board = {
    name: 'small',
    harts,
    regions: [{ base: RAM, bytes: ramBytes, writable: true }],
    frequency: 1_000_000_000,
    cyclesPerTick: CYCLES_PER_TICK,
    resetVector: RAM,
    temporalFence,
    wire(wiring) {
      wiring.memory.write(RAM, program.bytes)
      const clint = new Clint(wiring.clock('clint'), wiring.harts)
      wiring.enroll('clint', clint)
      wiring.bus.attach('clint', CLINT, 0x1_0000, clint, 'core')
      wiring.bus.attach('finisher', FINISHER, 0x1000, new TestFinisher(({ how, code }) => wiring.stop(how, code)))
      if (guestFiles !== undefined) {
        const [{ meip, seip, guest }] = wiring.harts
        const guests = Array.from({ length: guestFiles }, (_, index) => guest(index + 1))
        const imsic = new Imsic({ machine: meip, supervisor: seip, guests })
        wiring.enroll('imsic', imsic)
        wiring.aia(0, imsic)
        for (let file = 0; file <= guestFiles; file++)
          wiring.bus.attach(`file ${file}`, IMSIC + file * 0x1000, 0x1000, imsic.page(file))
      }
      return clint
    },
  }
  const machine = build(board, { executor: executor ?? evaluator(), ...options })
  return {
    machine,
    at(symbol, index = 0) {
      const address = program.symbols.get(symbol)
      if (address === undefined) throw new Error(`the program has no symbol ${symbol}`)
      return machine.memory.view.getBigUint64(machine.memory.toHost(address) + index * 8, true)
    },
    run: (options = { maxInstructions: 100_000 }) => machine.run(options),
  }
}

/** Runs a program that ends in `pass`; the first `count` values that it noted. */
export function noted(source: string, count: number, options: SmallOptions = {}): readonly bigint[] {
  const { run, at, machine } = smallMachine(source, options)
  const stop = run()
  if (stop.kind !== 'stopped' || stop.reason !== 'pass') {
    throw new Error(`the program did not pass: ${JSON.stringify(stop)} at pc 0x${machine.registers(0).pc.toString(16)}`)
  }
  return Array.from({ length: count }, (_, index) => at('log', index))
}
