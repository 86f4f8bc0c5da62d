/** A disk's driver puts a request in the queue that its tag says: no two guests share one where there are enough. */
import { expect, it } from 'vitest'
import type { BlockDevice, Completion, InterruptController } from '../../../drivers/environment.ts'
import type { PcieBus } from '../../../drivers/pcie.ts'
import type { PortEnvironment } from '../../../drivers/port-environment.ts'
import type { HartPort } from '../../../hw/port.ts'
import { NativeDisk } from '../../../vmm/native/disk.ts'

const DEPTH = 13
const NOBODY = undefined as unknown

it.each([
  { guests: 2, queues: 2 },
  { guests: 2, queues: 4 },
  { guests: 6, queues: 3 },
])('$guests guests, $queues queues: each request is answered to who asked, from queues of his own', expected => {
  const { guests, queues } = expected
  const port = NOBODY as HartPort
  const taken: number[] = []
  let completed: (tag: number, how: Completion) => void = () => {}
  const driver = {
    depth: DEPTH,
    submit: (tag: number) => taken.push(tag) > 0,
    onCompleted: (heard: typeof completed) => {
      completed = heard
    },
  } as unknown as BlockDevice
  const environment = { registered: {} } as PortEnvironment
  const disk = new NativeDisk(
    { port },
    environment,
    driver,
    NOBODY as PcieBus,
    NOBODY as InterruptController,
    0,
    guests,
  )
  const answered: string[] = []
  const owners = new Map<number, number>()
  for (let guest = 0; guest < guests; guest++) {
    const backend = disk.partition({ first: 0, sectors: 8 }, { reach: () => 0, deviceAddress: () => 0 })
    backend.attach(
      (_port, tag) => answered.push(`${guest}: ${tag}`),
      () => {},
    )
    for (let tag = 0; tag < backend.depth; tag++) {
      expect(backend.submit(port, tag, 'read', 0, 1, 0)).toBe(true)
      const tagged = taken.at(-1)!
      const queue = tagged % queues
      expect(tagged).toBeLessThan(DEPTH)
      if (guests <= queues) expect(owners.get(queue) ?? guest).toBe(guest)
      owners.set(queue, guest)
      completed(tagged, 'ok')
      expect(answered.pop()).toBe(`${guest}: ${tag}`)
    }
    expect(new Set(taken.slice(-backend.depth).map(tag => tag % queues)).size).toBe(Math.max(1, queues / guests))
  }
  expect(new Set(taken).size).toBe(taken.length)
})
