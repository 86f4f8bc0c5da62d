import { expect, test } from 'vitest'
import { rtcDriver } from '../../drivers/rtc.ts'
import { GoldfishRtc } from '../../hw/devices/rtc.ts'
import { BenchLine, BenchMemory, BenchTime } from '../hw/devices/bench.ts'
import { FakeEnvironment } from './fake-environment.ts'

const START = 1_700_000_000

test('rtc: tells the time, and rings once at the alarm, though entries are abandoned and the driver is remade', () => {
  const time = new BenchTime()
  const line = new BenchLine()
  const chip: GoldfishRtc = new GoldfishRtc(
    time.clockFor(() => chip),
    line,
    START,
  )
  let calls = 0
  const env = new FakeEnvironment({
    chip,
    time,
    memory: new BenchMemory(),
    lines: [line],
    abandons: () => ++calls % 3 === 0,
  })
  const make = () =>
    env.construct(made => {
      const clock = rtcDriver(made)
      const heard = made.state('heard', { times: 0 })
      clock.onAlarm(() => void (heard.times += 1))
      return { clock, heard }
    })
  const first = make()
  env.enter(() => first.clock.start())
  env.enter(() => first.clock.setAlarm(START * 1e6 + 500))
  const { clock, heard } = make()
  env.pass(499)
  expect(heard.times).toBe(0)
  env.pass(2)
  expect(heard.times).toBe(1)
  expect(env.enter(() => clock.now())).toBeCloseTo(START * 1e6 + 501, 0)
  env.enter(() => clock.setAlarm(START * 1e6 + 1000))
  env.enter(() => clock.stop())
  env.pass(1000)
  expect(heard.times).toBe(1)
  expect(env.enter(() => clock.stopped())).toBe(true)
})
