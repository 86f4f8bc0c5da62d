/** A small machine on which TypeScript software runs beside a program in assembly. */
import { Clint } from '../../../hw/devices/clint.ts'
import { TestFinisher } from '../../../hw/devices/test-finisher.ts'
import { evaluator } from '../../../hw/hart/evaluator.ts'
import { build, type Machine, type MachineOptions, type RunOptions } from '../../../hw/index.ts'
import type { Software } from '../../../hw/port.ts'
import { assemble } from '../../../hw/spec/isa/assembler.ts'
import { PORT_STUBS } from '../../../hw/spec/port-stubs.ts'
import { CLINT, CYCLES_PER_TICK, FINISHER, RAM } from './software/addresses.ts'

const RAM_BYTES = 2 ** 20

export const SYMBOLS = { CLINT, FINISHER, MSIP: CLINT, MTIMECMP: CLINT + 0x4000, MTIME: CLINT + 0xbff8 }

/** Saves and restores all registers around a handler in assembly; `frame` must be reserved. Uses mscratch. */
export const SAVE_ALL = `
  .macro save_all
    csrw mscratch, t0
    la t0, frame
    ${Array.from({ length: 31 }, (_, i) => (i + 1 === 5 ? '' : `sd x${i + 1}, ${(i + 1) * 8}(t0)`)).join('\n')}
    csrr t1, mscratch
    sd t1, 40(t0)
  .endm
  .macro restore_all
    la t0, frame
    ${Array.from({ length: 31 }, (_, i) => (i + 1 === 5 ? '' : `ld x${i + 1}, ${(i + 1) * 8}(t0)`)).join('\n')}
    ld t0, 40(t0)
  .endm
`

export interface TestBed {
  readonly machine: Machine
  /** The address of a symbol. */
  readonly address: (symbol: string) => number
  /** The doubleword at a symbol, `index` doublewords behind it. */
  readonly at: (symbol: string, index?: number) => number
  readonly run: (options?: RunOptions) => ReturnType<Machine['run']>
}

/** `make` gets the addresses of the program's symbols; its entries must be in the order in which the program enters them. */
export function testBed(
  source: string,
  make: (address: (symbol: string) => number) => Software,
  harts = 1,
  slice?: number,
  options: Partial<MachineOptions> = {},
): TestBed {
  const program = assemble(`${source}\n.balign 8\nframe: .zero 256\n${PORT_STUBS}`, { origin: RAM, symbols: SYMBOLS })
  const machine = build(
    {
      name: 'port test bed',
      harts,
      regions: [{ base: RAM, bytes: RAM_BYTES, writable: true }],
      frequency: 1_000_000_000,
      cyclesPerTick: CYCLES_PER_TICK,
      resetVector: RAM,
      wire(wiring) {
        wiring.memory.write(RAM, program.bytes)
        const clint = new Clint(wiring.clock('clint'), wiring.harts)
        wiring.enroll('clint', clint)
        wiring.bus.attach('clint', CLINT, 0x1_0000, clint, 'core')
        wiring.bus.attach('finisher', FINISHER, 0x1000, new TestFinisher(({ how, code }) => wiring.stop(how, code)))
        return clint
      },
    },
    { executor: evaluator(), ...(slice === undefined ? {} : { slice }), ...options },
  )
  const address = (symbol: string): number => {
    const found = program.symbols.get(symbol)
    if (found === undefined) throw new Error(`the program has no symbol ${symbol}`)
    return found
  }
  machine.software.install(make(address), program)
  return {
    machine,
    address,
    at: (symbol, index = 0) =>
      Number(machine.memory.view.getBigUint64(machine.memory.toHost(address(symbol)) + index * 8, true)),
    run: (options = { maxInstructions: 200_000 }) => machine.run(options),
  }
}
