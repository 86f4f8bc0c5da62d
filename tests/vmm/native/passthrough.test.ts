/** Guests that drive the machine's devices themselves, and what keeps those devices from everybody else's memory. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { workloadNamed } from '../../../guests/index.ts'
import type { Dma } from '../../../hw/bus/chip.ts'
import type { VirtNic } from '../../../hw/boards/virt.ts'
import type { NvmeController } from '../../../hw/devices/nvme/nvme-controller.ts'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import type { Placements } from '../../../hw/spec/layouts/placement.ts'
import { nicOnStation } from '../../../lab/network.ts'
import { refusedRequests } from '../../../lab/refused-requests.ts'
import { buildSystem, type SystemGuest, type SystemOptions } from '../../../lab/system.ts'
import { dmaRegion, VMM_BASE, VMM_BYTES } from '../../../vmm/native/layout.ts'
import { ECHO, END } from '../assembly.ts'
import type { VmmRun } from '../machine.ts'
import { native, type TestGuest } from './machine.ts'

const MIB = 2 ** 20
const GUEST_RAM = 0x8000_0000
const BYTES = 16 * MIB
const RAM_BYTES = 96 * MIB
const LARGE_PAGE = 2 * MIB
const SECTORS = BYTES / 512
const PATIENCE = 200_000_000
const DISK = { first: 0, sectors: SECTORS }
const NETWORK = { mac: [2, 0, 0, 0, 0, 1], vlan: 0 }
/** The card is in slot 1, for these machines have no disk. */
const COMMAND = 0x3000_8004
const MEMORY_AND_MASTER = 6
/** Of the VMM's drivers' memory (vmm/native/layout.ts). */
const NIC_REGION = 4
const WAIT = '1: wfi\n j 1b'
const SPIN = '1: j 1b'

type Interrupts = Placements['disk']['interrupts']

/** The disk's or network's workload, unchanged. */
function scripted(name: 'disk' | 'network', more: Partial<SystemGuest> = {}): TestGuest {
  const workload = workloadNamed(name)!
  const program = workload.image()
  const own = name === 'disk' ? { disk: DISK } : { network: NETWORK }
  return { kernel: program.bytes, ...own, scripted: { software: workload.software!(), program }, ...more }
}

function passed(device: 'disk' | 'network', interrupts: Interrupts, more: Partial<SystemOptions> = {}) {
  return {
    iommu: true,
    placements: { [device]: { at: 'guest', interrupts } },
    disks: device === 'disk' ? [new MemoryBacking(SECTORS)] : [],
    nics: device === 'network' ? [nicOnStation()] : [],
    ...more,
  }
}

const faultsOf = (run: VmmRun) => run.system.dmaFaults!.record.faults

/** The same guest on the bare machine. */
function bareSystem(guest: TestGuest, options: ReturnType<typeof passed>): VmmRun['machine'] {
  const own = { label: 'bare', memoryBytes: BYTES, vcpus: 1, harts: [], weight: 256, cap: 0, bootargs: '' }
  return buildSystem({
    ...options,
    iommu: false,
    configuration: 'bare',
    harts: 1,
    ramBytes: 64 * MIB,
    guests: [{ ...own, ...guest, kernel: guest.kernel as Uint8Array }],
  }).machine
}

/** Runs to the workload's end; true if it came there. */
function ends(run: VmmRun): boolean {
  for (;;) {
    const stop = run.machine.run({ marks: true, untilCycle: PATIENCE })
    if (stop.kind !== 'mark') return false
    if (stop.mark === 'end') return true
  }
}

const DEVICES = ['disk', 'network'] as const
/** Boards with a PLIC, and with interrupt files. */
const BOARDS: readonly Pick<SystemOptions, 'aia'>[] = [{}, { aia: 'aplic-imsic' }]
const CASES = DEVICES.flatMap(device => BOARDS.map(board => ({ device, board, name: board.aia ?? 'PLIC' })))

describe('a guest drives', () => {
  test.each(CASES)('the $device, as on the bare board, with trapped interrupts ($name)', ({ device, board }) => {
    const run = native([scripted(device)], passed(device, 'trapped', board))
    expect(ends(run)).toBe(true)
    expect(faultsOf(run)).toBe(0)
  })
})

