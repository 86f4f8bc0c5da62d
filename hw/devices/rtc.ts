/** The Goldfish real-time clock: wall time that starts where the board says, so that every run sees the same. */
import type { Chip, Clock, Line, Plain, Saved, Timed } from '../bus/chip.ts'
import { rtc as table } from '../spec/devices/rtc.ts'

const mask64 = (1n << 64n) - 1n
const NO_EVENT = -1

export class GoldfishRtc implements Chip, Timed, Saved {
  readonly #clock: Clock
  readonly #line: Line
  /** Nanoseconds since 1970 at cycle 0. */
  #base: bigint
  #timeHigh = 0
  #alarmHigh = 0
  #alarm = 0n
  #event = NO_EVENT
  #enabled = false
  #pending = false

  /** `seconds` since 1970 is the time at cycle 0. */
  constructor(clock: Clock, line: Line, seconds: number) {
    this.#clock = clock
    this.#line = line
    this.#base = BigInt(seconds) * 1_000_000_000n
  }

  read(offset: number, bytes: 1 | 2 | 4): number {
    if (bytes !== 4) return 0
    switch (offset) {
      case table.TIME_LOW.at: {
        const now = this.#now()
        this.#timeHigh = Number(now >> 32n)
        return Number(now & 0xffff_ffffn)
      }
      case table.TIME_HIGH.at:
        return this.#timeHigh
      case table.ALARM_LOW.at:
        return Number(this.#alarm & 0xffff_ffffn)
      case table.ALARM_HIGH.at:
        return this.#alarmHigh
      case table.IRQ_ENABLED.at:
        return this.#enabled ? 1 : 0
      case table.ALARM_STATUS.at:
        return this.#event === NO_EVENT ? 0 : 1
      default:
        return 0
    }
  }

  write(offset: number, bytes: 1 | 2 | 4, value: number): void {
    if (bytes !== 4) return
    switch (offset) {
      case table.TIME_LOW.at:
        return this.#setTime((this.#now() & ~0xffff_ffffn) | BigInt(value))
      case table.TIME_HIGH.at:
        return this.#setTime((this.#now() & 0xffff_ffffn) | (BigInt(value) << 32n))
      case table.ALARM_HIGH.at:
        this.#alarmHigh = value
        return
      case table.ALARM_LOW.at:
        return this.#arm((BigInt(this.#alarmHigh) << 32n) | BigInt(value))
      case table.IRQ_ENABLED.at:
        this.#enabled = (value & 1) === 1
        break
      case table.CLEAR_ALARM.at:
        return this.#disarm()
      case table.CLEAR_INTERRUPT.at:
        this.#pending = false
        break
      default:
        return
    }
    this.#update()
  }

  due(_kind: string, _payload: Plain): void {
    this.#event = NO_EVENT
    this.#ring()
  }

  save(): Plain {
    return {
      base: this.#base.toString(16),
      timeHigh: this.#timeHigh,
      alarmHigh: this.#alarmHigh,
      alarm: this.#alarm.toString(16),
      event: this.#event,
      enabled: this.#enabled,
      pending: this.#pending,
    }
  }

  restore(state: Plain): void {
    const saved = state as {
      base: string
      timeHigh: number
      alarmHigh: number
      alarm: string
      event: number
      enabled: boolean
      pending: boolean
    }
    this.#base = BigInt(`0x${saved.base}`)
    this.#timeHigh = saved.timeHigh
    this.#alarmHigh = saved.alarmHigh
    this.#alarm = BigInt(`0x${saved.alarm}`)
    this.#event = saved.event
    this.#enabled = saved.enabled
    this.#pending = saved.pending
  }

  #now(): bigint {
    const { frequency } = this.#clock
    return (this.#base + (BigInt(Math.floor(this.#clock.now())) * 1_000_000_000n) / BigInt(frequency)) & mask64
  }

  #setTime(time: bigint): void {
    this.#base = (this.#base + time - this.#now()) & mask64
  }

  /** An alarm in the past rings at once. */
  #arm(alarm: bigint): void {
    this.#disarm()
    this.#alarm = alarm
    const wait = alarm - this.#now()
    if (wait <= 0n) return this.#ring()
    const cycles = (wait * BigInt(this.#clock.frequency) + 999_999_999n) / 1_000_000_000n
    if (cycles < BigInt(Number.MAX_SAFE_INTEGER)) {
      this.#event = this.#clock.at(Math.floor(this.#clock.now()) + Number(cycles), 'alarm')
    }
  }

  #disarm(): void {
    if (this.#event !== NO_EVENT) this.#clock.cancel(this.#event)
    this.#event = NO_EVENT
  }

  #ring(): void {
    this.#pending = true
    this.#update()
  }

  #update(): void {
    this.#line.set(this.#pending && this.#enabled)
  }
}
