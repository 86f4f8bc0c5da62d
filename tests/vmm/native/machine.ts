/** A machine with the native VMM and guests given as assembly, for tests. */
import { virt } from '../../../hw/boards/virt.ts'
import { build, type Machine, type StopReason } from '../../../hw/index.ts'
import { assemble } from '../../../hw/spec/isa/assembler.ts'
import { fdtNode } from '../../../hw/spec/layouts/fdt.ts'
import { type GuestNode, guestNode } from '../../../hw/spec/layouts/guest-node.ts'
import { Tier0 } from '../../../hw/translate/tier0.ts'
import { createNativeVmm, NATIVE_PARTIES, nativeImage } from '../../../vmm/native/index.ts'

const MIB = 2 ** 20
const FIRST_IMAGE = 0x8400_0000

export interface TestGuest extends Partial<Omit<GuestNode, 'kernel' | 'initrd'>> {
  /** Assembly text, or a kernel's bytes. */
  readonly kernel: string | Uint8Array
  readonly initrd?: Uint8Array
}

export interface NativeRun {
  readonly machine: Machine
  printed(): string
  send(text: string): void
  run(cycles: number, until?: () => boolean): StopReason
}

export function native(guests: readonly TestGuest[], options: { readonly harts?: number; readonly ramBytes?: number } = {}): NativeRun {
  let at = FIRST_IMAGE
  const place = (bytes: Uint8Array) => {
    const address = at
    at += Math.ceil(bytes.length / (2 * MIB)) * 2 * MIB
    return { address, bytes }
  }
  const modules: { address: number; bytes: Uint8Array }[] = []
  const nodes = guests.map((guest, index) => {
    const kernel = place(typeof guest.kernel === 'string' ? assemble(guest.kernel, { origin: 0x8020_0000 }).bytes : guest.kernel)
    const initrd = guest.initrd && place(guest.initrd)
    modules.push(kernel, ...(initrd ? [initrd] : []))
    return guestNode(index, {
      label: `guest${index}`, memoryBytes: 16 * MIB, vcpus: 1, harts: [], weight: 256, cap: 0, bootargs: '', ...guest,
      kernel: { address: kernel.address, bytes: kernel.bytes.length },
      ...(initrd && { initrd: { address: initrd.address, bytes: initrd.bytes.length } }),
    } as GuestNode)
  })
  const output: number[] = []
  const image = nativeImage()
  const board = virt({
    ramBytes: 256 * MIB, ...options, kernel: image.bytes, modules, chosen: [fdtNode('guests', {}, nodes)],
    output: bytes => void output.push(...bytes),
  })
  const machine = build(board, { executor: (memory, hart, index) => new Tier0(memory, hart, index), parties: NATIVE_PARTIES })
  for (const { software, program } of createNativeVmm(board.deviceTree()).images) machine.software.install(software, program)
  return {
    machine,
    printed: () => String.fromCharCode(...output),
    send: text => board.receive(Uint8Array.from(text, character => character.charCodeAt(0))),
    run: (cycles, until) => machine.run({ untilCycle: machine.now() + cycles, ...(until && { until }) }),
  }
}