describe('a machine whose guests drive devices', () => {
  const SHARED = { aia: 'aplic-imsic' } as const
  const functions = () => ({
    ...SHARED,
    placements: { network: { at: 'function', interrupts: 'posted' } } as const,
    nics: [{ ...nicOnStation(), virtualFunctions: 7 }],
  })
  test.each([
    ['trapped', 'disk', () => passed('disk', 'trapped'), 28_000_000, 31_000_000],
    ['posted, on a shared hart', 'disk', () => passed('disk', 'posted', SHARED), 28_000_000, 33_000_000],
    ['of virtual functions', 'network', () => passed('network', 'posted', functions()), 129_000_000, 131_000_000],
  ] as const)('is saved and taken up in the midst: %s', (_how, device, options, middle, end) => {
    const make = () => native([scripted(device, { harts: [0] }), { kernel: SPIN, harts: [0] }], options()).machine
    const [whole, halting, restored] = [make(), make(), make()]
    whole.run({ untilCycle: end })
    halting.run({ untilCycle: middle })
    restored.restore(structuredClone(halting.save()))
    restored.run({ untilCycle: end })
    expect(restored.traceHash()).toBe(whole.traceHash())
    expect(restored.ledger(0)).toEqual(whole.ledger(0))
  })
})

describe('without interrupts', () => {
  test.each(DEVICES)('a guest polls the %s', device => {
    const run = native([scripted(device)], passed(device, 'polled'))
    expect(ends(run)).toBe(true)
    expect(faultsOf(run)).toBe(0)
  })
})

describe('interrupts that are posted', () => {
  test.each(DEVICES)('reach a guest that drives the %s at the speed of the bare board', device => {
    const board: Partial<SystemOptions> = { aia: 'aplic-imsic' }
    const run = native([scripted(device, { harts: [0] })], passed(device, 'posted', board))
    const span = (machine: VmmRun['machine']): number => {
      const at: number[] = []
      while (at.length < 2) {
        const stop = machine.run({ marks: true, untilCycle: PATIENCE })
        if (stop.kind !== 'mark') throw new Error(`no mark, but ${stop.kind} at cycle ${machine.now()}`)
        at.push(machine.now())
      }
      return at[1] - at[0]
    }
    const bare = bareSystem(scripted(device), passed(device, 'posted', { ...board, placements: {} }))
    expect(span(run.machine) / span(bare)).toBeLessThan(1.01)
    expect(faultsOf(run)).toBe(0)
  })

  test('wake a guest that waits while another has its hart', () => {
    const guests = [scripted('disk', { harts: [0] }), { kernel: SPIN, harts: [0] }]
    const run = native(guests, passed('disk', 'posted', { aia: 'aplic-imsic' }))
    expect(ends(run)).toBe(true)
  })

  test('are not shared: a vCPU that has no hart of its own, and one file too few, are refused', () => {
    const guest = { kernel: END, disk: DISK }
    const options = passed('disk', 'posted', { aia: 'aplic-imsic', guestFiles: 1 })
    expect(() => native([guest], options)).toThrow('give the guest harts')
    const two = [0, 1].map(() => ({ ...guest, harts: [0] }))
    expect(() => native(two, options)).toThrow('hart 0 has 1 guest interrupt files')
    expect(() => native([{ ...guest, harts: [0] }], passed('disk', 'posted'))).toThrow('this machine has none')
  })
})

describe('a virtual function', () => {
  const placements = { network: { at: 'function', interrupts: 'posted' } } as const
  const nics = [{ ...nicOnStation(), virtualFunctions: 7 }]

  test('is a guest’s network card, with the address that the guest was described with', () => {
    const guest = scripted('network', { harts: [0] })
    const run = native([guest], passed('network', 'posted', { aia: 'aplic-imsic', placements, nics }))
    expect(ends(run)).toBe(true)
    expect(faultsOf(run)).toBe(0)
  })

  test('is one of seven; one that is not there leaves its guest without', () => {
    const guest = (device: number) => ({ kernel: END, harts: [0], network: { ...NETWORK, device } })
    const options = passed('network', 'posted', { aia: 'aplic-imsic', placements, nics })
    expect(() => native([guest(7)], options)).toThrow('there are 7 (0 to 6)')
    const none = native([guest(0)], { ...options, nics: [nicOnStation()] })
    none.run(PATIENCE)
    expect(none.guests[0].record).toMatchObject({ ended: true, crashed: false })
  })

  test('has no wire', () => {
    const trapped = { network: { at: 'function', interrupts: 'trapped' } } as const
    const options = passed('network', 'posted', { aia: 'aplic-imsic', placements: trapped, nics })
    expect(() => native([{ kernel: END, network: NETWORK }], options)).toThrow('have them posted or polled')
  })
})

describe('behind an IOMMU', () => {
  test.each(CASES)('the VMM drives the $device as ever ($name)', ({ device, board }) => {
    const run = native([scripted(device)], passed(device, 'trapped', { ...board, placements: {} }))
    expect(ends(run)).toBe(true)
    expect(faultsOf(run)).toBe(0)
  })

  test('the VMM takes the UART’s interrupts by message', () => {
    const run = native([{ kernel: ECHO }], { aia: 'aplic-imsic' })
    run.run(50_000_000)
    run.send('HAL')
    run.run(5_000_000)
    expect(run.printed()).toBe('IBM')
  })
})

