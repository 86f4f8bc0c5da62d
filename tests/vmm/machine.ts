/** A machine with a VMM and guests given as assembly, for tests. */
import type { Backing } from '../../hw/devices/disk-backing.ts'
import type { VirtNic } from '../../hw/boards/virt.ts'
import type { Machine, StopReason } from '../../hw/index.ts'
import type { Prices } from '../../hw/index.ts'
import type { HostPolicy } from '../../hw/spec/layouts/host-policy.ts'
import type { TimeProtection } from '../../hw/spec/layouts/time-protection.ts'
import { assemble } from '../../hw/spec/isa/assembler.ts'
import { buildSystem, type System, type SystemGuest, type SystemOptions } from '../../lab/system.ts'

const MIB = 2 ** 20

export interface TestGuest extends Partial<Omit<SystemGuest, 'kernel'>> {
  /** Assembly text, or a kernel's bytes. */
  readonly kernel: string | Uint8Array
}

export interface VmmOptions extends Pick<SystemOptions, 'aia' | 'guestFiles' | 'iommu' | 'placements'> {
  readonly harts?: number
  readonly ramBytes?: number
  readonly disks?: readonly Backing[]
  readonly nics?: readonly VirtNic[]
  readonly hostPolicy?: Partial<HostPolicy>
  readonly prices?: Prices
  readonly timeProtection?: TimeProtection
}

export interface VmmRun {
  readonly machine: Machine
  readonly guests: System['guests']
  readonly system: System
  printed(): string
  send(text: string): void
  /** Runs for so many cycles, or until `until`, or until all guests have ended. */
  run(cycles: number, until?: () => boolean): StopReason
}

export function hypervised(
  configuration: 'native' | 'hosted',
  guests: readonly TestGuest[],
  options: VmmOptions = {},
): VmmRun {
  const output: number[] = []
  const system = buildSystem({
    configuration,
    harts: 1,
    ramBytes: 128 * MIB,
    ...options,
    guests: guests.map((guest, index) => ({
      label: `guest${index}`,
      memoryBytes: 16 * MIB,
      vcpus: 1,
      harts: [],
      weight: 256,
      cap: 0,
      bootargs: '',
      ...guest,
      kernel: typeof guest.kernel === 'string' ? assemble(guest.kernel, { origin: 0x8020_0000 }).bytes : guest.kernel,
    })),
    output: bytes => void output.push(...bytes),
  })
  const { machine, board } = system
  return {
    machine,
    system,
    guests: system.guests,
    printed: () => String.fromCharCode(...output),
    send: text => board.receive(Uint8Array.from(text, character => character.charCodeAt(0))),
    run: (cycles, until = () => system.guests.every(({ record }) => record.ended)) =>
      machine.run({ untilCycle: machine.now() + cycles, until }),
  }
}
