/** Changes that preserve what guests see raise no alarm, though they are planted as bugs are. */
import { expect, test } from 'vitest'
import { findingLines } from '../../lab/isolation/show.ts'
import { plant, planted } from '../../lab/planting/planting.ts'
import { sourceOf, substituted } from '../../lab/planting/substitution.ts'

const PLANTED = 'refactorings'

interface Refactoring {
  readonly name: string
  readonly file: string
  readonly anchor: string
  readonly replacement: string
}

const REFACTORINGS: readonly Refactoring[] = [
  {
    name: 'pages scrubbed in smaller pieces',
    file: 'vmm/core/free-memory.ts',
    anchor: 'const PIECE = 0x1_0000',
    replacement: 'const PIECE = 0x8000',
  },
  {
    name: 'a conditional assignment',
    file: 'vmm/core/vcpu.ts',
    anchor: 'if (woken) record.status = RUNNABLE',
    replacement: 'record.status = woken ? RUNNABLE : record.status',
  },
  {
    name: 'fewer frames at a time',
    file: 'vmm/virtual/virtio-net.ts',
    anchor: 'const BUDGET = 8',
    replacement: 'const BUDGET = 4',
  },
  {
    name: 'less of a request at a time',
    file: 'vmm/virtual/virtio-blk.ts',
    anchor: 'const BUDGET = 128',
    replacement: 'const BUDGET = 64',
  },
  {
    name: 'a shorter pause between devices’ work',
    file: 'vmm/native/running.ts',
    anchor: 'const WORK_PAUSE = 100',
    replacement: 'const WORK_PAUSE = 50',
  },
  {
    name: 'arithmetic for a choice',
    file: 'vmm/core/memory-access.ts',
    anchor: 'access.length = (word & 2) === 0 ? 2 : 4',
    replacement: 'access.length = 2 + (word & 2)',
  },
  {
    name: 'a comparison turned round',
    file: 'vmm/native/scheduler.ts',
    anchor: 'this.had[index] < this.had[best]',
    replacement: 'this.had[best] > this.had[index]',
  },
  {
    name: 'conditions in another order',
    file: 'vmm/virtual/queue.ts',
    anchor: 'return ahead !== 0 && !record.broken',
    replacement: 'return !record.broken && ahead > 0',
  },
  {
    name: 'De Morgan',
    file: 'vmm/core/virtual-switch.ts',
    anchor: 'if (!isMeant && !isGroup) continue',
    replacement: 'if (!(isMeant || isGroup)) continue',
  },
  {
    name: 'a check that another one makes anyway',
    file: 'vmm/virtual/virtio-mmio.ts',
    anchor: 'if (this.isRunning() && queue < this.queues.length)',
    replacement: 'if (queue < this.queues.length && this.isRunning())',
  },
]

/** Of each promise: all ten stand in what they are tried on. */
const SCENARIOS = 3
/** What these do takes long: they watch shares of a hart. */
const FEW: Readonly<Record<string, number>> = { resources: 1 }

test.each(REFACTORINGS)('$name: stands at one place, and changes it', refactoring => {
  const source = sourceOf(refactoring.file)
  expect(substituted(source, [refactoring])).not.toBe(source)
})

test('with all of them, every promise holds', async () => {
  plant(PLANTED, REFACTORINGS)
  const folder = new URL('../../lab/isolation/', import.meta.url)
  const load = <Module>(file: string) => planted<Module>(PLANTED, new URL(file, folder))
  const { PROMISES } = await load<typeof import('../../lab/isolation/promises/index.ts')>('promises/index.ts')
  const { campaign } = await load<typeof import('../../lab/isolation/campaign.ts')>('campaign.ts')
  const { dropArenas } = await load<typeof import('../../lab/isolation/arena.ts')>('arena.ts')
  const alarms = PROMISES.flatMap(promise => {
    const runs = FEW[promise.name] ?? SCENARIOS
    const { finding } = campaign(promise, { seed: 11, runs, milliseconds: Infinity })
    dropArenas()
    return finding ? [[promise.name, ...findingLines(finding)]] : []
  })
  expect(alarms).toEqual([])
})