describe('refused', () => {
  test('a device with two owners', () => {
    const guests = [0, 0].map((device, index) => ({ kernel: END, label: `g${index}`, disk: { ...DISK, device } }))
    expect(() => native(guests, passed('disk', 'trapped'))).toThrow('disk 0 is driven by g0 and by g1')
  })

  test('a machine without an IOMMU', () => {
    const options = passed('disk', 'trapped', { iommu: false })
    expect(() => native([{ kernel: END, disk: DISK }], options)).toThrow('only behind an IOMMU')
  })
})

/** A network card whose requests to memory a test may make. */
function cardOf(dmas: Dma[]): VirtNic {
  const card = nicOnStation()
  return {
    connect(nic, ...rest) {
      card.connect!(nic, ...rest)
      dmas.push(nic.function.dma)
    },
  }
}

/** Writes what comes to the configuration space of the card, to its memory's windows and to its MSI-X table; then ends. */
const VANDAL = `
    la t0, skip
    csrw stvec, t0
    li s0, 88172645463325252
    li s1, 3000
1:  slli t0, s0, 13
    xor s0, s0, t0
    srli t0, s0, 7
    xor s0, s0, t0
    slli t0, s0, 17
    xor s0, s0, t0
    andi t1, s0, 0xfc
    li t2, 0x30008000
    add t1, t1, t2
    srli t3, s0, 20
    sw t3, 0(t1)
    li t1, 0x30008004
    li t3, 6
    sh t3, 0(t1)
    srli t1, s0, 30
    li t2, 0x1fffc
    and t1, t1, t2
    li t2, 0x40000000
    add t1, t1, t2
    sw s0, 0(t1)
    lw t3, 0(t1)
next:
    addi s1, s1, -1
    bnez s1, 1b
    ${END}
    .balign 4
skip:
    la t0, next
    csrw sepc, t0
    sret
`

/** All RAM above the VMM's own that is not the owner's. */
function strangersRam({ machine: { memory } }: VmmRun, owned: ReadonlySet<number>): Buffer {
  const pages: Uint8Array[] = []
  for (let page = VMM_BASE + VMM_BYTES; page < GUEST_RAM + RAM_BYTES; page += LARGE_PAGE) {
    const at = memory.toHost(page)
    if (!owned.has(page)) pages.push(memory.bytes.subarray(at, at + LARGE_PAGE))
  }
  return Buffer.concat(pages)
}

