import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BENCHMARKS, bootargsFor, microImage, numberOf } from '../../guests/micro/index.ts'
import { virt } from '../../hw/boards/virt.ts'
import { assemble } from '../../hw/spec/isa/assembler.ts'
import { buildMachine } from '../../lab/machine.ts'
import type { Configuration } from '../../lab/study/configurations.ts'
import { type MicroRun, microLines, runMicroGuests } from '../../lab/study/micro-machine.ts'
import { missingTools } from '../conformance/tools.ts'

const QEMU = 'qemu-system-riscv64'
const noQemu = missingTools(QEMU)
const CYCLES_PER_TICK = 100
const PAYLOAD = 0x8020_0000
const ALONE = [{ label: 'micro', bootargs: '', vcpus: 2 }]
/** Spans that end on the hart on which they began, and concern no other. */
const ONE_HART = [
  'null-hypercall',
  'stage2-fault',
  'mmio-kernel',
  'mmio-user',
  'irqchip-access',
  'syscall',
  'page-fault',
]

const pair = (name: string, neighbour: string) => [
  { label: 'micro', bootargs: bootargsFor([name]), vcpus: 1 },
  { label: 'other', bootargs: `micro=${neighbour}`, vcpus: 1 },
]

/** Each span's two readings of the timer are off by less than a tick; a few instructions lie between them and the marks. */
function expectAgreement({ lines, spans }: MicroRun): void {
  let compared = 0
  for (const line of lines) {
    if ('absent' in line) continue
    const of = spans.find(({ number }) => number === numberOf(line.name))!
    expect(of.strays, line.name).toBe(0)
    expect(Math.abs(line.ticks * CYCLES_PER_TICK - of.cycles), line.name).toBeLessThan(
      of.spans * (CYCLES_PER_TICK + 10),
    )
    compared++
  }
  expect(compared).toBeGreaterThan(0)
}

describe('the micro guest', () => {
  test.each<[Configuration, readonly string[]]>([
    ['bare', ['mmio-kernel', 'vm-switch', 'io-out', 'io-in', 'timer-latency-noisy']],
    ['native', ['vm-switch', 'timer-latency-noisy']],
    ['hosted', ['vm-switch', 'timer-latency-noisy']],
  ])(
    '%s: it says a line about each benchmark, and its timer agrees with the machine',
    async (configuration, missing) => {
      const run = await runMicroGuests(configuration, ALONE, {})
      expect(run.lines.map(({ name }) => name)).toEqual(BENCHMARKS.map(({ name }) => name))
      expect(run.lines.filter(line => 'absent' in line).map(({ name }) => name)).toEqual(missing)
      expectAgreement(run)
      for (const name of ONE_HART) {
        const of = run.spans.find(({ number }) => number === numberOf(name))
        if (!of) continue
        const rows = of.ledger.filter(({ hart }) => hart === 0)
        expect(
          rows.reduce((sum, { cycles }) => sum + cycles, 0),
          name,
        ).toBe(of.cycles)
      }
    },
  )

  test.each<[Configuration, string, string]>([
    ['native', 'vm-switch', 'waker'],
    ['hosted', 'vm-switch', 'waker'],
    ['native', 'timer-latency-noisy', 'noise'],
    ['hosted', 'timer-latency-noisy', 'noise'],
  ])('%s: %s with a neighbour that is the %s', async (configuration, name, neighbour) => {
    const run = await runMicroGuests(configuration, pair(name, neighbour), {})
    expect(run.lines.map(line => line.name)).toEqual([name])
    expectAgreement(run)
    const [of] = run.spans
    expect(of?.ledger.reduce((sum, { cycles }) => sum + cycles, 0)).toBe(of?.cycles)
  })

  test('two runs with a seed are the same, with another seed they are not', async () => {
    const guests = pair('timer-latency-noisy', 'noise')
    const first = await runMicroGuests('native', guests, { seed: 5 })
    expect((await runMicroGuests('native', guests, { seed: 5 })).traceHash).toBe(first.traceHash)
    const other = await runMicroGuests('native', guests, { seed: 6 })
    expect(other.traceHash).not.toBe(first.traceHash)
    expect(other.configurationHash).toBe(first.configurationHash)
  })

  test('runs wherever it lies', () => {
    const at = 0x8734_5000
    let text = ''
    const board = virt({
      harts: 2,
      ramBytes: 0x1000_0000,
      kernel: assemble(`li t0, ${at}\njr t0`, { origin: PAYLOAD }).bytes,
      modules: [{ address: at, bytes: microImage().bytes }],
      output: bytes => {
        text += new TextDecoder().decode(bytes)
      },
    })
    const stop = buildMachine(board).run({ untilCycle: 200_000_000 })
    expect(stop).toMatchObject({ kind: 'stopped', code: 0 })
    const measured = microLines(text).filter(line => !('absent' in line))
    expect(measured).toHaveLength(12)
  })
})

describe.skipIf(noQemu.length > 0)(`on QEMU's board (missing: ${noQemu.join(', ') || 'nothing'})`, () => {
  test.each(['true', 'false'])("runs with QEMU's devices and OpenSBI (legacy virtio: %s)", legacy => {
    const folder = mkdtempSync(join(tmpdir(), 'barehart-'))
    try {
      const [kernel, disk] = [join(folder, 'kernel'), join(folder, 'disk')]
      writeFileSync(kernel, microImage().bytes)
      writeFileSync(disk, new Uint8Array(2 ** 20))
      const machine = ['-M', 'virt', '-smp', '2', '-m', '160M', '-display', 'none', '-monitor', 'none']
      const block = ['-global', `virtio-mmio.force-legacy=${legacy}`, '-device', 'virtio-blk-device,drive=d']
      const drive = ['-drive', `file=${disk},if=none,id=d,format=raw`]
      const { stdout } = spawnSync(QEMU, [...machine, '-serial', 'stdio', '-kernel', kernel, ...drive, ...block], {
        timeout: 60_000,
        killSignal: 'SIGKILL',
        encoding: 'utf8',
      })
      expect(stdout).toContain('micro done')
      const lines = microLines(stdout)
      expect(lines.filter(line => 'absent' in line).map(({ name }) => name)).toEqual([
        'vm-switch',
        'timer-latency-noisy',
      ])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
