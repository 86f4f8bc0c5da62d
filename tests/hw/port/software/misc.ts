/** Entries that do one thing each. */
import type { Csr } from '../../../../hw/spec/csr.ts'
import type { HartPort, Software } from '../../../../hw/port.ts'

export interface MiscAddresses {
  readonly result: number
  readonly after: number
  readonly source: number
  readonly target: number
}

const NOWHERE = 0x1000_0000

export function misc({ result, after, source, target }: MiscAddresses, counter: Csr): Software {
  const state = { loops: 0 }

  /** A load from where nothing is: whoever handles the fault answers. */
  function loadNowhere(port: HartPort): void {
    port.store64(result, port.load32(NOWHERE) + 1)
    port.jump(after)
  }

  function storeNowhere(port: HartPort): void {
    port.store16(NOWHERE + 2, 0x1234)
    port.store64(result, 7)
    port.jump(after)
  }

  /** Computes for as many turns as a0 says, between two looks at the counter. */
  function compute(port: HartPort): void {
    const turns = port.x(10)
    const begun = port.read(counter)
    let sum = 0
    for (let i = 0; i < turns; i++) sum += i
    const ended = port.read(counter)
    port.store64(result, ended - begun)
    port.store64(result + 8, sum)
    port.jump(after)
  }

  function forever(port: HartPort): void {
    for (;;) state.loops = port.load32(result)
  }

  function move(port: HartPort): void {
    const begun = port.read(counter)
    port.copy(target, source, port.x(10))
    const copied = port.read(counter)
    port.fill(target + 1024, 0xab, port.x(10))
    port.store64(result, copied - begun)
    port.store64(result + 8, port.read(counter) - copied)
    port.jump(after)
  }

  /** Ends without saying how the hart goes on. */
  function endless(port: HartPort): void {
    port.load32(result)
  }

  /** Addresses of the upper half of an address space, to be computed with. */
  function signed(port: HartPort): void {
    port.store64(source, -0x40_0000_0000)
    port.store64(result, port.load64Signed(source) + 4)
    port.setX(11, port.load64(source) === port.load64Signed(source) ? 1 : 0)
    port.jump(after)
  }

  return {
    name: 'misc',
    entries: [loadNowhere, storeNowhere, compute, forever, move, endless, signed],
    state: { state },
  }
}