describe('requests of a device', () => {
  test.each(DEVICES)(
    '(%s) reach its guest’s RAM, all of it from the start, and nothing else; each refusal is counted',
    device => {
      const dmas: Dma[] = []
      const own = device === 'disk' ? { disk: DISK } : { network: NETWORK }
      const guests = [
        { kernel: WAIT, ...own },
        { kernel: WAIT, memoryBytes: BYTES },
      ]
      const parts =
        device === 'disk'
          ? { plugged: (disk: NvmeController) => void dmas.push(disk.function.dma) }
          : { nics: [cardOf(dmas)] }
      const run = native(guests, passed(device, 'trapped', { ...parts, ramBytes: RAM_BYTES }))
      run.run(40_000_000, () => false)
      // Its guest has not switched it on.
      expect(dmas[0].read(GUEST_RAM, new Uint8Array(8))).toBe(false)
      const owned = new Set(run.guests[0].ram.pages)
      expect(owned.size).toBe(BYTES / LARGE_PAGE)
      run.machine.bus.write(COMMAND, 2, MEMORY_AND_MASTER)
      const strangers = () => strangersRam(run, owned)
      const before = strangers()
      let refused = 0
      fc.assert(
        fc.property(
          fc.integer({ min: -4 * MIB, max: 20 * MIB }),
          fc.integer({ min: 1, max: 8192 }),
          (offset, length) => {
            const isWrite = (offset & 1) === 0
            const bytes = new Uint8Array(length).fill(0x5a)
            const done = isWrite ? dmas[0].write(GUEST_RAM + offset, bytes) : dmas[0].read(GUEST_RAM + offset, bytes)
            if (!done) refused++
            expect(done).toBe(offset >= 0 && offset + length <= BYTES)
            // What was not given is not seen either.
            if (!done) expect(bytes.every(byte => byte === 0x5a)).toBe(true)
            run.run(1000, () => false)
          },
        ),
        { numRuns: 200 },
      )
      expect(Buffer.compare(strangers(), before)).toBe(0)
      run.run(1_000_000, () => false)
      expect(faultsOf(run)).toBe(refused)
      expect(refused).toBeGreaterThan(5)
    },
  )

  test('of whichever is on the board, mapped or not, touch nobody who does not own it, and each refusal is counted', () => {
    const dmas = new Map<number, Dma>()
    const masters = (requester: number, memory: Dma): Dma => {
      dmas.set(requester, memory)
      return memory
    }
    const placements = { network: { at: 'function', interrupts: 'posted' } } as const
    const nics = [{ ...nicOnStation(), virtualFunctions: 7 }]
    const disks = [new MemoryBacking(SECTORS)]
    const guests = [
      { kernel: WAIT, network: NETWORK, harts: [0] },
      { kernel: WAIT, memoryBytes: BYTES, harts: [0] },
    ]
    const options = { aia: 'aplic-imsic', placements, nics, disks, masters, ramBytes: RAM_BYTES } as const
    const run = native(guests, passed('network', 'posted', options))
    run.run(PATIENCE, () => false)
    // The disk, the card, and seven functions of which a guest has the first: under every id by which they may sign.
    expect(dmas.size).toBeGreaterThan(8)
    const owned = new Set(run.guests[0].ram.pages)
    const before = strangersRam(run, owned)
    const seen = faultsOf(run)
    const done = { true: 0, false: 0 }
    const address = fc.integer({ min: 0, max: GUEST_RAM + RAM_BYTES + 64 * MIB })
    const inRam = fc.integer({ min: GUEST_RAM, max: GUEST_RAM + BYTES - 1 })
    fc.assert(
      fc.property(fc.constantFrom(...dmas.values()), fc.oneof(address, inRam), fc.nat(8191), (dma, at, more) => {
        done[`${dma.write(at, new Uint8Array(1 + more).fill(0x5a))}`]++
        run.run(1000, () => false)
      }),
      { numRuns: 800 },
    )
    expect(Buffer.compare(strangersRam(run, owned), before)).toBe(0)
    run.run(1_000_000, () => false)
    expect(faultsOf(run) - seen).toBe(done.false)
    expect(Math.min(done.true, done.false)).toBeGreaterThan(5)
  })

  test('reach nothing once their guest is over', () => {
    const dmas: Dma[] = []
    const run = native(
      [{ kernel: END, network: NETWORK }, { kernel: WAIT }],
      passed('network', 'trapped', { nics: [cardOf(dmas)] }),
    )
    run.run(60_000_000, () => run.guests[0].record.ended)
    expect(run.guests[0].record.ended).toBe(true)
    run.machine.bus.write(COMMAND, 2, MEMORY_AND_MASTER)
    expect(dmas[0].write(GUEST_RAM, new Uint8Array(8))).toBe(false)
    run.run(1_000_000, () => false)
    expect(faultsOf(run)).toBe(1)
    expect(refusedRequests(run.system)).toContain('the last: a write of 0x80000000 by 00:01.0')
  })

  test('and of its guest harm nobody, whatever the guest does to it', () => {
    for (const interrupts of ['trapped', 'posted'] as const) {
      const guests = [
        { kernel: VANDAL, network: NETWORK, harts: [0] },
        { kernel: WAIT, harts: [0] },
      ]
      const options = passed('network', interrupts, { aia: 'aplic-imsic', ramBytes: RAM_BYTES })
      const run = native(guests, options)
      run.run(30_000_000, () => run.guests[0].ram.pages.every(page => page !== 0))
      const owned = new Set(run.guests[0].ram.pages)
      // The other guest's tree is still to be written.
      run.run(1_000_000, () => run.guests[1].ram.pages.some(page => page !== 0))
      run.run(100_000, () => false)
      const before = strangersRam(run, owned)
      run.run(PATIENCE, () => run.guests[0].record.ended)
      expect(run.guests.map(({ record }) => record.crashed)).toEqual([false, false])
      expect(run.guests[0].record.ended).toBe(true)
      expect(run.machine.ledger(0).some(({ cause }) => cause === 'store pcie-ecam')).toBe(true)
      expect(Buffer.compare(strangersRam(run, owned), before)).toBe(0)
    }
  })

  test('of the VMM’s own card reach its driver’s memory, and no guest’s', () => {
    const dmas: Dma[] = []
    const run = native(
      [{ kernel: WAIT, network: NETWORK }],
      passed('network', 'trapped', { placements: {}, nics: [cardOf(dmas)], ramBytes: RAM_BYTES }),
    )
    run.run(60_000_000, () => false)
    const reached: number[] = []
    for (let at = GUEST_RAM; at < GUEST_RAM + RAM_BYTES; at += 64 * 1024) {
      if (dmas[0].read(at, new Uint8Array(8))) reached.push(at)
      run.run(1000, () => false)
    }
    const { base, bytes } = dmaRegion(NIC_REGION)
    expect(reached.every(at => at >= base && at < base + bytes)).toBe(true)
    expect(reached.length).toBe(bytes / (64 * 1024))
    run.run(1_000_000, () => false)
    expect(faultsOf(run)).toBe(RAM_BYTES / (64 * 1024) - reached.length)
  })
})
