import { describe, expect, test } from 'vitest'
import { ALL_WORKLOADS, WORKLOADS, workloadNamed } from '../../guests/index.ts'
import { BLOCK_BYTES, stamp } from '../../guests/workloads/disk-stamps.ts'
import { MemoryBacking, SECTOR_BYTES } from '../../hw/devices/disk-backing.ts'
import { measure } from '../../lab/study/measure.ts'
import { buildSystem, type Configuration } from '../../lab/system.ts'

const MIB = 2 ** 20
const variants = ALL_WORKLOADS.filter(workload => !WORKLOADS.includes(workload))

test('names are unique, and each workload that counts operations says of what', () => {
  expect(new Set(ALL_WORKLOADS.map(({ name }) => name)).size).toBe(ALL_WORKLOADS.length)
  for (const { operations, unit } of ALL_WORKLOADS) {
    expect(operations === undefined).toBe(unit === undefined)
    if (unit !== undefined) expect(unit).toMatch(/^cycles per /)
  }
})

describe.each(variants)('$name', workload => {
  test.each<Configuration>(['bare', 'native', 'hosted'])(
    '%s: reaches its end with the right results, and every cycle is in the ledger',
    async configuration => {
      const { cycles, ledger } = await measure(workload, configuration)
      expect(cycles).toBeGreaterThan(workload.operations!)
      expect(ledger.reduce((sum, row) => sum + row.cycles, 0)).toBe(cycles)
    },
  )
})

test('small pages reach less: 32 MiB of them cost walks, of large ones and of what the TLB holds none', async () => {
  const walks = async (name: string) => {
    const { ledger } = await measure(workloadNamed(name)!, 'bare')
    return ledger.filter(({ activity }) => activity === 'walk').reduce((sum, { cycles }) => sum + cycles, 0)
  }
  expect(await walks('memory-4k-128k')).toBe(0)
  expect(await walks('memory-2m-32m')).toBeLessThan(1000)
  expect(await walks('memory-4k-32m')).toBeGreaterThan(await walks('memory-4k-4m'))
})

test.each<Configuration>(['bare', 'native', 'hosted'])(
  '%s: what a writing pattern wrote is on the disk when it ends, and nothing else is',
  configuration => {
    const workload = workloadNamed('disk-randwrite-32')!
    const content = new Uint8Array(16 * MIB)
    workload.diskContent!(content)
    const disk = new MemoryBacking(content.length / SECTOR_BYTES, content.slice())
    const program = workload.image()
    const { machine } = buildSystem({
      configuration,
      harts: 1,
      ramBytes: 160 * MIB,
      disks: [disk],
      guests: [
        {
          label: 'writer',
          memoryBytes: 32 * MIB,
          vcpus: 1,
          harts: [0],
          weight: 256,
          cap: 0,
          bootargs: '',
          kernel: program.bytes,
          disk: { first: 0, sectors: disk.sectors },
          scripted: { software: workload.software!(), program },
        },
      ],
    })
    const toMark = () => machine.run({ marks: true, untilCycle: machine.now() + 1e9 })
    expect(toMark()).toMatchObject({ kind: 'mark', mark: 'start' })
    expect(toMark()).toMatchObject({ kind: 'mark', mark: 'end' })
    const bytes = new Uint8Array(content.length)
    disk.read(0, bytes)
    const words = new DataView(bytes.buffer)
    const versions = Array.from({ length: bytes.length / BLOCK_BYTES }, (_, block) => {
      const found = words.getUint32(block * BLOCK_BYTES + 64, true)
      return [1, 2].find(version => stamp(block, version, 64) === found)
    })
    expect(versions.filter(version => version === 2)).toHaveLength(workload.operations!)
    expect(versions).not.toContain(undefined)
  },
)
