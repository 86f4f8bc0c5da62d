/** A guest that is observed and its neighbour, on two harts; and what the observed ones have in common. */
import { WINDOW } from '../../guests/paging.ts'
import type { Machine } from '../../hw/index.ts'
import { buildSystem, type Configuration } from '../../lab/system.ts'
import type { VirtualMachine } from '../../vmm/core/virtual-machine.ts'

const MIB = 2 ** 20

export interface TwoGuests {
  readonly machine: Machine
  readonly guests: readonly VirtualMachine[]
  /** What the first one has printed: the two take turns on the serial line, so it may have come in pieces. */
  printed(): string
}

/** The names lead on the console; harts are where each is pinned. */
export function twoGuests(
  configuration: Configuration,
  first: { readonly label: string; readonly kernel: Uint8Array; readonly hart: number },
  neighbour: Uint8Array,
): TwoGuests {
  const output: number[] = []
  const { machine, guests } = buildSystem({
    configuration,
    harts: 2,
    ramBytes: 128 * MIB,
    guests: [first, { label: 'neighbour', kernel: neighbour, hart: 0 }].map(({ label, kernel, hart }) => ({
      label,
      kernel,
      memoryBytes: 32 * MIB,
      vcpus: 1,
      harts: [hart],
      weight: 256,
      cap: 0,
      bootargs: '',
    })),
    output: bytes => void output.push(...bytes),
  })
  const lead = `[${first.label}] `
  const printed = () =>
    String.fromCharCode(...output)
      .split('\n')
      .filter(line => line.startsWith(lead))
      .map(line => line.slice(lead.length).trimEnd())
      .join('')
  return { machine, guests, printed }
}

/** Walks so many times over a megabyte of 4 KiB pages, reading and writing; s1 is what comes of it. Changes s0 to s3, t0 and t1. */
export function sweep(times: number): string {
  return `
    li s3, ${times}
sweeps:
    li s0, ${WINDOW}
    li s2, 256
1:  slli t0, s1, 13
    xor s1, s1, t0
    srli t0, s1, 7
    xor s1, s1, t0
    ld t1, 0(s0)
    add s1, s1, t1
    sd s1, 0(s0)
    li t0, 4096
    add s0, s0, t0
    addi s2, s2, -1
    bnez s2, 1b
    addi s3, s3, -1
    bnez s3, sweeps
`
}
