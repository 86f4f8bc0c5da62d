import { expect, test } from 'vitest'
import { memory } from '../../guests/workloads/memory.ts'
import { rocketFlat } from '../../hw/index.ts'
import { buildSystem, type Configuration } from '../../lab/system.ts'

const MIB = 2 ** 20
const ENOUGH = 200_000_000

test.each<Configuration>(['bare', 'native', 'hosted'])(
  '%s: the walks in the ledger are the page-table reads that were counted, at their price',
  configuration => {
    const { machine } = buildSystem({
      configuration,
      harts: 1,
      ramBytes: 160 * MIB,
      guests: [
        {
          label: 'memory',
          memoryBytes: 64 * MIB,
          vcpus: 1,
          harts: [0],
          weight: 256,
          cap: 0,
          bootargs: '',
          kernel: memory.image().bytes,
        },
      ],
    })
    const toMark = () => {
      expect(machine.run({ marks: true, untilCycle: machine.now() + ENOUGH }).kind).toBe('mark')
      const rows = machine.ledger(0).filter(({ activity }) => activity === 'walk')
      return { cycles: rows.reduce((sum, row) => sum + row.cycles, 0), ...machine.mmuCounts(0) }
    }
    const before = toMark()
    const after = toMark()
    const of = (key: keyof typeof before) => after[key] - before[key]
    expect(of('walks')).toBeGreaterThan(30_000)
    const nested = of('guestStageReads') > 0
    expect(nested).toBe(configuration !== 'bare')
    expect(of('cycles')).toBe(
      of('l1Misses') * rocketFlat.replay +
        of('l2Hits') * rocketFlat.l2TlbHit +
        (of('firstStageReads') + of('guestStageReads')) * rocketFlat.pteRead +
        of('pteCacheHits') * rocketFlat.pteCacheHit,
    )
  },
)
