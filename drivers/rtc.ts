/** The driver of a Goldfish real-time clock. docs/how-to-add-a-driver.md goes through it. */
import type { ClockDevice, Environment } from './environment.ts'
import { rtc } from '../hw/spec/devices/rtc.ts'
import { withField } from '../hw/spec/registers.ts'

const ENABLE = withField(rtc.IRQ_ENABLED.fields.ENABLE, 0, 1)
const NANOSECONDS = 1000
const WORD = 0x1_0000_0000

const CREATED = 0
const RUNNING = 1
const STOPPED = 2

export function rtcDriver(env: Environment): ClockDevice {
  const { device, interrupts } = env
  const state = env.state('rtc', { phase: CREATED })
  const unheard: () => void = () => {}
  let rung = unheard

  function start(): void {
    if (state.phase !== CREATED) return
    device.write(rtc.CLEAR_ALARM, 1)
    device.write(rtc.CLEAR_INTERRUPT, 1)
    if (interrupts.length > 0) device.write(rtc.IRQ_ENABLED, ENABLE)
    state.phase = RUNNING
  }

  function now(): number {
    const low = device.read(rtc.TIME_LOW)
    return (device.read(rtc.TIME_HIGH) * WORD + low) / NANOSECONDS
  }

  function setAlarm(microseconds: number): void {
    const nanoseconds = microseconds * NANOSECONDS
    const high = Math.floor(nanoseconds / WORD)
    device.write(rtc.ALARM_HIGH, high)
    device.write(rtc.ALARM_LOW, nanoseconds - high * WORD)
  }

  function onInterrupt(): void {
    if (state.phase !== RUNNING) return
    device.write(rtc.CLEAR_INTERRUPT, 1)
    rung()
  }

  function stop(): void {
    if (state.phase === RUNNING) {
      device.write(rtc.IRQ_ENABLED, 0)
      device.write(rtc.CLEAR_ALARM, 1)
    }
    state.phase = STOPPED
  }

  if (interrupts.length > 0) interrupts[0].subscribe(onInterrupt)

  return {
    start,
    ready: () => state.phase === RUNNING,
    failure: () => '',
    stop,
    stopped: () => state.phase === STOPPED,
    now,
    setAlarm,
    onAlarm(heard) {
      rung = heard
    },
  }
}
