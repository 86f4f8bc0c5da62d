/** Who is woken, where: by a guest's doorbell in its VMM process, and on harts that are busy. */
import { expect, test } from 'vitest'
import type { HartPort } from '../../../hw/port.ts'
import { A0, A1, A7 } from '../../../hw/spec/sbi.ts'
import { NOWHERE } from '../../../vmm/core/vcpu.ts'
import { KernelThread } from '../../../vmm/hosted/kernel-thread.ts'
import { KERNEL_BASE } from '../../../vmm/hosted/layout.ts'
import { ProcessDoorbells } from '../../../vmm/hosted/process-doorbells.ts'
import type { Process } from '../../../vmm/hosted/process.ts'
import { Scheduler } from '../../../vmm/hosted/scheduler.ts'
import { createTimes, TIMEBASE } from '../../../vmm/hosted/scheduling/time-keeping.ts'
import { SYS_ADD_EVENT, SYS_EXPECT, SYS_READ_EVENT, SYS_WAIT, SYS_WATCH } from '../../../vmm/hosted/system-calls.ts'
import { ASLEEP, ENDED, READY } from '../../../vmm/hosted/task.ts'
import { ramPort } from './ram-port.ts'

test("a doorbell's thread tells the device's own, and waits for the next at once", () => {
  const x: number[] = []
  const port = { setX: (register: number, value: number) => (x[register] = value) } as unknown as HartPort
  // A vCPU's thread, then those for consoles, disk, notifications.
  const process = {
    vm: {},
    node: { disk: {} },
    kernelWindows: 0,
    firstTask: 0,
    ioTask: 1,
    diskTask: 2,
    networkTask: 1,
    notifyTask: 3,
    lastTask: 3,
  } as unknown as Process
  const bells = new ProcessDoorbells(process)
  const made = [1, 1, 1].map(thread => [bells.next(port, thread), x[A0], x[A1]])
  expect(made.map(([call]) => call)).toEqual([SYS_EXPECT, SYS_EXPECT, SYS_WATCH])
  const [[, doorbell, taker], [, told, server]] = made
  expect([taker, server]).toEqual([3, 2])
  expect(bells.next(port, 1)).toBe(0)
  expect([1, 2, 3].map(thread => bells.takes(thread))).toEqual([false, false, true])
  expect([bells.pass(port, SYS_WAIT, 0, doorbell), x[A0]]).toEqual([SYS_READ_EVENT, doorbell])
  expect([bells.pass(port, SYS_READ_EVENT, 2, 0), x[A0], x[A1], x[A7]]).toEqual([SYS_ADD_EVENT, told, 2, SYS_ADD_EVENT])
  expect(bells.pass(port, SYS_ADD_EVENT, 0, 0)).toBe(SYS_WAIT)
  // Somebody else has read it before.
  bells.pass(port, SYS_WAIT, 0, doorbell)
  expect(bells.pass(port, SYS_READ_EVENT, 0, 0)).toBe(SYS_WAIT)
})

test('a thread that is woken for a hart that runs another is in its queue at once: whoever has nothing to do takes it from there', () => {
  const ram = ramPort()
  const { port } = ram
  const words = { ...port, swap32If: () => 0, swap32: () => 0 }
  const harts = [0, 1].map((hart): HartPort => ({ ...words, hart }))
  const threads = [0, 1, 2, 3].map(index => new KernelThread(`${index}`, index, () => 0, NOWHERE))
  const [busy, waker, woken, other] = threads
  const scheduler = new Scheduler(threads, 2, { reserved: [false, false], quiet: [false, false], housekeeping: 0 })
  createTimes(port, 2, TIMEBASE)
  for (let hart = 0; hart < 2; hart++) {
    scheduler.queues.pages[hart] = KERNEL_BASE + (8 + 2 * hart) * 4096
    scheduler.timers.pages[hart] = KERNEL_BASE + (9 + 2 * hart) * 4096
  }
  scheduler.queues.create(port)
  for (const [hart, thread] of [busy, waker].entries()) {
    thread.record.state = READY
    scheduler.queues.add(harts[hart], thread, hart, 0)
    expect(scheduler.pick(harts[hart], 0)).toBe(thread.index)
    scheduler.current[hart] = thread.index
    thread.record.hart = hart
  }
  woken.record.last = 0
  ram.time = 100_000
  // The waker's hart has more to do than the other.
  other.record.state = READY
  scheduler.queues.add(harts[1], other, 1, ram.time)
  scheduler.wake(harts[1], woken)
  expect(woken.record.queued).toBe(0)
  expect(scheduler.kicks[1]).toBe(1)
  // Then it has nothing to do any more.
  scheduler.end(harts[1], other, ENDED)
  waker.record.state = ASLEEP
  expect(scheduler.pick(harts[1], ram.time)).toBe(woken.index)
})
