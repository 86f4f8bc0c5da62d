/** Changes that preserve what guests see raise no alarm, though they are planted as bugs are. */
import { expect, test } from 'vitest'
import { hunt } from '../../lab/isolation/bugs/hunt.ts'

const SEEDS = 3

interface Refactoring {
  readonly name: string
  readonly file: string
  readonly anchor: string
  readonly replacement: string
  readonly promise: string
}

const REFACTORINGS: readonly Refactoring[] = [
  {
    name: 'pages scrubbed in smaller pieces',
    file: 'vmm/core/free-memory.ts',
    anchor: 'const PIECE = 0x1_0000',
    replacement: 'const PIECE = 0x8000',
    promise: 'residue',
  },
  {
    name: 'a conditional assignment',
    file: 'vmm/core/vcpu.ts',
    anchor: 'if (woken) record.status = RUNNABLE',
    replacement: 'record.status = woken ? RUNNABLE : record.status',
    promise: 'interrupts',
  },
  {
    name: 'fewer frames at a time',
    file: 'vmm/virtual/virtio-net.ts',
    anchor: 'const BUDGET = 8',
    replacement: 'const BUDGET = 4',
    promise: 'network',
  },
  {
    name: 'less of a request at a time',
    file: 'vmm/virtual/virtio-blk.ts',
    anchor: 'const BUDGET = 128',
    replacement: 'const BUDGET = 64',
    promise: 'disk',
  },
  {
    name: 'a shorter pause between devices’ work',
    file: 'vmm/native/running.ts',
    anchor: 'const WORK_PAUSE = 100',
    replacement: 'const WORK_PAUSE = 50',
    promise: 'network',
  },
  {
    name: 'arithmetic for a choice',
    file: 'vmm/core/memory-access.ts',
    anchor: 'access.length = (word & 2) === 0 ? 2 : 4',
    replacement: 'access.length = 2 + (word & 2)',
    promise: 'disk',
  },
  {
    name: 'a comparison turned round',
    file: 'vmm/native/scheduler.ts',
    anchor: 'this.had[index] < this.had[best]',
    replacement: 'this.had[best] > this.had[index]',
    promise: 'interrupts',
  },
  {
    name: 'conditions in another order',
    file: 'vmm/virtual/queue.ts',
    anchor: 'return ahead !== 0 && !record.broken',
    replacement: 'return !record.broken && ahead > 0',
    promise: 'network',
  },
  {
    name: 'De Morgan',
    file: 'vmm/core/virtual-switch.ts',
    anchor: 'if (!isMeant && !isGroup) continue',
    replacement: 'if (!(isMeant || isGroup)) continue',
    promise: 'network',
  },
  {
    name: 'a check that another one makes anyway',
    file: 'vmm/virtual/virtio-mmio.ts',
    anchor: 'if (this.isRunning() && queue < this.queues.length)',
    replacement: 'if (queue < this.queues.length && this.isRunning())',
    promise: 'disk',
  },
]

test.each(REFACTORINGS)('$name', async refactoring => {
  const change = { ...refactoring, models: '', area: 'virtio', difference: '', seed: 0 } as const
  expect(await hunt(change, 1, SEEDS, Infinity)).toBeUndefined()
})
