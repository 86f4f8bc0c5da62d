import { describe, expect, test } from 'vitest'
import type { ConsoleDevice, Environment } from '../../drivers/environment.ts'
import { plicDriver } from '../../drivers/plic.ts'
import { uartDriver } from '../../drivers/uart.ts'
import { virtioConsole } from '../../drivers/virtio-console.ts'
import { Plic } from '../../hw/devices/plic.ts'
import { Uart } from '../../hw/devices/uart.ts'
import { uart } from '../../hw/spec/devices/uart.ts'
import { VIRTIO_ID, virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import { VIRTIO_CONSOLE_RECEIVEQ } from '../../hw/spec/layouts/virtio-console.ts'
import { BenchLine, BenchMemory, BenchTime } from '../hw/devices/bench.ts'
import { FakeEnvironment, type FakeParts } from './fake-environment.ts'
import { VirtioModel } from './virtio-model.ts'

interface Bench {
  readonly parts: Omit<FakeParts, 'lines'>
  readonly line: { readonly level: boolean }
  readonly make: (env: Environment) => ConsoleDevice
  readonly output: () => string
  readonly type: (text: string) => void
}

function uartBench(): Bench {
  const time = new BenchTime()
  const memory = new BenchMemory()
  const line = new BenchLine()
  let text = ''
  const chip: Uart = new Uart(
    time.clockFor(() => chip),
    line,
    bytes => void (text += String.fromCharCode(...bytes)),
  )
  return {
    parts: { chip, time, memory },
    line,
    make: uartDriver,
    output: () => text,
    type: typed => chip.receive(new TextEncoder().encode(typed)),
  }
}

function virtioBench(): Bench {
  const time = new BenchTime()
  const memory = new BenchMemory()
  let text = ''
  const chip = new VirtioModel(
    {
      id: VIRTIO_ID.console,
      features: 0,
      queues: 2,
      config: new Uint8Array(12),
      serve(queue, { segments }) {
        if (queue === VIRTIO_CONSOLE_RECEIVEQ) return undefined
        for (const { address, bytes } of segments)
          text += String.fromCharCode(...memory.bytes.slice(address, address + bytes))
        return 0
      },
    },
    time,
    memory,
  )
  return {
    parts: { chip, time, memory, doorbells: [virtioMmio.QueueNotify] },
    line: chip,
    make: virtioConsole,
    output: () => text,
    type(typed) {
      for (const character of typed) {
        const [chain] = chip.kept(VIRTIO_CONSOLE_RECEIVEQ)
        memory.bytes[chain.segments[0].address] = character.charCodeAt(0)
        chip.use(VIRTIO_CONSOLE_RECEIVEQ, chain, 1)
      }
    },
  }
}

for (const [name, bench] of [
  ['uart', uartBench],
  ['virtio-console', virtioBench],
] as const) {
  describe(name, () => {
    for (const polled of [false, true]) {
      test(`characters go out and come in${polled ? ' when polled' : ''}, and it stops without leaks`, () => {
        const { parts, line, make, output, type } = bench()
        let calls = 0
        const env = new FakeEnvironment({ ...parts, lines: polled ? [] : [line], abandons: () => ++calls % 7 === 0 })
        const heard = { text: '' }
        let state: Int32Array
        const device = env.construct(made => {
          const driver = make(made)
          state = made.state('typed', new Int32Array(1 + 256))
          driver.onInput(() => {
            for (let byte = driver.get(); byte >= 0; byte = driver.get()) state[++state[0]] = byte
          })
          return driver
        })
        env.enter(() => device.start())
        expect(env.run(() => env.enter(() => device.ready()))).toBe(true)
        const text = 'The quick brown fox jumps over the lazy dog, and again, and again, and once more.\n'
        for (const character of text) {
          const put = () => env.enter(() => device.put(character.charCodeAt(0)))
          for (let tries = 0; !put() && tries < 10; tries++) env.pass(100)
        }
        env.run()
        expect(output()).toBe(text)
        for (const typed of ['hello', ' ', 'world']) {
          type(typed)
          env.run()
          if (polled) {
            for (let byte = env.enter(() => device.get()); byte >= 0; byte = env.enter(() => device.get()))
              heard.text += String.fromCharCode(byte)
          }
        }
        if (!polled) heard.text = String.fromCharCode(...state!.subarray(1, 1 + state![0]))
        expect(heard.text).toBe('hello world')
        env.enter(() => device.stop())
        expect(env.run(() => env.enter(() => device.stopped()))).toBe(true)
        expect(env.leaks()).toBe(0)
        expect(env.enter(() => device.put(65))).toBe(false)
        expect(env.abandoned).toBeGreaterThan(0)
      })
    }
  })
}

test('uart: nothing there is a failure', () => {
  const { parts } = uartBench()
  const env = new FakeEnvironment({ ...parts, chip: { read: () => 0xff, write: () => {} } })
  const device = env.construct(uartDriver)
  env.enter(() => device.start())
  expect(env.enter(() => device.failure())).toBe('no UART')
})

test('uart: no more characters than the FIFO holds follow one look at the status', () => {
  const { parts } = uartBench()
  let room = 16
  const { chip } = parts
  const env = new FakeEnvironment({
    ...parts,
    chip: {
      read: (offset, bytes) => (offset === uart.LSR.at && room < 16 ? 0 : chip.read(offset, bytes)),
      write: (offset, bytes, value) => {
        if (offset === uart.THR.at && --room < 0) throw new Error('overrun')
        chip.write(offset, bytes, value)
      },
    },
  })
  const device = env.construct(uartDriver)
  env.enter(() => device.start())
  room = 16
  for (let i = 0; i < 16; i++) expect(env.enter(() => device.put(65))).toBe(true)
  expect(env.enter(() => device.put(65))).toBe(false)
})

test('plic: a source of the second word is enabled, claimed by priority, and completed', () => {
  const line = new BenchLine()
  const chip = new Plic([new BenchLine(), line], 96)
  const { parts } = uartBench()
  const env = new FakeEnvironment({ ...parts, chip })
  const controller = env.construct(made => plicDriver(made, { context: 1, sources: 96 }))
  env.enter(() => controller.start())
  env.enter(() => controller.enable(33, 2))
  env.enter(() => controller.enable(10, 1))
  chip.line(33).set(true)
  chip.line(10).set(true)
  expect(line.level).toBe(true)
  expect(env.enter(() => controller.claim())).toBe(33)
  expect(env.enter(() => controller.claim())).toBe(10)
  expect(env.enter(() => controller.claim())).toBe(0)
  chip.line(33).set(false)
  env.enter(() => controller.complete(33))
  env.enter(() => controller.complete(10))
  expect(env.enter(() => controller.claim())).toBe(10)
  env.enter(() => controller.disable(10))
  env.enter(() => controller.complete(10))
  expect(line.level).toBe(false)
  // What was completed while it was masked comes again.
  env.enter(() => controller.enable(10, 1))
  expect(env.enter(() => controller.claim())).toBe(10)
})
