/** Guests that mean harm: whatever they do, the VMM's entries stay short, the others are untouched, and they themselves get what a bare machine would give them. */
import { describe, expect, test } from 'vitest'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import { nicOnStation } from '../../../lab/network.ts'
import { END, print } from '../assembly.ts'
import { native, type TestGuest } from './machine.ts'

/** Goes on behind any instruction that faults. */
const SURVIVE = `
    la t0, vector
    csrw stvec, t0
    j main
    .balign 4
vector:
    csrr t6, sepc
    addi t6, t6, 4
    csrw sepc, t6
    sret
main:
`
const LOADS = ['lb', 'lh', 'lw', 'ld', 'lbu', 'lhu', 'lwu']
const STORES = ['sb', 'sh', 'sw', 'sd']

/** Every width at every offset of a window; what is stored is the offset, mixed. */
function prod(base: number, bytes: number, stores: boolean): string {
  return `
    li s0, ${base}
    li s1, ${base + bytes}
1:  slli t0, s0, 3
    xor t0, t0, s2
    ${LOADS.map(load => `${load} t1, 0(s0)`).join('\n')}
    ${stores ? STORES.map(store => `${store} t0, 0(s0)`).join('\n') : ''}
    addi s0, s0, 1
    addi s2, s2, 7
    bltu s0, s1, 1b
`
}

const innocent: TestGuest = {
  harts: [1],
  kernel: `
    li t0, 0x80600000
    li t1, 0x5eed
    sd t1, 0(t0)
    li t2, 20000000
1:  addi t2, t2, -1
    bnez t2, 1b
    ld t3, 0(t0)
    bne t3, t1, bad
    ${END}
bad:
    unimp`,
}

describe('a hostile guest', () => {
  test('may read and write its devices at every offset, by every width', () => {
    const disk = new MemoryBacking(8192)
    const run = native(
      [
        {
          harts: [0],
          disk: { first: 0, sectors: 4096 },
          network: { mac: [0x52, 0x54, 0, 0, 0, 1], vlan: 0 },
          kernel: `
    ${SURVIVE}
    ${prod(0x1000_1000, 0x210, true)}
    ${prod(0x1000_2000, 0x210, true)}
    ${prod(0x1000_3000, 0x120, true)}
    ${prod(0xc00_0000, 0x90, true)}
    ${prod(0xc00_1000, 0x10, true)}
    ${prod(0xc00_2000, 0x110, true)}
    ${prod(0xc20_0000, 0x10, true)}
    ${prod(0xc20_1000, 0x10, true)}
    ${prod(0xc5f_ffe0, 0x40, true)}
    ${prod(0x1000_00f0, 0x20, true)}
    ${prod(0x10_0000, 0x20, false)}
    ${prod(0x1000_0000, 8, false)}
    li t0, 0x10000000
    sb zero, 3(t0)
    sb zero, 4(t0)
    ${print('alive')}
    ${END}`,
        },
        innocent,
      ],
      { harts: 2, disks: [disk], nics: [nicOnStation()] },
    )
    run.run(400_000_000)
    expect(run.printed()).toContain('alive')
    expect(run.guests.map(({ record: { ended, crashed, exitCode } }) => [ended, crashed, exitCode])).toEqual([
      [true, false, 0],
      [true, false, 0],
    ])
  })

  test('may call the SBI with anything', () => {
    const extensions = [
      0x10, 0x54494d45, 0x735049, 0x52464e43, 0x48534d, 0x4442434e, 0, 1, 2, 4, 5, 6, 7, 0x7fffffff, -1,
    ]
    const values = ['0', '1', '-1', '0x80000000', '0x7fffffffffffffff', '0x8000000080200000']
    const run = native(
      [
        {
          harts: [0],
          vcpus: 1,
          kernel: `
    ${SURVIVE}
    la s0, extensions
1:  ld s1, 0(s0)
    li t0, -2
    beq s1, t0, done
    li s2, 0
2:  la s3, values
3:  ld s4, 0(s3)
    li t0, -2
    beq s4, t0, 5f
    # HSM's stop is no harm, but the end of the test.
    li t0, 0x48534d
    bne s1, t0, 4f
    li t0, 1
    beq s2, t0, 5f
    li t0, 3
    beq s2, t0, 5f
4:  mv a0, s4
    mv a1, s4
    mv a2, s4
    mv a3, s4
    mv a4, s4
    mv a6, s2
    mv a7, s1
    ecall
    addi s3, s3, 8
    j 3b
5:  addi s2, s2, 1
    li t0, 10
    bltu s2, t0, 2b
    addi s0, s0, 8
    j 1b
done:
    ${print('alive')}
    ${END}
    .balign 8
extensions: .dword ${extensions.join(', ')}, -2
values: .dword ${values.join(', ')}, -2`,
        },
        innocent,
      ],
      { harts: 2 },
    )
    run.run(400_000_000)
    expect(run.printed()).toContain('alive')
    expect(run.guests.map(({ record: { ended, crashed, exitCode } }) => [ended, crashed, exitCode])).toEqual([
      [true, false, 0],
      [true, false, 0],
    ])
  })
})
